/*
 * wrap.h - sentences in lines of a width, broken at spaces.
 */
#ifndef BASE_WRAP_H
#define BASE_WRAP_H

#include <stdio.h>

/*
 * Write TEXT, printable already (visible.h), from column COLUMN on; lines after the
 * first begin at INDENT. A number stays with its unit; what has no space in it is
 * not broken, and may be wider than LINE_WIDTH. Ends the line.
 */
void wrap_put(FILE *out, const char *text, int column, int indent, int line_width);

#endif
