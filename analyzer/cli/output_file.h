/*
 * output_file.h - the file that record writes: kept beside its final name,
 * which it takes when the program runs; what stood there becomes NAME.old.
 */
#ifndef CLI_OUTPUT_FILE_H
#define CLI_OUTPUT_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"

struct output_file {
	char *path;       /* final name */
	char *temporary;  /* the name it has now; NULL: it has the final one */
	char *directory;  /* that both are in */
	int fd;           /* close-on-exec, for reading and writing */
	int reserve;      /* an unlinked file that keeps some disk space; -1: none */
};

/*
 * Create the file for PATH, mode 0600. Returns 0, or -1 with D set:
 * PATH is "-", or something that is not a regular file, or cannot be written.
 */
int output_file_open(struct output_file *o, const char *path, struct diag *d);

/*
 * Give it its name; an existing file becomes PATH.old. Returns 0, or -1 with D set: then
 * `path` is the name that it has and keeps.
 */
int output_file_commit(struct output_file *o, struct diag *d);

/*
 * The disk is full: give back the space that was kept, so that what makes the
 * recording complete (totals, end, index) can be written.
 */
void output_file_use_reserve(struct output_file *o);

/*
 * True where the file still stands at `path` with its BYTES from the first on: nobody removed, renamed
 * or emptied it while it was written.
 */
bool output_file_is_whole(const struct output_file *o, uint64_t bytes);

/* Close; a file that was not committed is removed. */
void output_file_close(struct output_file *o);

#endif
