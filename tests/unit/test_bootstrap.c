/*
 * test_bootstrap.c - the arena for calls that come before the real allocator.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap.h"
#include "test.h"

TEST(test_bootstrap_block_has_its_size_alignment_and_zeros)
{
	static const size_t alignments[] = { 1, 16, 24, 64, 4096 };

	for (size_t i = 0; i < 5; i++) {
		unsigned char *p = (unsigned char *)bootstrap_alloc(alignments[i], 100 + i);
		size_t power = 16;

		while (power < alignments[i])
			power *= 2;
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % power, 0);
		assert_int_equal(bootstrap_usable(p), 100 + i);
		assert_true(bootstrap_owns(p));
		for (size_t k = 0; k < 100 + i; k++)
			assert_int_equal(p[k], 0);
		memset(p, 0xff, 100 + i);
	}
}

#define BLOCKS 2000

/* Fills its blocks with its number, checks them all at the end. Returns non-null on damage. */
static void *race(void *seed)
{
	static __thread unsigned char *blocks[BLOCKS];
	unsigned char mine = (unsigned char)(long)seed;

	for (int i = 0; i < BLOCKS; i++) {
		blocks[i] = (unsigned char *)bootstrap_alloc(16, 1 + (size_t)i % 700);
		if (!blocks[i])
			return seed;
		memset(blocks[i], mine, 1 + (size_t)i % 700);
	}
	for (int i = 0; i < BLOCKS; i++)
		for (int k = 0; k < 1 + i % 700; k++)
			if (blocks[i][k] != mine)
				return seed;
	return NULL;
}

TEST(test_bootstrap_blocks_never_overlap_where_threads_race)
{
	enum { THREADS = 4 };
	pthread_t threads[THREADS];
	void *results[THREADS];

	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, race, (void *)(i + 1));
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &results[i]);
		assert_null(results[i]);
	}
}

TEST(test_bootstrap_block_larger_than_the_arena_comes_from_a_mapping)
{
	size_t size = 3 * BOOTSTRAP_BYTES;
	char *p = (char *)bootstrap_alloc(64, size);

	assert_non_null(p);
	assert_true(bootstrap_owns(p));
	assert_true(bootstrap_owns(p + size - 1));
	assert_int_equal(bootstrap_usable(p), size);
	p[0] = p[size - 1] = 1;
}

TEST(test_bootstrap_realloc_copies_what_fits_and_keeps_the_old_block)
{
	char *old = (char *)bootstrap_alloc(16, 10);
	char *larger, *smaller;

	memcpy(old, "123456789", 10);
	larger = (char *)bootstrap_realloc(old, 50);
	smaller = (char *)bootstrap_realloc(larger, 3);
	assert_string_equal(larger, "123456789");
	assert_memory_equal(smaller, "123", 3);
	assert_string_equal(old, "123456789");
	assert_non_null(bootstrap_realloc(NULL, 7));
}

TEST(test_bootstrap_impossible_size_fails_with_enomem)
{
	errno = 0;
	assert_null(bootstrap_alloc(16, SIZE_MAX));
	assert_int_equal(errno, ENOMEM);
	assert_null(bootstrap_alloc(16, (size_t)PTRDIFF_MAX));
	assert_null(bootstrap_alloc(SIZE_MAX / 2 + 1, 1));
}

TEST(test_bootstrap_foreign_pointer_is_not_owned)
{
	void *p = calloc(1, 10);
	int local = 0;

	assert_false(bootstrap_owns(p));
	assert_false(bootstrap_owns(&local));
	assert_false(bootstrap_owns(NULL));
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bootstrap_block_has_its_size_alignment_and_zeros),
		cmocka_unit_test(test_bootstrap_blocks_never_overlap_where_threads_race),
		cmocka_unit_test(test_bootstrap_block_larger_than_the_arena_comes_from_a_mapping),
		cmocka_unit_test(test_bootstrap_realloc_copies_what_fits_and_keeps_the_old_block),
		cmocka_unit_test(test_bootstrap_impossible_size_fails_with_enomem),
		cmocka_unit_test(test_bootstrap_foreign_pointer_is_not_owned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
