/*
 * test.h - cmocka in the order it wants its headers, and the names tests use.
 */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define TEST(name) static void name(void **state __attribute__((unused)))

/* Skip with the reason on stdout, where tests/run finds it. */
#define SKIP(...) do { \
	printf("skip: " __VA_ARGS__); \
	printf("\n"); \
	skip(); \
} while (0)

#endif
