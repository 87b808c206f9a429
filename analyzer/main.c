/*
 * main.c - the word after `allotrope` chooses a command or a report. Promises that
 * success is claimed only after everything written to standard output arrived.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "cli/command.h"
#include "version.h"

static int unknown_word(const char *word)
{
	const char *nearest = command_nearest(word);
	struct stat st;

	if (word[0] == '-')
		diag_print(NULL, "'%s' is no option of allotrope itself: a command comes first", word);
	else if (nearest)
		diag_print(NULL, "'%s' is neither a command nor a report; did you mean '%s'?",
			   word, nearest);
	else if (stat(word, &st) == 0 && S_ISREG(st.st_mode) && access(word, X_OK) == 0)
		diag_print(NULL, "'%s' is neither a command nor a report; to run it: allotrope "
			   "record %s", word, word);
	else if (stat(word, &st) == 0 && S_ISREG(st.st_mode))
		diag_print(NULL, "'%s' is neither a command nor a report; to read it: allotrope "
			   "summary %s", word, word);
	else
		diag_print(NULL, "'%s' is neither a command nor a report", word);
	fputc('\n', stderr);
	command_print_list(stderr);
	return STATUS_USAGE;
}

static int run(int argc, char **argv)
{
	const struct command *command;
	const struct form *form;

	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		command_print_start(stdout);
		return STATUS_OK;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		printf("allotrope %s (recording format %d)\n", ALLOTROPE_VERSION,
		       FORMAT_VERSION);
		return STATUS_OK;
	}
	command = command_find(argv[1]);
	if (command)
		return command->run(argc - 1, argv + 1);
	form = form_find(argv[1]);
	if (form)
		return command_run_form(form, argc - 1, argv + 1);
	return unknown_word(argv[1]);
}

int main(int argc, char **argv)
{
	int status = run(argc, argv);

	/* a report that failed has said why */
	if ((fflush(stdout) != 0 || ferror(stdout)) && status == STATUS_OK) {
		diag_print(NULL, "cannot write standard output: %s", strerror(errno));
		status = STATUS_IO;
	}
	return status;
}
