/* test_lifetimes.c - how long blocks lived, by group. */
#include "model/lifetimes.h"

#include <stdlib.h>

#include "test.h"

static const uint32_t own_row[] = { 0, 1, 2, 3 };

TEST(test_small_lives_are_exact)
{
	struct lifetimes *l = lifetimes_new();
	struct lifetime rows[2];

	for (uint64_t i = 0; i < 30; i++)
		lifetimes_add(l, 1, i, 1);
	lifetimes_rows(l, own_row, 2, rows, 2);
	assert_int_equal(rows[0].blocks, 0);
	assert_int_equal(rows[0].min, 0);
	assert_int_equal(rows[1].blocks, 30);
	assert_int_equal(rows[1].min, 0);
	assert_int_equal(rows[1].median, 14);
	assert_int_equal(rows[1].p99, 29);
	assert_int_equal(rows[1].max, 29);
	lifetimes_free(l);
}

TEST(test_one_life_is_itself_however_long)
{
	const uint64_t lives[] = { 0, 1, 31, 32, 33, 1000003, (uint64_t)1 << 40, UINT64_MAX };

	for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		struct lifetimes *l = lifetimes_new();
		struct lifetime row;

		lifetimes_add(l, 0, lives[i], 1);
		lifetimes_rows(l, own_row, 1, &row, 1);
		assert_int_equal(row.min, lives[i]);
		assert_int_equal(row.median, lives[i]);
		assert_int_equal(row.p99, lives[i]);
		assert_int_equal(row.max, lives[i]);
		lifetimes_free(l);
	}
}

static int compare_lives(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void close_to(uint64_t got, uint64_t exact)
{
	uint64_t off = got > exact ? got - exact : exact - got;

	if (off > exact / 64 + 1)
		fail_msg("%llu is not within 1/64 of %llu", (unsigned long long)got,
			 (unsigned long long)exact);
}

TEST(test_quantiles_are_within_a_64th_of_the_exact_ones)
{
	enum { COUNT = 10007 };
	static uint64_t lives[COUNT];
	struct lifetimes *l = lifetimes_new();
	struct lifetime row;
	uint64_t seed = 12345;

	for (size_t i = 0; i < COUNT; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		/* many magnitudes */
		lives[i] = (seed >> 33) >> (seed % 31);
		lifetimes_add(l, 0, lives[i], 1);
	}
	qsort(lives, COUNT, sizeof(lives[0]), compare_lives);
	lifetimes_rows(l, own_row, 1, &row, 1);
	assert_int_equal(row.blocks, COUNT);
	assert_int_equal(row.min, lives[0]);
	assert_int_equal(row.max, lives[COUNT - 1]);
	close_to(row.median, lives[(COUNT + 1) / 2 - 1]);
	close_to(row.p99, lives[(COUNT * 99 + 99) / 100 - 1]);
	lifetimes_free(l);
}

TEST(test_groups_of_one_row_add_up_and_others_are_left_out)
{
	const uint32_t row_of[] = { 1, LIFETIMES_NO_ROW, 1, 0 };
	struct lifetimes *l = lifetimes_new();
	struct lifetime rows[2];

	lifetimes_add(l, 0, 10, 1);
	lifetimes_add(l, 1, 5, 1);
	lifetimes_add(l, 2, 20, 3);
	lifetimes_add(l, 3, 7, 1);
	lifetimes_add(l, 9, 1, 1);
	lifetimes_rows(l, row_of, 4, rows, 2);
	assert_int_equal(rows[0].blocks, 1);
	assert_int_equal(rows[0].median, 7);
	assert_int_equal(rows[1].blocks, 4);
	assert_int_equal(rows[1].min, 10);
	assert_int_equal(rows[1].median, 20);
	assert_int_equal(rows[1].max, 20);
	lifetimes_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_lives_are_exact),
		cmocka_unit_test(test_one_life_is_itself_however_long),
		cmocka_unit_test(test_quantiles_are_within_a_64th_of_the_exact_ones),
		cmocka_unit_test(test_groups_of_one_row_add_up_and_others_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
