/*
 * out.h - where a report goes: standard output, a pager, or a file that
 * appears under its name only when it is complete.
 */
#ifndef BASE_OUT_H
#define BASE_OUT_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/diag.h"

struct out {
	FILE *file;     /* write here */
	char *path;     /* file: final name, else NULL */
	char *temp;     /* file: name until it is complete; NULL: written in place */
	pid_t pager;    /* 0: none */
	bool is_broken; /* the pager was left before the end: that is no error */
};

/*
 * Open PATH ("-" or NULL: standard output). A regular file is written beside PATH
 * and renamed by out_close; a device, pipe or socket is written in place. PAGER (a shell
 * command, NULL: none) is used for standard output only; where it cannot be started
 * the output goes to standard output. Returns 0, or -1 with D set.
 */
int out_open(struct out *o, const char *path, const char *pager, struct diag *d);

/*
 * Flush, check, close, wait for the pager. The file gets its name only where IS_GOOD and all
 * was written, otherwise it is removed. Returns 0, or -1 with D set.
 */
int out_close(struct out *o, bool is_good, struct diag *d);

#endif
