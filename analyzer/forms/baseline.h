/*
 * baseline.h - the figures of a program at one time, kept to be compared with those of another:
 * a small text that belongs under version control. No addresses, lines or dates, so that
 * it only changes where the program's memory does.
 *
 *	# allotrope baseline 1
 *	program jq
 *	peak_bytes 481234
 *	...                              a line for each figure; blank lines and '#' lines are nothing
 *	site 262144 1 jv_parser_new      bytes and blocks at the peak, function
 *
 * Several programs may follow one another. Before the first may stand "sampling BYTES": the
 * figures are estimates (record --sample); and "all": they are those of all processes of a
 * name (check --all), and not of the one process that reports show.
 */
#ifndef FORMS_BASELINE_H
#define FORMS_BASELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/diag.h"
#include "model/replay.h"

enum figure {
	FIGURE_PEAK_BYTES, FIGURE_PEAK_BLOCKS, FIGURE_END_BYTES, FIGURE_END_BLOCKS,
	FIGURE_BLOCKS, FIGURE_BYTES, FIGURE_MAPPED_PEAK_BYTES, FIGURE_COUNT,
};

/* "peak_bytes". */
const char *figure_key(enum figure f);

/* "bytes at the peak". */
const char *figure_text(enum figure f);

bool figure_is_bytes(enum figure f);

/* The figure called KEY (of BYTES letters), FIGURE_COUNT where there is none. */
enum figure figure_find(const char *key, size_t bytes);

/* Sites that a baseline is written with: they explain most of a change, and are few enough to read. */
#define BASELINE_SITES 10

struct baseline_site {
	char *function;          /* printable */
	struct amount peak;
};

struct baseline_program {
	char *name;              /* base name of the command, printable */
	unsigned line;           /* where it stands in a file; 0: nowhere */
	bool has[FIGURE_COUNT];
	uint64_t figures[FIGURE_COUNT];
	unsigned lines[FIGURE_COUNT];
	struct baseline_site *sites; /* the largest at the peak, by bytes, then name */
	size_t site_count, site_capacity;
	size_t processes;        /* measured: that ran it; 0 from a file */
};

struct baseline {
	uint64_t sampling_bytes; /* 0: exact */
	bool is_all;
	struct baseline_program *programs;
	size_t count, capacity;
};

/* All zero is empty. */
void baseline_release(struct baseline *b);

/* A further program, NAME is taken over. Valid until the next one. */
struct baseline_program *baseline_add(struct baseline *b, char *name);

/* A further site of P, FUNCTION is taken over. */
void baseline_add_site(struct baseline_program *p, char *function, struct amount peak);

/* The program called NAME, or NULL. */
struct baseline_program *baseline_find(const struct baseline *b, const char *name);

/*
 * Read TEXT, which ends with a NUL after BYTES; FILE is its name. Returns 0, or -1 with D
 * naming line and reason (STATUS_USAGE).
 */
int baseline_parse(struct baseline *b, const char *text, size_t bytes, const char *file,
		   struct diag *d);

/* The same with the content of PATH; STATUS_IO where it cannot be read. */
int baseline_read(struct baseline *b, const char *path, struct diag *d);

/* Write B so that baseline_parse reads the same. */
void baseline_print(const struct baseline *b, FILE *out);

#endif
