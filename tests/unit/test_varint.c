/*
 * test_varint.c - numbers in few bytes and back, at all lengths and at all ends.
 */
#include "test.h"
#include "varint.h"

static const uint64_t values[] = {
	0, 1, 127, 128, 129, 16383, 16384, 2097151, 2097152, 0xffffffff, 1ull << 35,
	(1ull << 42) - 1, 1ull << 49, (1ull << 56) - 1, 1ull << 56, 1ull << 62, 1ull << 63,
	UINT64_MAX,
};

#define VALUES (sizeof(values) / sizeof(values[0]))

TEST(test_varint_every_length_comes_back_by_both_readers)
{
	for (size_t i = 0; i < VALUES; i++) {
		uint8_t bytes[VARINT_MAX + 16];
		uint64_t v;

		memset(bytes, 0xff, sizeof(bytes));
		uint8_t *end = varint_put(bytes, values[i]);

		assert_true(end - bytes <= VARINT_MAX);
		assert_ptr_equal(varint_get(bytes, end, &v), end);
		assert_true(v == values[i]);
		assert_ptr_equal(varint_get_fast(bytes, end, &v), end);
		assert_true(v == values[i]);
		/* and with other bytes behind it, where eight are read at once */
		assert_ptr_equal(varint_get_fast(bytes, bytes + sizeof(bytes), &v), end);
		assert_true(v == values[i]);
	}
}

TEST(test_varint_one_to_ten_bytes_as_documented)
{
	uint8_t bytes[VARINT_MAX];

	assert_int_equal(varint_put(bytes, 127) - bytes, 1);
	assert_int_equal(varint_put(bytes, 128) - bytes, 2);
	assert_int_equal(bytes[0], 0x80);
	assert_int_equal(bytes[1], 0x01);
	assert_int_equal(varint_put(bytes, UINT64_MAX) - bytes, 10);
}

TEST(test_varint_cut_number_is_refused)
{
	uint8_t bytes[VARINT_MAX];
	uint64_t v = 7;

	for (size_t i = 0; i < VALUES; i++) {
		uint8_t *end = varint_put(bytes, values[i]);

		for (uint8_t *cut = bytes; cut < end; cut++) {
			assert_null(varint_get(bytes, cut, &v));
			assert_null(varint_get_fast(bytes, cut, &v));
			assert_true(v == 0);
		}
	}
}

TEST(test_varint_more_than_64_bits_is_refused)
{
	uint8_t bytes[16];
	uint64_t v;

	memset(bytes, 0x80, sizeof(bytes));
	assert_null(varint_get(bytes, bytes + sizeof(bytes), &v));
	assert_null(varint_get_fast(bytes, bytes + sizeof(bytes), &v));
	memset(bytes, 0xff, sizeof(bytes));
	bytes[9] = 2;
	assert_null(varint_get(bytes, bytes + sizeof(bytes), &v));
	assert_null(varint_get_fast(bytes, bytes + sizeof(bytes), &v));
}

TEST(test_varint_both_readers_agree_on_any_bytes)
{
	uint64_t seed = 88172645463325252u;

	for (int i = 0; i < 200000; i++) {
		uint8_t bytes[16];
		uint64_t a = 1, b = 2;

		for (size_t k = 0; k < sizeof(bytes); k += 8) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			memcpy(bytes + k, &seed, 8);
		}
		assert_ptr_equal(varint_get(bytes, bytes + 16, &a),
				 varint_get_fast(bytes, bytes + 16, &b));
		assert_true(a == b);
	}
}

TEST(test_zigzag_keeps_small_numbers_small_and_comes_back)
{
	const int64_t numbers[] = { 0, -1, 1, -2, 63, -64, INT64_MAX, INT64_MIN };

	assert_int_equal(zigzag(0), 0);
	assert_int_equal(zigzag(-1), 1);
	assert_int_equal(zigzag(1), 2);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		assert_true(unzigzag(zigzag(numbers[i])) == numbers[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_varint_every_length_comes_back_by_both_readers),
		cmocka_unit_test(test_varint_one_to_ten_bytes_as_documented),
		cmocka_unit_test(test_varint_cut_number_is_refused),
		cmocka_unit_test(test_varint_more_than_64_bits_is_refused),
		cmocka_unit_test(test_varint_both_readers_agree_on_any_bytes),
		cmocka_unit_test(test_zigzag_keeps_small_numbers_small_and_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
