/*
 * test_sample.c - `record --sample`: estimates of programs whose heap is known, the
 * words that mark them as estimates, and a program that notices nothing.
 *
 * A sum over blocks of s bytes with one sample in M bytes has the relative standard
 * error sqrt((1 - p) / p / n) of n blocks, p = 1 - exp(-s / M). The bounds below are at
 * least five of it.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"
#include "test.h"

static double ratio(long long estimate, long long truth)
{
	return (double)estimate / (double)truth;
}

static void assert_within(long long estimate, long long truth, double part)
{
	if (fabs(ratio(estimate, truth) - 1) > part)
		fail_msg("%lld is not within %g of %lld", estimate, part, truth);
}

/* bench/pairs: the same blocks whoever looks on. */
TEST(test_totals_of_pairs_are_estimated)
{
	struct result r = record("", "%s 3 1000000", built("bench/pairs"));
	json_t *exact = summary(""), *sampled;

	assert_int_equal(r.status, 0);
	result_free(&r);
	r = record("--sample=16K", "%s 3 1000000", built("bench/pairs"));
	assert_int_equal(r.status, 0);
	sampled = summary("");
	assert_nothing_lost(sampled);
	assert_int_equal(number_at(exact, "sampling_bytes"), 0);
	assert_int_equal(number_at(sampled, "sampling_bytes"), 16384);
	/* 32,000 samples: bytes 0.56 %, blocks some more, for the small ones */
	assert_within(number_at(sampled, "bytes"), number_at(exact, "bytes"), 0.05);
	assert_within(number_at(sampled, "blocks"), number_at(exact, "blocks"), 0.08);
	assert_within(number_at(sampled, "calls.malloc"), number_at(exact, "calls.malloc"), 0.08);
	assert_within(number_at(sampled, "calls.free"), number_at(exact, "calls.free"), 0.08);
	assert_int_equal(number_at(sampled, "syscalls.brk"), number_at(exact, "syscalls.brk"));
	assert_int_equal(number_at(sampled, "syscalls.mmap"), number_at(exact, "syscalls.mmap"));
	json_decref(exact);
	json_decref(sampled);
	result_free(&r);
}

TEST(test_totals_and_what_is_left_of_a_known_program_are_estimated)
{
	struct result r = record("--sample=16K", "%s 10000", built("tests/subjects/sampled"));
	long long blocks, bytes, kept, kept_bytes;
	json_t *root = summary("");

	/* as without: its own words, its own status */
	assert_int_equal(r.status, 3);
	assert_string_equal(r.err, "");
	assert_int_equal(sscanf(r.out, "%lld %lld %lld %lld\n", &blocks, &bytes, &kept, &kept_bytes), 4);
	assert_nothing_lost(root);
	/* standard errors: bytes 0.4 %, blocks 1.6 %, kept bytes 1.2 %, kept 4.3 % */
	assert_within(number_at(root, "bytes"), bytes, 0.05);
	assert_within(number_at(root, "blocks"), blocks, 0.08);
	assert_within(number_at(root, "end_bytes"), kept_bytes, 0.06);
	assert_within(number_at(root, "end_blocks"), kept, 0.22);
	assert_within(number_at(root, "peak_bytes"), kept_bytes + 300000, 0.06);
	json_decref(root);
	result_free(&r);
}

/* Most of it in the large blocks, of which one sample in 512K finds four of nine. */
TEST(test_default_advice_of_512k_finds_a_leak)
{
	struct result r = record("--sample=512K", "%s 20000", built("tests/subjects/sampled"));
	json_t *root = summary("");
	char *sites = ask("sites --sort=end_bytes --top=1 test.data");

	assert_int_equal(r.status, 3);
	assert_nothing_lost(root);
	/* 152.8 MB are left in some 260 samples: 6 % */
	assert_within(number_at(root, "end_bytes"), 152800000, 0.31);
	assert_true(strstr(sites, "middle_blocks") || strstr(sites, "large_block"));
	free(sites);
	json_decref(root);
	result_free(&r);
}

TEST(test_system_calls_and_mappings_are_recorded_exactly)
{
	struct result r = record("", "%s 3000", built("tests/subjects/sampled"));
	json_t *before = summary(""), *after;

	result_free(&r);
	r = record("--sample=64K", "%s 3000", built("tests/subjects/sampled"));
	after = summary("");
	/* all of them are the allocator's: none may pass for the program's own */
	assert_int_equal(number_at(before, "mapped_peak_bytes"), 0);
	assert_int_equal(number_at(after, "mapped_peak_bytes"), 0);
	assert_int_equal(number_at(after, "syscalls.brk"), number_at(before, "syscalls.brk"));
	assert_int_equal(number_at(after, "syscalls.mmap"), number_at(before, "syscalls.mmap"));
	assert_int_equal(number_at(after, "syscalls.munmap"), number_at(before, "syscalls.munmap"));
	json_decref(before);
	json_decref(after);
	result_free(&r);
}

