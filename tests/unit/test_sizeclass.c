/*
 * test_sizeclass.c - the classes against glibc's own macros, and against blocks
 * that glibc's malloc hands out here.
 */
#include "model/sizeclass.h"

#include <gnu/libc-version.h>
#include <malloc.h>
#include <stdlib.h>

#include "test.h"

/* malloc/malloc.c of glibc 2.36, MALLOC_ALIGNMENT 16 */
static unsigned largebin_index_64(unsigned long size)
{
	return size >> 6 <= 48 ? 48 + (size >> 6) :
	       size >> 9 <= 20 ? 91 + (size >> 9) :
	       size >> 12 <= 10 ? 110 + (size >> 12) :
	       size >> 15 <= 4 ? 119 + (size >> 15) :
	       size >> 18 <= 2 ? 124 + (size >> 18) : 126;
}

TEST(test_size_class_boundaries_are_those_of_the_bins)
{
	unsigned last_bin = 0;
	uint32_t last_order = 0;

	for (uint64_t request = 0; request < 1 << 20; request++) {
		struct size_class c = size_class_of(request, 0);
		uint64_t chunk = size_class_chunk(request);
		/* chunks that tcache takes are told apart from others of their bin */
		unsigned bin = (chunk < 1024 ? (unsigned)chunk >> 4 :
				largebin_index_64(chunk)) * 2 + (chunk > 1040);

		assert_true(c.min_request <= request && request <= c.max_request);
		assert_true(c.min_chunk <= chunk && chunk <= c.max_chunk);
		assert_int_equal(c.in_tcache, chunk <= 1040);
		if (request)
			assert_int_equal(bin != last_bin, c.order != last_order);
		assert_true(c.order >= last_order);
		last_bin = bin;
		last_order = c.order;
	}
}

TEST(test_size_class_chunk_is_what_malloc_uses)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	print_message("another malloc is in place\n");
#else
	for (size_t request = 0; request < 100000; request += 7) {
		void *p = malloc(request);

		/* a larger chunk may be handed out whole where the rest is too small */
		assert_in_range(malloc_usable_size(p) + 8, size_class_chunk(request),
				size_class_chunk(request) + 16);
		free(p);
	}
#endif
}

TEST(test_size_class_mapped_begins_at_131049_bytes)
{
	struct size_class below = size_class_of(131048, SIZE_CLASS_MMAP_THRESHOLD);
	struct size_class above = size_class_of(131049, SIZE_CLASS_MMAP_THRESHOLD);

	assert_int_equal(below.bin, BIN_LARGE);
	assert_int_equal(below.max_request, 131048);
	assert_int_equal(above.bin, BIN_MAPPED);
	assert_int_equal(above.min_request, 131049);
	assert_int_equal(size_class_of(UINT64_MAX, SIZE_CLASS_MMAP_THRESHOLD).bin, BIN_MAPPED);
	assert_int_equal(size_class_of(1 << 20, 0).bin, BIN_LARGE);
}

TEST(test_size_class_names_are_glibcs)
{
	assert_string_equal(size_class_bin_name(BIN_FAST), "fast");
	assert_int_equal(size_class_of(24, 0).bin, BIN_FAST);
	assert_int_equal(size_class_of(120, 0).bin, BIN_FAST);
	assert_int_equal(size_class_of(121, 0).bin, BIN_SMALL);
	assert_int_equal(size_class_of(1000, 0).bin, BIN_SMALL);
	assert_int_equal(size_class_of(1001, 0).bin, BIN_LARGE);
	assert_string_equal(size_class_bin_name(BIN_COUNT), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size_class_boundaries_are_those_of_the_bins),
		cmocka_unit_test(test_size_class_chunk_is_what_malloc_uses),
		cmocka_unit_test(test_size_class_mapped_begins_at_131049_bytes),
		cmocka_unit_test(test_size_class_names_are_glibcs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
