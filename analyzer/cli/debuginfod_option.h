/*
 * debuginfod_option.h - the option --debuginfod[=URLS] of commands and reports.
 */
#ifndef CLI_DEBUGINFOD_OPTION_H
#define CLI_DEBUGINFOD_OPTION_H

#include <argp.h>

#include "symbol/debuginfod.h"

#define DEBUGINFOD_HELP \
	"Fetch debug information that is missing here from the servers at URLS (without: those " \
	"of $DEBUGINFOD_URLS)"

/*
 * The option's value where it is ARG (NULL: it has none): the servers, or "" for those of the
 * environment. Ends the program where no server is named.
 */
const char *option_debuginfod(struct argp_state *state, const char *arg);

/* debuginfod_new for such a value. Changes the environment: after the program to record was started. */
struct debuginfod *debuginfod_open(const char *urls, int (*stop)(void *ctx), void *ctx,
				   const char **reason);

#endif
