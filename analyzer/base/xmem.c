/*
 * xmem.c - memory that is there: a function returns memory or ends the program.
 * The one exception to "below cli/ nothing exits": no caller could do better.
 */
#include "base/xmem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"

void xmem_fail(size_t count, size_t bytes)
{
	diag_print("error", "no memory for %zu x %zu bytes", count, bytes);
	/* not exit(): handlers may allocate */
	_Exit(STATUS_BUG);
}

void *xreallocarray(void *p, size_t count, size_t bytes)
{
	size_t total;
	void *result;

	if (__builtin_mul_overflow(count, bytes, &total) || total > PTRDIFF_MAX)
		xmem_fail(count, bytes);
	result = realloc(p, total ? total : 1);
	if (!result)
		xmem_fail(count, bytes);
	return result;
}

void *xrealloc(void *p, size_t bytes)
{
	return xreallocarray(p, 1, bytes);
}

void *xmalloc(size_t bytes)
{
	return xreallocarray(NULL, 1, bytes);
}

void *xcalloc(size_t count, size_t bytes)
{
	/* calloc's fresh pages are zero already: memset would touch them */
	void *result = calloc(count ? count : 1, bytes ? bytes : 1);

	if (!result)
		xmem_fail(count, bytes);
	return result;
}

char *xstrndup(const char *s, size_t bytes)
{
	size_t length = strnlen(s, bytes);
	char *copy = xmalloc(length + 1);

	memcpy(copy, s, length);
	copy[length] = '\0';
	return copy;
}

char *xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *xvasprintf(const char *format, va_list ap)
{
	char *text;

	if (vasprintf(&text, format, ap) < 0)
		xmem_fail(1, strlen(format));
	return text;
}

char *xasprintf(const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	text = xvasprintf(format, ap);
	va_end(ap);
	return text;
}

void xgrow(void *array, size_t *capacity, size_t count, size_t bytes)
{
	size_t wanted = *capacity ? *capacity : 8;
	void *p;

	if (count < *capacity)
		return;
	while (wanted <= count) {
		if (wanted > SIZE_MAX / 2)
			xmem_fail(count, bytes);
		wanted *= 2;
	}
	/* ARRAY is the address of a pointer of any type */
	memcpy(&p, array, sizeof(p));
	p = xreallocarray(p, wanted, bytes);
	memcpy(array, &p, sizeof(p));
	*capacity = wanted;
}
