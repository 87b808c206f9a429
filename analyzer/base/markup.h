/*
 * markup.h - text from outside in XML and HTML: as content and in attributes with either
 * quote. Control characters and bytes that are no UTF-8 stand as visible.h shows them.
 */
#ifndef BASE_MARKUP_H
#define BASE_MARKUP_H

#include <stdio.h>

/* Write S to OUT so that it is read as S. */
void markup_put(FILE *out, const char *s);

#endif
