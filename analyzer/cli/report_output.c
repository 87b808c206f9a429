/*
 * report_output.c - where a report goes, and what that decides: colour, width, pager.
 */
#include "cli/report_output.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/term.h"

/* The command that pages, or NULL. */
static const char *pager(const struct form_options *o)
{
	const char *command = getenv("PAGER");

	if (o->no_pager || (o->out_path && strcmp(o->out_path, "-") != 0) ||
	    isatty(STDOUT_FILENO) != 1)
		return NULL;
	if (!command)
		command = "less";
	if (!*command || strcmp(command, "cat") == 0)
		return NULL;
	setenv("LESS", "FRX", 0);
	return command;
}

int report_output_open(struct out *out, struct run *run, const struct form_options *o)
{
	bool is_file = o->out_path && strcmp(o->out_path, "-") != 0;

	if (run->own_format && run->own_format->is_binary && !o->out_path &&
	    isatty(STDOUT_FILENO) == 1)
		return diag_set(run->diag, STATUS_USAGE,
				"a terminal cannot show '%s': write it to a file (-o FILE)",
				run->own_format->name);
	run->color = run->format == EMIT_TEXT && !run->own_format &&
		     term_has_color(is_file && o->color == COLOR_AUTO ? COLOR_NEVER : o->color,
				    STDOUT_FILENO, getenv("TERM"), getenv("NO_COLOR"));
	run->is_utf8 = term_is_utf8(getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG"));
	run->terminal_columns = is_file ? 0 : term_columns(STDOUT_FILENO);
	run->width = is_file ? 80 : term_width(STDOUT_FILENO, 80);
	run->out_path = is_file ? o->out_path : NULL;
	if (out_open(out, run->own_format && run->own_format->is_folder ? NULL : o->out_path, pager(o),
		     run->diag) != 0)
		return -1;
	run->out = out->file;
	return 0;
}
