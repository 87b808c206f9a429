/*
 * cmd_help.c - `allotrope help [NAME]`: the start page, or the options of one
 * command or report.
 */
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "cli/command.h"

static int run_help(int argc, char **argv)
{
	char option[] = "--help";
	char *args[] = { NULL, option, NULL };
	const struct command *command;
	const struct form *form;

	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		command_print_start(stdout);
		return STATUS_OK;
	}
	args[0] = argv[1];
	command = command_find(argv[1]);
	if (command && strcmp(command->name, "help") != 0)
		return command->run(2, args);
	form = form_find(argv[1]);
	if (form)
		return command_run_form(form, 2, args);
	if (command) {
		command_print_start(stdout);
		return STATUS_OK;
	}
	diag_print(NULL, "'%s' is neither a command nor a report", argv[1]);
	fputc('\n', stderr);
	command_print_list(stderr);
	return STATUS_USAGE;
}

const struct command command_help = {
	.name = "help",
	.summary = "this page; 'help NAME': the options of NAME",
	.run = run_help,
};
