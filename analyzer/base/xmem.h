/*
 * xmem.h - memory that is there: each function ends the program with status 70
 * and a sentence where the system has no more. Pairs with free().
 */
#ifndef BASE_XMEM_H
#define BASE_XMEM_H

#include <stdarg.h>
#include <stddef.h>

void *xmalloc(size_t bytes);
void *xcalloc(size_t count, size_t bytes);
void *xrealloc(void *p, size_t bytes);
/* Overflow-checked count * bytes. */
void *xreallocarray(void *p, size_t count, size_t bytes);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t bytes);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *format, va_list ap) __attribute__((format(printf, 1, 0)));

/*
 * Grow *ARRAY (elements of BYTES) so that it holds at least COUNT + 1; *CAPACITY
 * is in elements. Doubles.
 */
void xgrow(void *array, size_t *capacity, size_t count, size_t bytes);

/* There is no memory for COUNT x BYTES: say so and end. */
void xmem_fail(size_t count, size_t bytes) __attribute__((noreturn));

#endif
