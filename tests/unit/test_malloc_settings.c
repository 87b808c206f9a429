/*
 * test_malloc_settings.c - glibc's parameters as the environment and mallopt set them,
 * and the rule by which frees move the threshold.
 */
#include "model/malloc_settings.h"

#include <string.h>

#include "test.h"

static struct malloc_settings initial(void)
{
	struct malloc_settings s;

	malloc_settings_init(&s, "glibc 2.42");
	return s;
}

TEST(test_glibc_begins_with_128_kib_and_moves)
{
	struct malloc_settings s = initial();

	assert_int_equal(s.value[SET_MMAP_THRESHOLD], 131072);
	assert_int_equal(s.value[SET_TRIM_THRESHOLD], 131072);
	assert_int_equal(s.value[SET_TOP_PAD], 131072);
	assert_true(s.is_dynamic);
}

TEST(test_smallest_mapped_request_is_that_whose_chunk_has_the_threshold)
{
	assert_int_equal(malloc_threshold_request(131072), 131049);
	assert_int_equal(malloc_threshold_request(135168), 135145);
	assert_int_equal(malloc_threshold_request(65536), 65513);
	/* chunks are multiples of 16: measured, 200000 is the next one */
	assert_int_equal(malloc_threshold_request(200000), 199977);
	assert_int_equal(malloc_threshold_request(199993), 199977);
	assert_int_equal(malloc_threshold_request(0), 0);
	assert_int_equal(malloc_threshold_request(32), 0);
	assert_int_equal(malloc_threshold_request(48), 25);
	assert_int_equal(malloc_threshold_request(UINT64_MAX), UINT64_MAX);
}

TEST(test_freeing_a_larger_mapping_moves_both_thresholds)
{
	struct malloc_settings s = initial();

	assert_false(malloc_settings_free(&s, 131072));
	assert_true(malloc_settings_free(&s, 135168));
	assert_int_equal(s.value[SET_MMAP_THRESHOLD], 135168);
	assert_int_equal(s.value[SET_TRIM_THRESHOLD], 270336);
	assert_false(malloc_settings_free(&s, 135168));
	assert_true(malloc_settings_free(&s, 32 << 20));
	assert_false(malloc_settings_free(&s, (32 << 20) + 4096));
}

TEST(test_any_of_four_settings_ends_the_moves)
{
	static const char *const keys[] = {
		"mallopt(M_MMAP_THRESHOLD)", "mallopt(M_TRIM_THRESHOLD)", "mallopt(M_TOP_PAD)",
		"mallopt(M_MMAP_MAX)", "MALLOC_TOP_PAD_",
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct malloc_settings s = initial();

		assert_true(malloc_settings_apply(&s, keys[i], "65536"));
		assert_false(s.is_dynamic);
		assert_false(malloc_settings_free(&s, 1 << 20));
	}
}

TEST(test_other_settings_do_not)
{
	struct malloc_settings s = initial();

	assert_true(malloc_settings_apply(&s, "GLIBC_TUNABLES", "glibc.malloc.tcache_count=0"));
	assert_true(malloc_settings_apply(&s, "MALLOC_ARENA_MAX", "2"));
	assert_false(malloc_settings_apply(&s, "mallopt(M_PERTURB)", "1"));
	assert_false(malloc_settings_apply(&s, "LD_PRELOAD", "x.so"));
	assert_true(s.is_dynamic);
	assert_int_equal(s.value[SET_TCACHE_COUNT], 0);
	assert_int_equal(s.value[SET_ARENA_MAX], 2);
}

TEST(test_tunables_are_a_list_in_any_base)
{
	struct malloc_settings s = initial();

	assert_true(malloc_settings_apply(&s, "GLIBC_TUNABLES",
		"glibc.malloc.check=1:glibc.malloc.mmap_threshold=0x10000:glibc.malloc.trim_threshold=4096"));
	assert_int_equal(s.value[SET_MMAP_THRESHOLD], 65536);
	assert_int_equal(s.value[SET_TRIM_THRESHOLD], 4096);
	assert_true(s.is_set[SET_MMAP_THRESHOLD]);
	assert_false(s.is_set[SET_TOP_PAD]);
}

