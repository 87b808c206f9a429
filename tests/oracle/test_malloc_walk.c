/*
 * test_malloc_walk.c - `threshold` against glibc itself: what the program saw in the headers of
 * its blocks and by sbrk(0), and malloc's parameters as gdb reads them from libc's mp_.
 */
#include "test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"

static json_t *threshold(void)
{
	char *text = ask("threshold --format=json test.data");
	json_t *root = json_loads(text, 0, NULL);

	assert_non_null(root);
	free(text);
	return root;
}

/* Over all sizes. */
static long long sum(const json_t *root, const char *key)
{
	const json_t *list = json_object_get(root, "sizes"), *row;
	long long n = 0;
	size_t i;

	json_array_foreach(list, i, row)
		n += number_at(row, key);
	return n;
}

static void check_counts(unsigned seed, unsigned options)
{
	static const char *const keys[] = { "heap", "brk", "mapped", "kept", "trimmed", "unmapped" };
	struct result r = record("", "%s %u %u", built("tests/subjects/malloc_walk"), seed, options);
	json_t *root = threshold();

	assert_int_equal(r.status, 0);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		char label[20];
		long long seen = sum(root, keys[i]), told;

		snprintf(label, sizeof(label), "%s ", keys[i]);
		told = number_after(r.out, label);
		if (seen != told)
			fail_msg("seed %u, options %u: %lld %s, the program says %lld", seed, options,
				 seen, keys[i], told);
	}
	json_decref(root);
	result_free(&r);
}

TEST(test_each_block_is_counted_where_the_program_saw_it)
{
	static const unsigned options[] = { 0, 1, 2, 4, 5, 8, 9, 16, 20, 34, 64, 128, 255 };

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		check_counts((unsigned)i + 1, options[i]);
}

/* The value that gdb prints of mp_.FIELD. */
static unsigned long long field_of(const char *text, const char *field)
{
	char label[64];
	const char *at;

	snprintf(label, sizeof(label), "\nmp_.%s ", field);
	at = strstr(text, label);
	if (!at)
		fail_msg("gdb did not print mp_.%s: %.300s", field, text);
	return strtoull(at + strlen(label), NULL, 10);
}

static unsigned long long seen_of(const json_t *last, const char *key)
{
	const json_t *v = json_object_get(last, key);

	/* beyond what a JSON integer holds */
	if (json_is_real(v))
		return json_real_value(v) >= 0x1p64 ? UINT64_MAX : (unsigned long long)json_real_value(v);
	return json_is_null(v) ? 0 : (unsigned long long)json_integer_value(v);
}

static const struct { const char *field, *key; } fields[] = {
	{ "mmap_threshold", "mmap_threshold" }, { "trim_threshold", "trim_threshold" },
	{ "top_pad", "top_pad" }, { "n_mmaps_max", "mmap_max" }, { "arena_max", "arena_max" },
	{ "tcache_count", "tcache_count" },
};

static void check_parameters(const char *environment, unsigned options)
{
	const char *program = built("tests/subjects/malloc_walk");
	char prints[1000] = "";
	struct result r, gdb;
	const json_t *last;
	json_t *root;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		snprintf(prints + strlen(prints), sizeof(prints) - strlen(prints),
			 "-ex 'printf \"\\nmp_.%s %%lu\\n\", (unsigned long)mp_.%s' ", fields[i].field,
			 fields[i].field);
	gdb = run_shell("%s gdb -q -batch -nx -iex 'set debuginfod enabled off' -ex 'break _exit' -ex run "
			"%s -ex 'printf \"\\nmp_.no_dyn_threshold %%lu\\n\", "
			"(unsigned long)mp_.no_dyn_threshold' --args %s 7 %u 2>&1",
			environment, prints, program, options);
	r = run_shell("%s '%s' record -q -o test.data -- %s 7 %u", environment, built("allotrope"), program,
		      options);
	assert_int_equal(r.status, 0);
	root = threshold();
	last = json_object_get(root, "last");
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		unsigned long long real = field_of(gdb.out, fields[i].field);

		if (seen_of(last, fields[i].key) != real)
			fail_msg("%s, options %u: %s is %llu, libc has %llu", environment, options,
				 fields[i].key, seen_of(last, fields[i].key), real);
	}
	assert_int_equal(json_is_false(json_object_get(last, "is_dynamic")),
			 field_of(gdb.out, "no_dyn_threshold"));
	json_decref(root);
	result_free(&gdb);
	result_free(&r);
}

TEST(test_parameters_are_those_of_libc)
{
	static const char *const environments[] = {
		"GLIBC_TUNABLES=glibc.malloc.mmap_threshold=0x10000",
		"GLIBC_TUNABLES=glibc.malloc.mmap_threshold=128K",
		"GLIBC_TUNABLES=glibc.malloc.mmap_threshold=70000:glibc.malloc.mmap_threshold=80000",
		"GLIBC_TUNABLES=glibc.malloc.mmap_max=-1:glibc.malloc.tcache_count=100000",
		"GLIBC_TUNABLES=glibc.malloc.trim_threshold=-1",
		"GLIBC_TUNABLES=glibc.malloc.arena_max=2:glibc.malloc.tcache_count=3",
		"MALLOC_MMAP_THRESHOLD_=64K", "MALLOC_MMAP_THRESHOLD_=", "MALLOC_TOP_PAD_=0",
		"MALLOC_MMAP_MAX_=3 MALLOC_ARENA_MAX=1",
		"MALLOC_MMAP_THRESHOLD_=70000 GLIBC_TUNABLES=glibc.malloc.mmap_threshold=80000",
	};
	static const unsigned options[] = { 1, 2, 4, 8, 16, 64, 128, 192, 256 };

	if (!found("gdb"))
		SKIP("gdb is not installed");
	check_parameters("", 0);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		check_parameters("", options[i]);
	for (size_t i = 0; i < sizeof(environments) / sizeof(environments[0]); i++)
		check_parameters(environments[i], 0);
	/* what the program sets comes after what its environment says */
	check_parameters("MALLOC_MMAP_THRESHOLD_=70000", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_each_block_is_counted_where_the_program_saw_it),
		LIVE_TEST(test_parameters_are_those_of_libc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
