/*
 * test_api_calls.c - the allocator's interface, each call in good and bad forms: results, errno, contents,
 * sizes and distances of blocks are those without the library, and the recording has each call as the
 * program itself wrote it down. In both modes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/both_modes.h"
#include "test.h"

#define MODES 2

static const char *const modes[MODES] = { "record", "bare" };

/* Addresses differ from run to run, all else may not. */
static void hide_addresses(char *text)
{
	for (char *p = strstr(text, "0x"); p; p = strstr(p, "0x")) {
		size_t digits = strspn(p + 2, "0123456789abcdef");

		memset(p + 2, '-', digits);
		p += 2;
		memmove(p + 1, p + digits, strlen(p + digits) + 1);
	}
}

/* The lines of OUT that begin with "> ", without that; the caller's. */
static char *told(const char *out)
{
	char *lines = malloc(strlen(out) + 1), *to = lines;

	for (const char *line = out; *line; ) {
		size_t bytes = strcspn(line, "\n") + 1;

		if (line[0] == '>') {
			memcpy(to, line + 2, bytes - 2);
			to += bytes - 2;
		}
		line += bytes;
	}
	*to = '\0';
	return lines;
}

static void assert_recorded(const char *mode, const char *out)
{
	char *have = ask("ltrace test.data 2>/dev/null | grep -v '^+++'"), *want = told(out);

	assert_true(strlen(want) > 100);
	if (strcmp(have, want) != 0)
		fail_msg("%s: the program:\n%s\nallotrope ltrace:\n%s", mode, want, have);
	free(have);
	free(want);
}

TEST(test_every_call_is_as_without_the_library_and_is_recorded_as_it_was)
{
	struct result bare = run_shell("%s", built("tests/subjects/api_calls"));

	assert_int_equal(bare.status, 0);
	hide_addresses(bare.out);
	for (size_t i = 0; i < MODES; i++) {
		struct result r = run_in_mode(modes[i], "", built("tests/subjects/api_calls"));

		assert_int_equal(r.status, 0);
		assert_recorded(modes[i], r.out);
		hide_addresses(r.out);
		assert_string_equal(r.out, bare.out);
		result_free(&r);
	}
	result_free(&bare);
}

TEST(test_the_other_functions_that_free_are_recorded)
{
	char command[4096];

	snprintf(command, sizeof(command), "%s frees", built("tests/subjects/api_calls"));
	for (size_t i = 0; i < MODES; i++) {
		struct result r = run_in_mode(modes[i], "", command);
		json_t *root = summary("");

		assert_int_equal(r.status, 0);
		assert_non_null(strstr(r.out, "cfree("));
		assert_non_null(strstr(r.out, "free_sized("));
		assert_non_null(strstr(r.out, "free_aligned_sized("));
		assert_recorded(modes[i], r.out);
		assert_nothing_lost(root);
		json_decref(root);
		result_free(&r);
	}
}

/* __libc_malloc is bound inside libc: no preload stands before it. What it gave is freed by free. */
TEST(test_blocks_of_entries_that_are_not_seen_are_told)
{
	char command[4096];

	snprintf(command, sizeof(command), "%s inner", built("tests/subjects/api_calls"));
	for (size_t i = 0; i < MODES; i++) {
		struct result r = run_in_mode(modes[i], "", command);
		json_t *root = summary("");
		char *text = ask("summary test.data");

		assert_string_equal(r.out, "inner 2\n");
		assert_int_equal(number_at(root, "unmatched_frees"), 2);
		assert_non_null(strstr(text, "2 frees of blocks that were never seen or were free already"));
		free(text);
		json_decref(root);
		result_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_every_call_is_as_without_the_library_and_is_recorded_as_it_was),
		LIVE_TEST(test_the_other_functions_that_free_are_recorded),
		LIVE_TEST(test_blocks_of_entries_that_are_not_seen_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
