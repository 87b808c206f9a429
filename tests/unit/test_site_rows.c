/*
 * test_site_rows.c - the first rows of many are the same as those of a whole sort.
 */
#include "test.h"

#include <stdlib.h>

#include "forms/site_rows.h"
#include "trace/stacks.h"

static const struct column columns[] = { { .key = "peak_bytes", .type = COLUMN_BYTES } };

static uint64_t peak(const struct site_row *row, size_t column)
{
	(void)column;
	return row->peak.bytes;
}

/* COUNT rows in a scattered order, several of each value; kind tells them apart. */
static struct site_rows *make_rows(size_t count)
{
	struct site_rows *s = calloc(1, sizeof(*s));

	s->rows = calloc(count, sizeof(*s->rows));
	s->count = count;
	for (size_t i = 0; i < count; i++) {
		size_t n = i * 7919 % count; /* each once: 7919 is prime */

		s->rows[i].peak.bytes = n / 2;
		s->rows[i].kind = n % 2;
	}
	return s;
}

static void check(size_t count, size_t wanted)
{
	struct stacks *stacks = stacks_new();
	struct frame_tree *tree = frame_tree_new(NULL, NULL, stacks);
	struct sort_order order = { .keys = { { 0, false } }, .count = 1 };
	struct site_rows *all = make_rows(count), *some = make_rows(count);
	uint64_t sum = 0;

	site_rows_sort(all, tree, 0, &order, columns, peak);
	site_rows_sort(some, tree, wanted, &order, columns, peak);
	for (size_t i = 0; i < wanted; i++) {
		assert_int_equal(some->rows[i].peak.bytes, all->rows[i].peak.bytes);
		assert_int_equal(some->rows[i].kind, all->rows[i].kind);
	}
	/* none got lost */
	for (size_t i = 0; i < count; i++)
		sum += all->rows[i].peak.bytes - some->rows[i].peak.bytes;
	assert_int_equal(sum, 0);
	site_rows_free(all);
	site_rows_free(some);
	frame_tree_free(tree);
	stacks_free(stacks);
}

TEST(test_first_rows_of_many_are_those_of_a_whole_sort)
{
	check(1000, 20);
	check(1000, 1);
	check(1000, 120);
	check(10000, 7);
}

TEST(test_few_rows_are_sorted_whole)
{
	check(10, 9);
	check(10, 10);
	check(1, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_rows_of_many_are_those_of_a_whole_sort),
		cmocka_unit_test(test_few_rows_are_sorted_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