TEST(test_threads_forks_and_handlers_are_sampled_without_unmatched_frees)
{
	const char *const programs[] = {
		"tests/subjects/many_threads", "tests/subjects/forks", "tests/subjects/handlers",
		"tests/subjects/handoff", "tests/subjects/semantics", "tests/subjects/key_destructors",
	};

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		struct result plain = run_shell("%s", built(programs[i]));
		struct result r = record("--sample=1K", "%s", built(programs[i]));
		json_t *root = summary("");

		if (r.status != plain.status)
			fail_msg("%s: status %d, not %d", programs[i], r.status, plain.status);
		assert_int_equal(number_at(root, "unmatched_frees"), 0);
		json_decref(root);
		result_free(&r);
		result_free(&plain);
	}
}

TEST(test_other_ways_of_recording_sample_too)
{
	static const char *const options[] = {
		"--syscalls=inferred", "--syscalls=off", "--call-graph=no", "--call-graph=fp",
		"--free-stacks", "--timing=all",
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		char words[64];
		struct result r;
		json_t *root;

		snprintf(words, sizeof(words), "--sample=16K %s", options[i]);
		r = record(words, "%s 2000", built("tests/subjects/sampled"));
		assert_int_equal(r.status, 3);
		root = summary("");
		assert_nothing_lost(root);
		/* 185.6 MB in 9,000 samples: 1 % */
		assert_within(number_at(root, "bytes"), 185568000, 0.06);
		assert_int_equal(number_at(root, "mapped_peak_bytes"), 0);
		json_decref(root);
		result_free(&r);
	}
}

TEST(test_every_form_says_that_it_estimates)
{
	static const char *const forms[] = {
		"summary", "sites", "sizes", "ltrace", "ltrace -c", "info",
		"summary --format=csv", "sites --format=csv", "sites --format=json", "sizes --format=json",
		"summary --format=json",
	};
	struct result r = record("--sample=64K", "%s 100", built("tests/subjects/sampled"));

	result_free(&r);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		char *text = ask("%s test.data 2>&1", forms[i]);

		if (!strstr(text, "estimate"))
			fail_msg("%s does not say so:\n%s", forms[i], text);
		free(text);
	}
	r = record("", "%s 100", built("tests/subjects/sampled"));
	result_free(&r);
	for (size_t i = 0; i < 3; i++) {
		char *text = ask("%s test.data 2>&1", forms[i]);

		assert_null(strstr(text, "estimate"));
		free(text);
	}
}

TEST(test_program_too_small_for_a_sample_is_an_estimate_all_the_same)
{
	struct result r = record("--sample=1G", "/bin/true");
	char *text = ask("summary test.data");

	assert_non_null(strstr(text, "estimate"));
	free(text);
	result_free(&r);
}

TEST(test_closing_lines_say_that_reports_estimate)
{
	struct result r = run_shell("%s record --sample=64K -o test.data -- %s 100", built("allotrope"),
				    built("tests/subjects/sampled"));

	assert_int_equal(r.status, 3);
	assert_non_null(strstr(r.err, "sampled heap calls"));
	assert_non_null(strstr(r.err, "estimates"));
	result_free(&r);
}

/* Allocators that may call each other's functions are sampled behind the guard. */
TEST(test_bare_run_samples_other_allocators_too)
{
	static const char *const libraries[] = { "libjemalloc.so.2", "libmimalloc.so.2",
						 "libtcmalloc_minimal.so.4" };

	for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
		struct result r = run_shell(
			"library=$(find /usr/lib -name %s | head -1); [ \"$library\" ] || exit 77; "
			"rm -f test.data; ALLOTROPE_SAMPLE=16K ALLOTROPE_OUT=test.data ALLOTROPE_SIZE=64M "
			"LD_PRELOAD=\"%s $library\" %s 2000", libraries[i], built("liballotrope.so"),
			built("tests/subjects/sampled"));
		json_t *root;

		if (r.status == 77) {
			result_free(&r);
			continue;
		}
		assert_int_equal(r.status, 3);
		root = summary("");
		assert_nothing_lost(root);
		assert_within(number_at(root, "bytes"), 185568000, 0.06);
		json_decref(root);
		result_free(&r);
	}
}

TEST(test_bad_sizes_are_told_before_the_program_starts)
{
	static const char *const sizes[] = { "0", "1023", "2G", "many", "", "-1" };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct result r = run_shell("%s record --sample=%s -- touch started", built("allotrope"),
					    sizes[i]);

		assert_int_equal(r.status, 2);
		assert_non_null(strstr(r.err, "--sample="));
		result_free(&r);
	}
	assert_int_equal(run_shell("test ! -e started").status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_totals_of_pairs_are_estimated),
		LIVE_TEST(test_totals_and_what_is_left_of_a_known_program_are_estimated),
		LIVE_TEST(test_default_advice_of_512k_finds_a_leak),
		LIVE_TEST(test_system_calls_and_mappings_are_recorded_exactly),
		LIVE_TEST(test_threads_forks_and_handlers_are_sampled_without_unmatched_frees),
		LIVE_TEST(test_other_ways_of_recording_sample_too),
		LIVE_TEST(test_every_form_says_that_it_estimates),
		LIVE_TEST(test_program_too_small_for_a_sample_is_an_estimate_all_the_same),
		LIVE_TEST(test_closing_lines_say_that_reports_estimate),
		LIVE_TEST(test_bare_run_samples_other_allocators_too),
		LIVE_TEST(test_bad_sizes_are_told_before_the_program_starts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
