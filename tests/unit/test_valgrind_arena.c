/*
 * test_valgrind_arena.c - the room that valgrind's allocator gives. The figures were
 * measured with valgrind 3.19: mem_heap_B + mem_heap_extra_B of programs that do the
 * same. tests/oracle/test_massif.c compares whole programs.
 */
#include "test.h"

#include <stdlib.h>

#include "model/valgrind_arena.h"

static uint64_t added(struct valgrind_arena *a, uint64_t addr, uint64_t alignment, uint64_t size)
{
	uint64_t before = valgrind_arena_measure(a);

	valgrind_arena_acquire(a, addr, alignment, size);
	return valgrind_arena_measure(a) - before;
}

TEST(test_sizes_are_rounded_up_to_16_and_8_are_added)
{
	struct valgrind_arena *a = valgrind_arena_new();

	assert_int_equal(added(a, 1, 0, 0), 8);
	assert_int_equal(added(a, 2, 0, 1), 24);
	assert_int_equal(added(a, 3, 0, 16), 24);
	assert_int_equal(added(a, 4, 0, 17), 40);
	assert_int_equal(valgrind_arena_measure(a), 96);
	valgrind_arena_free(a);
}

TEST(test_a_hole_of_16_bytes_more_is_given_whole)
{
	struct valgrind_arena *a = valgrind_arena_new();

	added(a, 1, 0, 48);
	added(a, 2, 0, 16);
	valgrind_arena_release(a, 1);
	/* 80 bytes with overhead are free; 64 are needed, and 16 make no piece */
	assert_int_equal(added(a, 3, 0, 32), 56);
	valgrind_arena_release(a, 3);
	/* of 80 bytes 48 are needed: 32 are a piece of their own, without room */
	assert_int_equal(added(a, 4, 0, 16), 24);
	valgrind_arena_free(a);
}

TEST(test_free_neighbours_become_one)
{
	struct valgrind_arena *a = valgrind_arena_new();

	for (uint64_t i = 1; i <= 4; i++)
		added(a, i, 0, 16);
	for (uint64_t i = 1; i <= 3; i++)
		valgrind_arena_release(a, i);
	/* 3 * 48 = 144 bytes: room for 112, and so for 96 with 16 too many */
	assert_int_equal(added(a, 5, 0, 96), 112 + 8);
	valgrind_arena_free(a);
}

TEST(test_large_blocks_are_whole_pages)
{
	struct valgrind_arena *a = valgrind_arena_new();

	assert_int_equal(added(a, 1, 0, 40000000), 40001472 + 8);
	assert_int_equal(valgrind_room(40000000), 40001472);
	assert_int_equal(added(a, 2, 0, VALGRIND_SPLIT_MAX), VALGRIND_SPLIT_MAX + 8);
	assert_int_equal(valgrind_room(VALGRIND_SPLIT_MAX), VALGRIND_SPLIT_MAX);
	assert_true(valgrind_room(VALGRIND_SPLIT_MAX + 1) > VALGRIND_SPLIT_MAX + 16);
	valgrind_arena_release(a, 1);
	valgrind_arena_release(a, 2);
	assert_int_equal(valgrind_arena_measure(a), 0);
	valgrind_arena_free(a);
}

TEST(test_realloc_stays_where_it_fits)
{
	struct valgrind_arena *a = valgrind_arena_new();

	added(a, 1, 0, 500);
	valgrind_arena_resize(a, 1, 1, 100);
	assert_int_equal(valgrind_arena_measure(a), 520);
	valgrind_arena_resize(a, 1, 9, 512);
	assert_int_equal(valgrind_arena_measure(a), 520);
	valgrind_arena_resize(a, 9, 1, 513);
	assert_int_equal(valgrind_arena_measure(a), 536);
	valgrind_arena_release(a, 9);
	assert_int_equal(valgrind_arena_measure(a), 536);
	valgrind_arena_release(a, 1);
	assert_int_equal(valgrind_arena_measure(a), 0);
	valgrind_arena_free(a);
}

TEST(test_aligned_blocks_keep_what_is_behind_them)
{
	struct valgrind_arena *a = valgrind_arena_new();

	/* 16 + 32 + 64 bytes are taken at 0x20 of a page; the block is at the next 64 behind two headers */
	assert_int_equal(added(a, 1, 64, 16) % 16, 8);
	assert_true(added(a, 2, 4096, 16) >= 24);
	valgrind_arena_release(a, 1);
	valgrind_arena_release(a, 2);
	assert_int_equal(valgrind_arena_measure(a), 0);
	valgrind_arena_free(a);
}

TEST(test_nothing_that_a_program_does_breaks_it)
{
	enum { BLOCKS = 500 };
	struct valgrind_arena *a = valgrind_arena_new();
	uint64_t most = 0;

	srand(3);
	for (int i = 0; i < 100000; i++) {
		uint64_t addr = 1 + (uint64_t)rand() % BLOCKS, other = 1 + (uint64_t)rand() % BLOCKS;
		uint64_t size = rand() % 50 ? (uint64_t)rand() % 3000 : (uint64_t)rand() % 9000000;

		switch (rand() % 4) {
		case 0:
			valgrind_arena_acquire(a, addr, rand() % 5 ? 0 : 32u << rand() % 8, size);
			break;
		case 1:
			valgrind_arena_resize(a, addr, rand() % 2 ? other : addr, size);
			break;
		default:
			valgrind_arena_release(a, addr);
			break;
		}
		if (valgrind_arena_measure(a) > most)
			most = valgrind_arena_measure(a);
	}
	valgrind_arena_acquire(a, 0, 0, 10);
	valgrind_arena_acquire(a, 7, UINT64_MAX, 10);
	valgrind_arena_acquire(a, 8, 3, UINT64_MAX);
	for (uint64_t i = 1; i <= BLOCKS; i++)
		valgrind_arena_release(a, i);
	assert_int_equal(valgrind_arena_measure(a), 0);
	assert_true(most > 1000000);
	valgrind_arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes_are_rounded_up_to_16_and_8_are_added),
		cmocka_unit_test(test_a_hole_of_16_bytes_more_is_given_whole),
		cmocka_unit_test(test_free_neighbours_become_one),
		cmocka_unit_test(test_large_blocks_are_whole_pages),
		cmocka_unit_test(test_realloc_stays_where_it_fits),
		cmocka_unit_test(test_aligned_blocks_keep_what_is_behind_them),
		cmocka_unit_test(test_nothing_that_a_program_does_breaks_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
