/*
 * cmocka.h - the part of cmocka that the tests of preload/ use, for machines that no
 * cmocka is packaged for: aarch64 under qemu (make check-cross). Same names, same
 * lines of output; a failed test goes on with the next one. No mocks, no
 * expectations, no leak checks. Tests named in CROSS_LEFT_OUT are not run: see
 * left_out beside this file.
 */
#ifndef CROSS_CMOCKA_H
#define CROSS_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
	const char *name;
	void (*test_func)(void **state);
	int (*setup_func)(void **state);
	int (*teardown_func)(void **state);
	void *initial_state;
};

#define cmocka_unit_test_setup_teardown(f, setup, teardown) { #f, f, setup, teardown, NULL }
#define cmocka_unit_test_setup(f, setup) cmocka_unit_test_setup_teardown(f, setup, NULL)
#define cmocka_unit_test_teardown(f, teardown) cmocka_unit_test_setup_teardown(f, NULL, teardown)
#define cmocka_unit_test(f) cmocka_unit_test_setup_teardown(f, NULL, NULL)

enum cross_end { CROSS_RUNS = 0, CROSS_FAILED, CROSS_SKIPPED };

/* Where a test that fails goes back to. One program has one file: static will do. */
static jmp_buf cross_back;

static inline void cross_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4), noreturn));
static inline void cross_fail(const char *file, int line, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	printf("[  ERROR   ] --- ");
	vprintf(format, ap);
	va_end(ap);
	printf("\n[   LINE   ] --- %s:%d: error: Failure!\n", file, line);
	longjmp(cross_back, CROSS_FAILED);
}

static inline void cross_compare(int holds, unsigned long long a, unsigned long long b,
				 const char *text, const char *file, int line)
{
	if (!holds)
		cross_fail(file, line, "%s: %#llx, %#llx", text, a, b);
}

#define CROSS_NUMBER(x) ((unsigned long long)(uintmax_t)(x))
#define CROSS_COMPARE(a, b, how) do { \
	unsigned long long cross_a = CROSS_NUMBER(a), cross_b = CROSS_NUMBER(b); \
	cross_compare(cross_a how cross_b, cross_a, cross_b, #a " " #how " " #b, \
		      __FILE__, __LINE__); \
} while (0)

#define assert_true(c) cross_compare(!!(c), 0, 0, #c, __FILE__, __LINE__)
#define assert_false(c) cross_compare(!(c), 0, 0, "not " #c, __FILE__, __LINE__)
#define assert_null(p) cross_compare((p) == NULL, 0, 0, #p " == NULL", __FILE__, __LINE__)
#define assert_non_null(p) cross_compare((p) != NULL, 0, 0, #p " != NULL", __FILE__, __LINE__)
#define assert_int_equal(a, b) CROSS_COMPARE(a, b, ==)
#define assert_int_not_equal(a, b) CROSS_COMPARE(a, b, !=)
#define assert_ptr_equal(a, b) CROSS_COMPARE((uintptr_t)(a), (uintptr_t)(b), ==)
#define assert_ptr_not_equal(a, b) CROSS_COMPARE((uintptr_t)(a), (uintptr_t)(b), !=)
#define assert_in_range(v, low, high) do { \
	CROSS_COMPARE(v, low, >=); \
	CROSS_COMPARE(v, high, <=); \
} while (0)
#define assert_string_equal(a, b) do { \
	const char *cross_s = (a), *cross_t = (b); \
	if (strcmp(cross_s, cross_t) != 0) \
		cross_fail(__FILE__, __LINE__, "\"%s\" != \"%s\"", cross_s, cross_t); \
} while (0)
#define assert_memory_equal(a, b, size) \
	cross_compare(memcmp(a, b, size) == 0, 0, 0, #a " == " #b, __FILE__, __LINE__)
#define fail_msg(...) cross_fail(__FILE__, __LINE__, __VA_ARGS__)
#define fail() cross_fail(__FILE__, __LINE__, "fail()")
#define skip() longjmp(cross_back, CROSS_SKIPPED)

/* NAME is one of the words of CROSS_LEFT_OUT. */
static inline int cross_is_left_out(const char *name)
{
	const char *list = getenv("CROSS_LEFT_OUT"), *at = list;
	size_t length = strlen(name);

	while (at && (at = strstr(at, name)) != NULL) {
		if ((at == list || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
			return 1;
		at += length;
	}
	return 0;
}

static inline int cross_run(const struct CMUnitTest *t)
{
	static const char *const ends[] = { "       OK ", "  FAILED  ", "  SKIPPED " };
	void *state = t->initial_state;
	volatile int end;

	printf("[ RUN      ] %s\n", t->name);
	end = setjmp(cross_back);
	if (end == CROSS_RUNS) {
		if (t->setup_func && t->setup_func(&state) != 0)
			cross_fail(__FILE__, __LINE__, "the set-up failed");
		t->test_func(&state);
		if (t->teardown_func && t->teardown_func(&state) != 0)
			cross_fail(__FILE__, __LINE__, "the tear-down failed");
	}
	printf("[%s] %s\n", ends[end], t->name);
	fflush(stdout);
	return end == CROSS_FAILED;
}

static inline int cross_run_all(const struct CMUnitTest *tests, size_t count,
				int (*setup)(void **state), int (*teardown)(void **state))
{
	void *state = NULL;
	int failed = 0;

	/* children of fork must not print a second time what is still in the buffer */
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("[==========] Running %zu test(s).\n", count);
	if (setup && setup(&state) != 0)
		return 1;
	for (size_t i = 0; i < count; i++) {
		if (cross_is_left_out(tests[i].name))
			printf("[ LEFT OUT ] %s\n", tests[i].name);
		else
			failed += cross_run(&tests[i]);
	}
	if (teardown && teardown(&state) != 0)
		failed++;
	printf("[==========] %zu test(s) run.\n", count);
	return failed;
}

#define cmocka_run_group_tests(tests, setup, teardown) \
	cross_run_all(tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)

#endif
