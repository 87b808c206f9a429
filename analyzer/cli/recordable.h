/*
 * recordable.h - can this program be recorded? Answered from the files, before
 * anything is started.
 */
#ifndef CLI_RECORDABLE_H
#define CLI_RECORDABLE_H

#include <stdbool.h>

#include "base/diag.h"

/* Statuses of env(1): a program that was found but cannot run, and one that was not found. */
#define STATUS_CANNOT_RUN 126
#define STATUS_NOT_FOUND 127

/*
 * The file that execvp(3) would run for NAME with the search path PATH (NULL:
 * the system's default). The result is the caller's; NULL with D set (126, 127).
 */
char *program_find(const char *name, const char *path, struct diag *d);

struct recordable {
	/* The executable exports a malloc of its own: calls to it are not seen. */
	bool has_own_malloc;
};

/*
 * Follow #! lines from PATH to the executable and see whether the library can
 * live in it. Returns 0, or -1 with D set: status 125 and the reason. What
 * cannot be told from the file (unreadable, unknown format) passes: exec has the
 * last word.
 */
int recordable_check(const char *path, struct recordable *r, struct diag *d);

#endif
