/*
 * test_look_record.c - the record of a look, to bytes and back.
 */
#include "look_record.h"
#include "test.h"

static uint8_t bytes[256];
static struct codec_base base;
static struct decoder d;
static struct record r;

static void read_first(const uint8_t *end)
{
	decoder_init(&d, bytes, (size_t)(end - bytes), 0, 1);
	assert_int_equal(record_decode(&d, &r), 1);
}

TEST(test_look_comes_back_as_it_was_written)
{
	const struct look in = { 1 << 20, (uint64_t)1 << 40, LOOK_LAST_ABSENT | LOOK_PARTIAL };
	struct look out;
	uint8_t *end;

	base = (struct codec_base){ 0 };
	end = put_look(bytes, &base, 77, &in);
	assert_true(end - bytes <= RECORD_MAX);
	read_first(end);
	assert_int_equal(r.kind, EVENT_EXTENDED);
	assert_int_equal(r.stamp, 77);
	assert_true(get_look(&r, &out));
	assert_memory_equal(&in, &out, sizeof(in));
	assert_int_equal(record_decode(&d, &r), 0);
}

TEST(test_fields_of_a_later_version_are_passed_over)
{
	const uint8_t longer[] = { EVENT_EXTENDED, 5, EXTENDED_LOOK, 5, 3, 2, 1, 9, 9 };
	struct look out;

	memcpy(bytes, longer, sizeof(longer));
	read_first(bytes + sizeof(longer));
	assert_true(get_look(&r, &out));
	assert_int_equal(out.weight, 3);
	assert_int_equal(out.absent, 2);
	assert_int_equal(out.flags, 1);
	assert_int_equal(record_decode(&d, &r), 0);
}

TEST(test_what_is_no_look_is_none)
{
	const uint8_t other[] = { EVENT_EXTENDED, 5, EXTENDED_LOOK + 1, 3, 3, 2, 1 };
	const uint8_t empty[] = { EVENT_EXTENDED, 5, EXTENDED_LOOK, 0 };
	const uint8_t cut[] = { EVENT_EXTENDED, 5, EXTENDED_LOOK, 3, 3, 0x80, 0x80, 0, 0 };
	const uint8_t weightless[] = { EVENT_EXTENDED, 5, EXTENDED_LOOK, 3, 0, 2, 1 };
	struct look out;

	memcpy(bytes, other, sizeof(other));
	read_first(bytes + sizeof(other));
	assert_false(get_look(&r, &out));
	memcpy(bytes, empty, sizeof(empty));
	read_first(bytes + sizeof(empty));
	assert_false(get_look(&r, &out));
	memcpy(bytes, cut, sizeof(cut));
	read_first(bytes + sizeof(cut));
	assert_false(get_look(&r, &out));
	memcpy(bytes, weightless, sizeof(weightless));
	read_first(bytes + sizeof(weightless));
	assert_false(get_look(&r, &out));
	r.kind = EVENT_MARK;
	assert_false(get_look(&r, &out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_look_comes_back_as_it_was_written),
		cmocka_unit_test(test_fields_of_a_later_version_are_passed_over),
		cmocka_unit_test(test_what_is_no_look_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
