/*
 * test_block.c - class and usable size of blocks, against malloc_usable_size and
 * what the request must lead to.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>

#include "block.h"
#include "real.h"
#include "test.h"

/* A sanitizer's allocator is foreign: the tests of glibc's blocks have no subject there. */
#define NEED_GLIBC() do { \
	if (!block_init()) \
		return; \
} while (0)

static int resolve(void **state)
{
	(void)state;
	real_resolve();
	return 0;
}

/* The compiler knows what malloc gives and warns of looking before it. */
static struct block look(void *volatile p)
{
	return block_read(p);
}

TEST(test_block_of_the_heap_has_the_usable_size_that_malloc_says)
{
	NEED_GLIBC();
	assert_true(block_is_glibc);
	for (size_t size = 0; size < 5000; size += 7) {
		void *p = malloc(size);
		struct block b = look(p);

		assert_int_equal(b.cls, CLASS_HEAP);
		assert_int_equal(b.usable, malloc_usable_size(p));
		assert_true(b.usable >= size);
		free(p);
	}
}

TEST(test_block_of_exact_rule_needs_no_usable_size_in_the_record)
{
	struct block b;
	void *p;

	NEED_GLIBC();
	p = malloc(1000);
	b = look(p);

	/* a fresh block from the top of the heap is never larger than the rule */
	assert_int_equal(b.usable, usable_rule(1000, CLASS_HEAP));
	free(p);
}

TEST(test_block_with_a_mapping_of_its_own_is_mapped)
{
	size_t size = 40u << 20;
	struct block b;
	void *p;

	NEED_GLIBC();
	p = malloc(size);
	b = look(p);
	assert_int_equal(b.cls, CLASS_MAPPED);
	assert_int_equal(b.usable, malloc_usable_size(p));
	assert_int_equal(b.usable, usable_rule(size, CLASS_MAPPED));
	free(p);
}

TEST(test_block_that_is_aligned_and_mapped_has_its_own_usable_size)
{
	void *p = NULL;

	NEED_GLIBC();
	assert_int_equal(posix_memalign(&p, 1u << 20, 40u << 20), 0);
	assert_int_equal(look(p).cls, CLASS_MAPPED);
	assert_int_equal(look(p).usable, malloc_usable_size(p));
	free(p);
}

static void *in_thread(void *unused)
{
	(void)unused;
	return malloc(3000);
}

TEST(test_block_of_another_threads_arena_is_of_class_arena)
{
	pthread_t thread;
	void *p;

	NEED_GLIBC();
	mallopt(M_ARENA_MAX, 8);
	pthread_create(&thread, NULL, in_thread, NULL);
	pthread_join(thread, &p);
	assert_int_equal(look(p).cls, CLASS_ARENA);
	assert_int_equal(look(p).usable, malloc_usable_size(p));
	free(p);
}

TEST(test_block_of_an_unknown_allocator_is_foreign_with_its_own_answer)
{
	void *p = malloc(100);

	block_is_glibc = false;
	assert_int_equal(look(p).cls, CLASS_FOREIGN);
	assert_int_equal(look(p).usable, malloc_usable_size(p));
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_block_of_the_heap_has_the_usable_size_that_malloc_says),
		cmocka_unit_test(test_block_of_exact_rule_needs_no_usable_size_in_the_record),
		cmocka_unit_test(test_block_with_a_mapping_of_its_own_is_mapped),
		cmocka_unit_test(test_block_that_is_aligned_and_mapped_has_its_own_usable_size),
		cmocka_unit_test(test_block_of_another_threads_arena_is_of_class_arena),
		cmocka_unit_test(test_block_of_an_unknown_allocator_is_foreign_with_its_own_answer),
	};

	return cmocka_run_group_tests(tests, resolve, NULL);
}
