/*
 * command.h - the words after `allotrope`: commands (record, info, ...) and
 * forms (reports), the options that all forms share, and the driver that runs
 * one form over one recording.
 *
 * A command is one file cmd_NAME.c with `const struct command command_NAME`
 * and one row COMMAND(NAME) in commands.def.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <argp.h>
#include <stdbool.h>
#include <stdio.h>

#include "forms/form.h"

struct command {
	const char *name;    /* the word typed */
	const char *summary; /* half a line for the start page; lower case, no full stop */
	/*
	 * argv[0] is the name of the command, for messages "allotrope NAME";
	 * ARGC counts it. Returns the exit status (enum exit_status). Output on
	 * stdout is flushed and checked by main after the return.
	 */
	int (*run)(int argc, char **argv);
};

/* In the order of commands.def; NULL terminated. */
extern const struct command *const commands[];

/* The command called NAME, or NULL. */
const struct command *command_find(const char *name);

/*
 * argp_parse with the habits of this program: messages and --help begin with
 * "allotrope NAME" (NAME = argv[0]), --help and --version work and exit 0, a wrong
 * option exits with STATUS_USAGE. FLAGS as argp_parse (ARGP_IN_ORDER ...). Returns argp's result.
 */
int command_parse(const struct argp *argp, int argc, char **argv,
		  unsigned flags, void *input);

/*
 * From an argp parser: print "allotrope NAME: text" and "Try 'allotrope NAME
 * --help'." and exit with STATUS_USAGE.
 */
void command_usage_error(const struct argp_state *state, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/*
 * Run FORM with the arguments of the command line (argv[0]: the form's name):
 * parse, open, replay, print, footer, flush, close. Returns the exit status.
 */
int command_run_form(const struct form *form, int argc, char **argv);

/*
 * The name of a command or form nearest to WORD by edit distance, or NULL where
 * none is near.
 */
const char *command_nearest(const char *word);

/* The start page, and the list of commands and forms alone. */
void command_print_start(FILE *out);
void command_print_list(FILE *out);

#endif
