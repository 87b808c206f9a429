/*
 * test_xmem.c - memory that is there, or an end with status 70.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xmem.h"
#include "test.h"

/* Run BODY in a child whose stderr is closed; its exit status. */
static int status_of(void (*body)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		close(STDERR_FILENO);
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void overflow(void)
{
	free(xreallocarray(NULL, SIZE_MAX / 2, 4));
}

static void too_much(void)
{
	free(xmalloc(SIZE_MAX / 2 + 1));
}

TEST(test_xreallocarray_overflow_ends_with_status_70)
{
	assert_int_equal(status_of(overflow), 70);
}

TEST(test_xmalloc_more_than_exists_ends_with_status_70)
{
	assert_int_equal(status_of(too_much), 70);
}

TEST(test_xmem_nothing_asked_is_still_a_block)
{
	void *p[] = { xmalloc(0), xcalloc(0, 8), xrealloc(NULL, 0), xreallocarray(NULL, 0, 0) };

	for (size_t i = 0; i < 4; i++) {
		assert_non_null(p[i]);
		free(p[i]);
	}
}

TEST(test_xstrndup_ends_at_the_limit_or_at_nul)
{
	char *a = xstrndup("abcdef", 3), *b = xstrndup("ab\0cd", 5), *c = xstrdup("");

	assert_string_equal(a, "abc");
	assert_string_equal(b, "ab");
	assert_string_equal(c, "");
	free(a);
	free(b);
	free(c);
}

TEST(test_xasprintf_formats_any_length)
{
	char *text = xasprintf("%0*d", 5000, 7);

	assert_int_equal(strlen(text), 5000);
	free(text);
}

TEST(test_xgrow_keeps_content_and_doubles)
{
	size_t capacity = 0;
	uint32_t *a = NULL;

	for (uint32_t i = 0; i < 1000; i++) {
		xgrow(&a, &capacity, i, sizeof(*a));
		assert_true(capacity > i);
		a[i] = i;
	}
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(a[i], i);
	assert_int_equal(capacity, 1024);
	free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xreallocarray_overflow_ends_with_status_70),
		cmocka_unit_test(test_xmalloc_more_than_exists_ends_with_status_70),
		cmocka_unit_test(test_xmem_nothing_asked_is_still_a_block),
		cmocka_unit_test(test_xstrndup_ends_at_the_limit_or_at_nul),
		cmocka_unit_test(test_xasprintf_formats_any_length),
		cmocka_unit_test(test_xgrow_keeps_content_and_doubles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