TEST(test_minus_one_is_no_limit)
{
	struct malloc_settings s = initial();

	assert_true(malloc_settings_apply(&s, "mallopt(M_TRIM_THRESHOLD)", "-1"));
	assert_int_equal(s.value[SET_TRIM_THRESHOLD], UINT64_MAX);
}

TEST(test_what_is_no_number_changes_nothing)
{
	static const char *const values[] = {
		"", "x", "12x", "glibc.malloc.mmap_threshold", "glibc.malloc.mmap_threshold=",
		"glibc.malloc.mmap_threshold=128K", ":::",
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct malloc_settings s = initial();

		assert_false(malloc_settings_apply(&s, "GLIBC_TUNABLES", values[i]));
		assert_false(malloc_settings_apply(&s, "MALLOC_MMAP_THRESHOLD_", values[i]));
		assert_true(s.is_dynamic);
	}
}

TEST(test_older_glibc_reads_as_far_as_a_number_goes)
{
	static const struct { const char *text; uint64_t value; } values[] = {
		{ "glibc.malloc.mmap_threshold=128K", 128 }, { "glibc.malloc.mmap_threshold=", 0 },
		{ "glibc.malloc.mmap_threshold=x:glibc.malloc.check=1", 0 },
		{ "glibc.malloc.mmap_threshold=4096=3", 4096 },
		{ "glibc.malloc.mmap_threshold=99999999999999999999999", UINT64_MAX },
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct malloc_settings s;

		malloc_settings_init(&s, "glibc 2.36");
		assert_true(malloc_settings_apply(&s, "GLIBC_TUNABLES", values[i].text));
		assert_int_equal(s.value[SET_MMAP_THRESHOLD], values[i].value);
		assert_false(s.is_dynamic);
	}
}

TEST(test_what_is_out_of_range_is_passed_over)
{
	static const char *const texts[] = {
		"glibc.malloc.mmap_max=-1", "glibc.malloc.mmap_max=4294967296",
		"glibc.malloc.tcache_count=65536", "glibc.malloc.arena_max=0",
	};
	struct malloc_settings s = initial();

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(malloc_settings_apply(&s, "GLIBC_TUNABLES", texts[i]));
	assert_false(malloc_settings_apply(&s, "mallopt(M_ARENA_MAX)", "-1"));
	assert_true(s.is_dynamic);
	/* mallopt takes this one, and then no block is mapped */
	assert_true(malloc_settings_apply(&s, "mallopt(M_MMAP_MAX)", "-1"));
	assert_int_equal(s.value[SET_MMAP_MAX], 0);
}

TEST(test_names_are_those_of_mallopt)
{
	assert_string_equal(malloc_setting_name(SET_MMAP_MAX), "M_MMAP_MAX");
	assert_string_equal(malloc_setting_name(SET_TCACHE_COUNT), "glibc.malloc.tcache_count");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_glibc_begins_with_128_kib_and_moves),
		cmocka_unit_test(test_smallest_mapped_request_is_that_whose_chunk_has_the_threshold),
		cmocka_unit_test(test_freeing_a_larger_mapping_moves_both_thresholds),
		cmocka_unit_test(test_any_of_four_settings_ends_the_moves),
		cmocka_unit_test(test_other_settings_do_not),
		cmocka_unit_test(test_tunables_are_a_list_in_any_base),
		cmocka_unit_test(test_minus_one_is_no_limit),
		cmocka_unit_test(test_what_is_no_number_changes_nothing),
		cmocka_unit_test(test_older_glibc_reads_as_far_as_a_number_goes),
		cmocka_unit_test(test_what_is_out_of_range_is_passed_over),
		cmocka_unit_test(test_names_are_those_of_mallopt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
