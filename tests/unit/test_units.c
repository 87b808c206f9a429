/*
 * test_units.c - numbers as text and back.
 */
#include "test.h"

#include "base/units.h"

static char buffer[UNITS_MAX];

TEST(test_count_is_grouped_by_thousands)
{
	assert_string_equal(units_count(buffer, 0), "0");
	assert_string_equal(units_count(buffer, 999), "999");
	assert_string_equal(units_count(buffer, 1000), "1,000");
	assert_string_equal(units_count(buffer, 1234567), "1,234,567");
	assert_string_equal(units_count(buffer, UINT64_MAX), "18,446,744,073,709,551,615");
}

TEST(test_bytes_below_a_kibibyte_are_exact)
{
	assert_string_equal(units_bytes(buffer, 0), "0 B");
	assert_string_equal(units_bytes(buffer, 992), "992 B");
	assert_string_equal(units_bytes(buffer, 1023), "1023 B");
	assert_string_equal(units_bytes(buffer, 1024), "1.0 KiB");
}

TEST(test_bytes_that_would_round_to_1024_take_the_next_unit)
{
	assert_string_equal(units_bytes(buffer, (1 << 20) - 1), "1.0 MiB");
	assert_string_equal(units_bytes(buffer, 155u << 20), "155.0 MiB");
	assert_string_equal(units_bytes(buffer, UINT64_MAX), "16.0 EiB");
}

TEST(test_durations_take_a_fitting_unit)
{
	assert_string_equal(units_ns(buffer, 0), "0 s");
	assert_string_equal(units_ns(buffer, 870), "870 ns");
	assert_string_equal(units_ns(buffer, 12300), "12.3 us");
	assert_string_equal(units_ns(buffer, 4560000), "4.56 ms");
	assert_string_equal(units_ns(buffer, 1234000000), "1.234 s");
	assert_string_equal(units_ns(buffer, 123000000000u), "2 min 03 s");
	assert_string_equal(units_ns(buffer, 11100000000000u), "3 h 05 min");
	assert_string_equal(units_ns(buffer, 999700000), "1.000 s");
}

TEST(test_percent_of_nothing_is_a_dash)
{
	assert_string_equal(units_percent(buffer, 1, 8), "12.5 %");
	assert_string_equal(units_percent(buffer, 0, 0), "-");
}

static void check_bytes(const char *text, uint64_t expected)
{
	uint64_t v = 0;

	assert_int_equal(units_parse_bytes(text, &v), 0);
	assert_int_equal(v, expected);
}

TEST(test_sizes_are_read_with_and_without_unit)
{
	check_bytes("0", 0);
	check_bytes("4096", 4096);
	check_bytes("64K", 65536);
	check_bytes("64kib", 65536);
	check_bytes("1.5M", 1572864);
	check_bytes("2 GiB", 2147483648u);
	check_bytes("9007199254740993", 9007199254740993u);
	check_bytes("9007199254740993B", 9007199254740993u);
	check_bytes("18446744073709551615", UINT64_MAX);
}

TEST(test_words_that_are_no_size_are_refused)
{
	static const char *const bad[] = { "", "x", "-1", "1Q", "K", "0x10", "1e", "inf", "nan",
					   "1K1", "99999999999T", " 1", "18446744073709551616" };
	uint64_t v;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(units_parse_bytes(bad[i], &v), -1);
}

TEST(test_durations_are_read_in_seconds_unless_a_unit_is_given)
{
	uint64_t v;

	assert_int_equal(units_parse_ns("1.5", &v), 0);
	assert_int_equal(v, 1500000000);
	assert_int_equal(units_parse_ns("250ms", &v), 0);
	assert_int_equal(v, 250000000);
	assert_int_equal(units_parse_ns("2 min", &v), 0);
	assert_int_equal(v, 120000000000u);
	assert_int_equal(units_parse_ns("17ns", &v), 0);
	assert_int_equal(v, 17);
	assert_int_equal(units_parse_ns("soon", &v), -1);
}

TEST(test_whole_numbers_are_rounded_and_clamped)
{
	assert_int_equal(units_whole(2.5), 3);
	assert_int_equal(units_whole(-1), 0);
	assert_int_equal(units_whole(0.0 / 0.0), 0);
	assert_true(units_whole(1e30) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_count_is_grouped_by_thousands),
		cmocka_unit_test(test_bytes_below_a_kibibyte_are_exact),
		cmocka_unit_test(test_bytes_that_would_round_to_1024_take_the_next_unit),
		cmocka_unit_test(test_durations_take_a_fitting_unit),
		cmocka_unit_test(test_percent_of_nothing_is_a_dash),
		cmocka_unit_test(test_sizes_are_read_with_and_without_unit),
		cmocka_unit_test(test_words_that_are_no_size_are_refused),
		cmocka_unit_test(test_whole_numbers_are_rounded_and_clamped),
		cmocka_unit_test(test_durations_are_read_in_seconds_unless_a_unit_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
