/*
 * form_options.h - the options that every report takes, and its argument.
 */
#ifndef CLI_FORM_OPTIONS_H
#define CLI_FORM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/emit.h"
#include "base/term.h"
#include "forms/form.h"

struct form_options {
	const char *file;          /* the recording */
	bool has_file;             /* it was named */
	const char *out_path;      /* NULL: standard output */
	enum emit_format format;
	const struct form_format *own_format; /* NULL: text, csv or json */
	enum color_choice color;
	bool no_pager;
	bool no_demangle;
	bool short_names;
	const char *debuginfod;    /* servers of debug information (debuginfod_option.h); NULL: none */
	bool has_top;
	size_t top;
	const char *sort;          /* NULL: the form's default */
	const char *since, *until, *at; /* NULL: not given */
	const char *wrappers;      /* NULL: the table */
	bool is_all;
	bool has_pid;
	uint32_t pid;
	int64_t exec_number;       /* -1: any */
};

/*
 * Parse the command line of FORM; does not return where it is wrong or asks for
 * help. STATE gets the form's own options.
 */
void form_options_parse(const struct form *form, int argc, char **argv,
			struct form_options *options, void *state);

/* ---- for commands with such options; each ends the program where TEXT is wrong ---- */

/* Keys of the options that read alike everywhere, beside 'o' (--output). */
enum option_key {
	OPTION_TOP = 0x180, OPTION_ALL, OPTION_WRAPPERS, OPTION_NO_DEMANGLE, OPTION_SHORT_NAMES,
	OPTION_DEBUGINFOD, OPTION_NO_PAGER, OPTION_COLOR,
};

/* Such an option with its value TEXT into O. Returns 0, or ARGP_ERR_UNKNOWN where KEY is none of them. */
error_t option_shared(struct argp_state *state, struct form_options *o, int key, char *text);

/* TEXT, a value of OPTION, as a number of at most LIMIT. */
uint64_t option_number(struct argp_state *state, const char *option, const char *text,
		       uint64_t limit);

/* The number of TEXT in WORDS, NULL terminated. */
size_t option_word(struct argp_state *state, const char *option, const char *text,
		   const char *const *words);

/* "PID" or "PID:EXEC" into O; TEXT is changed. */
void option_pid(struct argp_state *state, struct form_options *o, char *text);

#endif
