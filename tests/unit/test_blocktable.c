/* test_blocktable.c - the table against a plain array, and its corners. */
#include "model/blocktable.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static uint64_t random_state = 88172645463325252u;

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

TEST(test_blocktable_inserted_block_is_found_and_removed_once)
{
	struct blocktable t = { 0 };
	struct block old;

	blocktable_insert(&t, 0x1000)->size = 42;
	assert_null(blocktable_insert(&t, 0x1000));
	assert_null(blocktable_find(&t, 0x1008));
	assert_int_equal(blocktable_find(&t, 0x1000)->size, 42);
	assert_true(blocktable_remove(&t, 0x1000, &old));
	assert_int_equal(old.size, 42);
	assert_int_equal(old.addr, 0x1000);
	assert_false(blocktable_remove(&t, 0x1000, &old));
	assert_int_equal(t.count, 0);
	blocktable_release(&t);
}

TEST(test_blocktable_empty_table_has_nothing)
{
	struct blocktable t = { 0 };
	struct block old;
	uint32_t cursor = 0;

	assert_null(blocktable_find(&t, 16));
	assert_false(blocktable_remove(&t, 16, &old));
	assert_null(blocktable_next(&t, &cursor));
	blocktable_release(&t);
}

/* Addresses ADDR + i * STEP, many inserted and removed at random: the table knows which. */
static void check_against_array(uint64_t addr, uint64_t step, size_t places)
{
	struct blocktable t = { 0 };
	bool *is_live = calloc(places, sizeof(*is_live));
	size_t count = 0, visited = 0;
	uint32_t cursor = 0;
	const struct block *b;
	struct block old;

	for (size_t i = 0; i < places * 8; i++) {
		size_t at = random_next() % places;
		uint64_t a = addr + at * step;

		if (is_live[at]) {
			if (i & 1)
				assert_null(blocktable_insert(&t, a));
			assert_int_equal(blocktable_find(&t, a)->size, at);
			assert_true(blocktable_remove(&t, a, &old));
			assert_int_equal(old.size, at);
			count--;
		} else {
			struct block *n = blocktable_insert(&t, a);

			assert_non_null(n);
			n->size = at;
			count++;
		}
		is_live[at] = !is_live[at];
		assert_int_equal(t.count, count);
	}
	while ((b = blocktable_next(&t, &cursor))) {
		assert_true(is_live[b->size]);
		assert_int_equal(b->addr, addr + b->size * step);
		visited++;
	}
	assert_int_equal(visited, count);
	for (size_t at = 0; at < places; at++)
		assert_int_equal(blocktable_remove(&t, addr + at * step, &old), is_live[at]);
	for (size_t i = 0; i < (size_t)1 << (64 - t.shift); i++)
		assert_int_equal(t.buckets[i].passed, 0);
	blocktable_release(&t);
	free(is_live);
}

TEST(test_blocktable_dense_small_blocks_agree_with_an_array)
{
	check_against_array(0x55d0c0a2a2a0, 32, 20000);
}

TEST(test_blocktable_blocks_of_a_mebibyte_agree_with_an_array)
{
	check_against_array(0x7f0000000010, 1 << 20, 20000);
}

TEST(test_blocktable_odd_addresses_agree_with_an_array)
{
	check_against_array(1, 1, 5000);
}

TEST(test_blocktable_addresses_at_the_end_of_the_range_agree_with_an_array)
{
	check_against_array(UINT64_MAX - 16 * 999, 16, 1000);
}

TEST(test_blocktable_grows_over_several_chunks)
{
	const uint32_t count = 3 * CHUNK_PLACES;
	struct blocktable t = { 0 };
	struct block old;

	for (uint32_t i = 1; i <= count; i++)
		blocktable_insert(&t, (uint64_t)i * 48)->size = i;
	for (uint32_t i = 1; i <= count; i++)
		assert_int_equal(blocktable_find(&t, (uint64_t)i * 48)->size, i);
	for (uint32_t i = count; i > 0; i--)
		assert_true(blocktable_remove(&t, (uint64_t)i * 48, &old));
	assert_int_equal(t.count, 0);
	blocktable_release(&t);
}

TEST(test_blocktable_frozen_table_still_lists_its_blocks)
{
	struct blocktable t = { 0 };
	uint32_t cursor = 0;

	for (uint64_t i = 1; i <= 1000; i++)
		blocktable_insert(&t, i * 16)->size = i;
	blocktable_freeze(&t);
	assert_null(blocktable_find(&t, 16));
	assert_int_equal(blocktable_next(&t, &cursor)->size, 1);
	/* a late event finds a table that works again */
	assert_non_null(blocktable_insert(&t, 5));
	assert_int_equal(blocktable_find(&t, 16)->size, 1);
	blocktable_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocktable_inserted_block_is_found_and_removed_once),
		cmocka_unit_test(test_blocktable_empty_table_has_nothing),
		cmocka_unit_test(test_blocktable_dense_small_blocks_agree_with_an_array),
		cmocka_unit_test(test_blocktable_blocks_of_a_mebibyte_agree_with_an_array),
		cmocka_unit_test(test_blocktable_odd_addresses_agree_with_an_array),
		cmocka_unit_test(test_blocktable_addresses_at_the_end_of_the_range_agree_with_an_array),
		cmocka_unit_test(test_blocktable_grows_over_several_chunks),
		cmocka_unit_test(test_blocktable_frozen_table_still_lists_its_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
