/*
 * visible.h - names that came from a program, made safe to print on a terminal:
 * control characters (also the 8-bit ones) and bytes that are no UTF-8 become
 * \n, \t or \xNN, a backslash before such a sequence stays as it is.
 */
#ifndef BASE_VISIBLE_H
#define BASE_VISIBLE_H

#include <stddef.h>
#include <stdio.h>

/* Write S to OUT. */
void visible_put(FILE *out, const char *s);

/* The same as a new string, the caller's to free. */
char *visible_text(const char *s);

/* Columns that the printed form of S takes: one a character. */
size_t visible_width(const char *s);

/*
 * S in its printed form, in WIDTH columns at most (at least 4): where it is longer the middle
 * is replaced by "...". A new string, the caller's to free.
 */
char *visible_fit(const char *s, size_t width);

#endif
