/*
 * test_inner_record.c - frames inside the allocator, to bytes and back.
 */
#include "inner_record.h"
#include "test.h"

static uint8_t bytes[INNER_RECORD_MAX];
static struct codec_base base;
static struct decoder d;
static struct record r;

static void read_first(const uint8_t *end)
{
	decoder_init(&d, bytes, (size_t)(end - bytes), 0, 1);
	assert_int_equal(record_decode(&d, &r), 1);
}

TEST(test_frames_come_back_as_they_were_written)
{
	const struct inner_frames in = { 4, { 0x7f0000001000, 0x7f0000000010, 1, UINT64_MAX } };
	struct inner_frames out;
	uint8_t *end;

	base = (struct codec_base){ 0 };
	end = put_inner(bytes, &base, 77, &in);
	read_first(end);
	assert_int_equal(r.kind, EVENT_EXTENDED);
	assert_int_equal(r.stamp, 77);
	assert_true(get_inner(&r, &out));
	assert_int_equal(out.count, in.count);
	assert_memory_equal(in.pcs, out.pcs, in.count * sizeof(in.pcs[0]));
	assert_int_equal(record_decode(&d, &r), 0);
}

TEST(test_the_longest_record_has_room)
{
	struct inner_frames in = { .count = INNER_FRAMES_MAX }, out;

	for (unsigned i = 0; i < INNER_FRAMES_MAX; i++)
		in.pcs[i] = i % 2 ? UINT64_MAX / 3 : UINT64_MAX;
	base = (struct codec_base){ 0 };
	read_first(put_inner(bytes, &base, UINT64_MAX / 2, &in));
	assert_true(get_inner(&r, &out));
	assert_memory_equal(in.pcs, out.pcs, sizeof(in.pcs));
}

TEST(test_records_of_another_kind_or_cut_short_are_refused)
{
	const uint8_t look[] = { EVENT_EXTENDED, 5, EXTENDED_LOOK, 3, 3, 2, 1 };
	const uint8_t empty[] = { EVENT_EXTENDED, 5, EXTENDED_INNER, 0 };
	const uint8_t cut[] = { EVENT_EXTENDED, 5, EXTENDED_INNER, 2, 2, 8 };
	const uint8_t many[] = { EVENT_EXTENDED, 5, EXTENDED_INNER, 1, INNER_FRAMES_MAX + 1 };
	const struct { const uint8_t *bytes; size_t size; } bad[] = {
		{ look, sizeof(look) }, { empty, sizeof(empty) }, { cut, sizeof(cut) },
		{ many, sizeof(many) },
	};
	struct inner_frames out;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy(bytes, bad[i].bytes, bad[i].size);
		read_first(bytes + bad[i].size);
		assert_false(get_inner(&r, &out));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_come_back_as_they_were_written),
		cmocka_unit_test(test_the_longest_record_has_room),
		cmocka_unit_test(test_records_of_another_kind_or_cut_short_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
