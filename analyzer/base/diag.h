/*
 * diag.h - errors as values, and the one place that words messages.
 *
 * Below cli/ a function that fails fills a struct diag and returns a negative
 * number (or NULL); only cli/ prints and exits. Wording: what failed first, the
 * subject in single quotes, the reason, the remedy; lower case, no full stop:
 *	cannot open 'app.data': No such file or directory
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdarg.h>
#include <stdbool.h>

/* Exit statuses (DESIGN: command line). */
enum exit_status {
	STATUS_OK = 0,
	STATUS_CONDITION = 1,
	STATUS_USAGE = 2,
	STATUS_IO = 3,
	STATUS_BUG = 70,
	STATUS_CANNOT_RECORD = 125,
};

struct diag {
	int status;        /* enum exit_status to leave with; 0: nothing failed */
	char text[1024];
};

/* Set D to STATUS and the formatted text; returns -1, so `return diag_set(...)`. D may be NULL. */
int diag_set(struct diag *d, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with ": strerror(errno)" behind it. */
int diag_errno(struct diag *d, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* One line on stderr, one write: "allotrope: text", control characters escaped. For cli/ only. */
void diag_print(const char *level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
