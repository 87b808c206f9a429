/*
 * call_line.h - one line of the ltrace report: what happened, and its text in
 * ltrace's manner.
 */
#ifndef FORMS_CALL_LINE_H
#define FORMS_CALL_LINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "forms/line_options.h"
#include "forms/line_parts.h"
#include "model/replay.h"

enum call_line_kind { LINE_CALL, LINE_SYSCALL, LINE_EXIT };

struct call_line {
	enum call_line_kind kind;
	const struct image *image;
	uint32_t tid;
	uint64_t stamp;
	uint64_t return_address;  /* 0: unknown */
	const char *caller;       /* path of the calling object, NULL: unknown */
	struct call call;         /* LINE_CALL */
	uint8_t number;           /* LINE_SYSCALL: enum memory_syscall */
	bool is_inferred;
	uint64_t args[6];
	int64_t result;
	int status;               /* LINE_EXIT: as from wait(2) */
	bool has_duration;        /* of calls and system calls */
	uint64_t duration_ticks;
};

/* How lines look. */
struct call_line_style {
	struct line_clock clock;
	struct line_options options;
	bool has_address;         /* -i */
	bool has_caller;          /* caller-> before the name */
	bool has_pid;             /* -f */
	bool has_plain_pid;       /* "PID " instead of "[pid PID] ": output to a file */
};

/* Print the line as a whole. */
void call_line_put(FILE *out, const struct call_line *line,
		   struct call_line_style *style);

/*
 * The two lines around system calls made inside it: "malloc(32 <unfinished ...>",
 * "<... malloc resumed> )".
 */
void call_line_put_begin(FILE *out, const struct call_line *line,
			 struct call_line_style *style);
void call_line_put_resumed(FILE *out, const struct call_line *line,
			   struct call_line_style *style);

/* "realloc(0x55d0c0a2a2a0, 200000)"; the columns it took. */
int call_put(FILE *out, const struct call *call);

/* A reallocarray that freed its block: which of its numbers was 0 is not recorded. */
bool call_line_is_release(const struct call *call);

/* "malloc", "SYS_brk"; NULL for LINE_EXIT. */
const char *call_line_name(const struct call_line *line);

/* The base name of the caller, "?" where unknown. */
const char *call_line_caller(const struct call_line *line);

#endif
