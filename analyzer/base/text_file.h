/*
 * text_file.h - a small text file that a person wrote, read whole and walked line by
 * line: lists of suppressions, baselines.
 */
#ifndef BASE_TEXT_FILE_H
#define BASE_TEXT_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

/* Nobody writes more by hand. */
#define TEXT_FILE_MAX ((size_t)16 << 20)

/*
 * All of PATH, the caller's to free; *BYTES of them, and a NUL behind. Returns NULL with D
 * set to STATUS_IO where it cannot be read, is a directory, or larger than TEXT_FILE_MAX.
 */
char *text_file_read(const char *path, size_t *bytes, struct diag *d);

/* Lines of a text. Start with TEXT and END set and NUMBER 0. */
struct text_lines {
	const char *text, *end; /* what is still to come */
	unsigned number;        /* of the line given last, from 1 */
};

/*
 * The next line without white space at its ends, for the caller to free; NULL after the last
 * one. A NUL in it ends it.
 */
char *text_lines_next(struct text_lines *l);

#endif
