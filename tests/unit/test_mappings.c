/* test_mappings.c - ranges against an array of pages. */
#include "model/mappings.h"

#include <stdlib.h>

#include "test.h"

#define PAGES 64

TEST(test_mappings_part_taken_leaves_both_sides)
{
	struct mappings m = { 0 };
	struct mapping_pieces pieces = { 0 };

	mappings_add(&m, 0, 10, 1, 0, 0);
	mappings_take(&m, 3, 5, &pieces);
	assert_int_equal(m.count, 2);
	assert_int_equal(pieces.count, 1);
	assert_int_equal(pieces.items[0].start, 3);
	assert_int_equal(pieces.items[0].end, 5);
	assert_int_equal(pieces.items[0].mapping->bytes_left, 10);
	assert_false(mapping_piece_end(&pieces.items[0]));
	pieces.count = 0;
	mappings_take(&m, 0, 100, &pieces);
	assert_int_equal(pieces.count, 2);
	assert_false(mapping_piece_end(&pieces.items[0]));
	assert_true(mapping_piece_end(&pieces.items[1]));
	assert_int_equal(m.count, 0);
	free(pieces.items);
	mappings_release(&m);
}

TEST(test_mappings_restored_pieces_are_there_again)
{
	int ended = 0;
	struct mappings m = { 0 };
	struct mapping_pieces pieces = { 0 };

	mappings_add(&m, 0, 10, 1, 7, 0);
	mappings_add(&m, 20, 30, 1, 8, 0);
	mappings_take(&m, 5, 25, &pieces);
	assert_int_equal(pieces.count, 2);
	mappings_restore(&m, &pieces);
	assert_int_equal(pieces.count, 0);
	mappings_take(&m, 0, 100, &pieces);
	assert_int_equal(pieces.count, 4);
	for (size_t i = 0; i < 4; i++)
		ended += mapping_piece_end(&pieces.items[i]);
	assert_int_equal(ended, 2);
	free(pieces.items);
	mappings_release(&m);
}

TEST(test_mappings_restored_piece_leaves_what_others_took_meanwhile)
{
	struct mappings m = { 0 };
	struct mapping_pieces pieces = { 0 };

	mappings_add(&m, 0, 10, 1, 7, 0);
	mappings_take(&m, 0, 10, &pieces);
	mappings_add(&m, 4, 6, 1, 8, 0);
	mappings_restore(&m, &pieces);
	assert_int_equal(m.count, 3);
	mappings_take(&m, 4, 6, &pieces);
	assert_int_equal(pieces.count, 1);
	assert_int_equal(pieces.items[0].mapping->site, 8);
	assert_true(mapping_piece_end(&pieces.items[0]));
	free(pieces.items);
	mappings_release(&m);
}

static void mark_pages(const struct mapping_piece *range, void *ctx)
{
	site_id *pages = ctx;

	for (uint64_t p = range->start; p < range->end; p++) {
		assert_int_equal(pages[p], 0);
		pages[p] = range->mapping->site;
	}
}

TEST(test_mappings_agree_with_an_array_of_pages)
{
	struct mappings m = { 0 };
	struct mapping_pieces pieces = { 0 };
	site_id expected[PAGES] = { 0 };

	srandom(1);
	for (site_id i = 1; i < 3000; i++) {
		uint64_t start = (uint64_t)random() % PAGES;
		uint64_t end = start + 1 + (uint64_t)random() % (PAGES - start);
		bool is_map = random() & 1;
		site_id seen[PAGES] = { 0 };
		uint64_t taken = 0;

		mappings_take(&m, start, end, &pieces);
		for (size_t p = 0; p < pieces.count; p++) {
			taken += pieces.items[p].end - pieces.items[p].start;
			mapping_piece_end(&pieces.items[p]);
		}
		pieces.count = 0;
		for (uint64_t p = start; p < end; p++) {
			taken -= expected[p] != 0;
			expected[p] = is_map ? i : 0;
		}
		assert_int_equal(taken, 0);
		if (is_map)
			mappings_add(&m, start, end, i, i, 0);
		mappings_each(&m, mark_pages, seen);
		assert_memory_equal(seen, expected, sizeof(seen));
	}
	free(pieces.items);
	mappings_release(&m);
}

static site_id plus_hundred(site_id from, void *ctx)
{
	(void)ctx;
	return from + 100;
}

TEST(test_mappings_copy_is_independent_and_keeps_parts_together)
{
	struct mappings m = { 0 }, copy = { 0 };
	struct mapping_pieces pieces = { 0 };

	mappings_add(&m, 0, 10, 1, 7, 0);
	mappings_take(&m, 4, 5, &pieces);
	assert_false(mapping_piece_end(&pieces.items[0]));
	pieces.count = 0;
	mappings_copy(&copy, &m, plus_hundred, NULL);
	mappings_release(&m);
	mappings_take(&copy, 0, 10, &pieces);
	assert_int_equal(pieces.count, 2);
	assert_int_equal(pieces.items[0].mapping->site, 107);
	assert_false(mapping_piece_end(&pieces.items[0]));
	assert_true(mapping_piece_end(&pieces.items[1]));
	free(pieces.items);
	mappings_release(&copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mappings_part_taken_leaves_both_sides),
		cmocka_unit_test(test_mappings_restored_pieces_are_there_again),
		cmocka_unit_test(test_mappings_restored_piece_leaves_what_others_took_meanwhile),
		cmocka_unit_test(test_mappings_agree_with_an_array_of_pages),
		cmocka_unit_test(test_mappings_copy_is_independent_and_keeps_parts_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
