/*
 * strace_text.h - a line of the strace report as strace prints it, and its call stack
 * (-k).
 */
#ifndef FORMS_STRACE_TEXT_H
#define FORMS_STRACE_TEXT_H

#include "forms/cause_text.h"
#include "forms/form.h"
#include "forms/line_options.h"
#include "forms/line_parts.h"
#include "forms/strace_queue.h"

struct strace_style {
	const struct run *run;
	struct line_clock clock;
	struct cause_texts *causes;
	struct line_options options;
	bool is_relative;     /* -r */
	bool has_stack;       /* -k */
	bool has_cause;       /* --cause */
	bool has_pid;         /* -f */
	bool has_plain_pid;   /* "PID   " instead of "[pid   PID] ": output to a file */
	uint64_t last_stamp;  /* of the line before; 0: none */
};

void strace_line_put(struct strace_style *style, const struct strace_line *line);

/* What stands between the parentheses. */
int strace_line_put_arguments(FILE *out, const struct strace_line *line);

/* What stands behind "= " for a call that returned, or for what was there at the start. */
int strace_line_put_result(FILE *out, const struct strace_line *line);

/* "seen", "inferred" or "startup". */
const char *strace_line_source(const struct strace_line *line);

#endif
