/*
 * line_options.h - the options that the ltrace and the strace report have in common.
 */
#ifndef FORMS_LINE_OPTIONS_H
#define FORMS_LINE_OPTIONS_H

#include <argp.h>
#include <stdbool.h>

#include "forms/line_parts.h"

struct line_options {
	enum line_time time;  /* -t, -tt, -ttt */
	bool has_duration;    /* -T */
	bool follows;         /* -f */
	bool has_table;       /* -c */
	int align;            /* -a: column of the results; 0: not given */
};

/* Rows of argp's table; LONG is the long name, NULL: none. */
#define LINE_OPTION_TIME \
	{ NULL, 't', NULL, 0, "Time of day before each line; -tt: with microseconds; -ttt: " \
	  "seconds since 1970", 0 }
#define LINE_OPTION_FOLLOWS(long) \
	{ long, 'f', NULL, 0, "All processes, with the thread's id before each line", 0 }

/*
 * Take KEY (t, T, f, c, a) with ARG into O; ALIGN is the long name of -a. Returns false where
 * it is another option. Ends the program on a wrong argument, as form_usage_error.
 */
bool line_option_parse(struct line_options *o, int key, const char *arg, const char *align,
		       const struct argp_state *state);

#endif
