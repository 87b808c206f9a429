/*
 * debuginfod_option.c - which servers are asked. libdebuginfod reads them from the
 * environment itself, so that is where a value of the option goes, late: a program that is
 * recorded must not see it.
 */
#include "cli/debuginfod_option.h"

#include <stdlib.h>

#include "cli/command.h"

#define VARIABLE "DEBUGINFOD_URLS"

const char *option_debuginfod(struct argp_state *state, const char *arg)
{
	const char *urls = arg ? arg : getenv(VARIABLE);

	if (!urls || !*urls)
		command_usage_error(state, "--debuginfod: no server is named: write --debuginfod=URL, or set "
				    VARIABLE " (Debian's is https://debuginfod.debian.net)");
	return arg ? arg : "";
}

struct debuginfod *debuginfod_open(const char *urls, int (*stop)(void *ctx), void *ctx,
				   const char **reason)
{
	if (*urls)
		setenv(VARIABLE, urls, 1);
	return debuginfod_new(stop, ctx, reason);
}
