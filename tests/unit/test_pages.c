/*
 * test_pages.c - large arrays: what was written stays, what is new is zero, on
 * either side of the size from which pages come from the kernel itself.
 */
#include "base/pages.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "test.h"

#define MIB ((size_t)1 << 20)

static bool is_filled(const uint8_t *p, uint8_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (p[i] != value)
			return false;
	return true;
}

TEST(test_pages_new_memory_is_zero_and_begins_a_cache_line)
{
	const size_t sizes[] = { 0, 1, 64, 5000, 2 * MIB - 1, 2 * MIB, 2 * MIB + 1, 7 * MIB };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *p = pages_new(sizes[i]);

		assert_int_equal((uintptr_t)p % 64, 0);
		assert_true(is_filled(p, 0, sizes[i]));
		memset(p, 1, sizes[i]);
		pages_free(p, sizes[i]);
	}
}

TEST(test_pages_growing_keeps_the_old_bytes_and_zeroes_the_new)
{
	const size_t sizes[] = { 100, 100, 4096, MIB, 2 * MIB, 3 * MIB, 4 * MIB, 17 * MIB,
				 40 * MIB };
	uint8_t *p = NULL;
	size_t had = 0;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		p = pages_grow(p, had, sizes[i]);
		assert_true(is_filled(p, 0x5a, had));
		assert_true(is_filled(p + had, 0, sizes[i] - had));
		memset(p, 0x5a, sizes[i]);
		had = sizes[i];
	}
	pages_free(p, had);
}

TEST(test_pages_array_moves_on_when_its_neighbour_is_in_the_way)
{
	uint8_t *a = pages_new(2 * MIB), *b = pages_new(2 * MIB), *c = pages_new(2 * MIB);

	memset(a, 1, 2 * MIB);
	memset(b, 2, 2 * MIB);
	memset(c, 3, 2 * MIB);
	b = pages_grow(b, 2 * MIB, 8 * MIB);
	assert_int_equal((uintptr_t)b % (2 * MIB), 0);
	assert_true(is_filled(a, 1, 2 * MIB));
	assert_true(is_filled(b, 2, 2 * MIB));
	assert_true(is_filled(b + 2 * MIB, 0, 6 * MIB));
	assert_true(is_filled(c, 3, 2 * MIB));
	pages_free(a, 2 * MIB);
	pages_free(b, 8 * MIB);
	pages_free(c, 2 * MIB);
}

TEST(test_pages_extend_makes_room_for_one_more_than_count)
{
	uint64_t *array = NULL;
	size_t capacity = 0;

	for (size_t i = 0; i < 600000; i++) {
		pages_extend(&array, &capacity, i, sizeof(*array));
		assert_true(capacity > i);
		assert_int_equal(array[i], 0);
		array[i] = i * 3;
	}
	for (size_t i = 0; i < 600000; i++)
		assert_int_equal(array[i], i * 3);
	pages_free(array, capacity * sizeof(*array));
}

TEST(test_pages_free_of_nothing_is_allowed)
{
	pages_free(NULL, 0);
	pages_free(NULL, 8 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages_new_memory_is_zero_and_begins_a_cache_line),
		cmocka_unit_test(test_pages_growing_keeps_the_old_bytes_and_zeroes_the_new),
		cmocka_unit_test(test_pages_array_moves_on_when_its_neighbour_is_in_the_way),
		cmocka_unit_test(test_pages_extend_makes_room_for_one_more_than_count),
		cmocka_unit_test(test_pages_free_of_nothing_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
