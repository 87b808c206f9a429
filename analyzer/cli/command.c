/*
 * command.c - the table of commands, option parsing with this program's habits,
 * the nearest word to a mistyped one, and the start page.
 */
#include "cli/command.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/term.h"
#include "base/visible.h"
#include "base/xmem.h"
#include "cli/option_names.h"
#include "version.h"

#define COMMAND(name) extern const struct command command_##name;
#include "cli/commands.def"
#undef COMMAND

const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "cli/commands.def"
#undef COMMAND
	NULL,
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static void print_version(FILE *out, struct argp_state *state)
{
	(void)state;
	fprintf(out, "allotrope %s (recording format %d)\n", ALLOTROPE_VERSION,
		FORMAT_VERSION);
}

int command_parse(const struct argp *argp, int argc, char **argv,
		  unsigned flags, void *input)
{
	char *name = argv[0];
	char *full_name = xasprintf("allotrope %s", name);
	const char *strange;
	int result;

	argp_program_version_hook = print_version;
	argp_err_exit_status = STATUS_USAGE;
	/* argp has -? only; record's own options end at the program, so just the first word */
	if (argc > 1 && strcmp(argv[1], "-h") == 0)
		argv[1] = (char *)"--help";
	argv[0] = full_name;
	strange = option_names_strange(argp, flags, argc, argv);
	if (strange)
		command_usage_error(&(struct argp_state){ .name = full_name },
				    "there is no option '%s'", strange);
	result = argp_parse(argp, argc, argv, flags, NULL, input);
	argv[0] = name;
	free(full_name);
	return result;
}

void command_usage_error(const struct argp_state *state, const char *format, ...)
{
	const char *name = state->name ? state->name : "allotrope";
	char *text, *safe;
	va_list ap;

	va_start(ap, format);
	text = xvasprintf(format, ap);
	va_end(ap);
	safe = visible_text(text);
	free(text);
	fflush(stdout);
	fprintf(stderr, "%s: %s\nTry '%s --help'.\n", name, safe, name);
	free(safe);
	exit(STATUS_USAGE);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edits (insert, delete, exchange, swap of neighbours) from A to B; both short. */
static size_t edit_distance(const char *a, const char *b)
{
	enum { LONGEST = 32 };
	size_t rows[3][LONGEST + 1];
	size_t *before = rows[0], *last = rows[1], *row = rows[2];
	size_t a_bytes = strlen(a), b_bytes = strlen(b);

	if (a_bytes > LONGEST || b_bytes > LONGEST)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_bytes; j++)
		last[j] = j;
	for (size_t i = 1; i <= a_bytes; i++) {
		size_t *free_row = before;

		row[0] = i;
		for (size_t j = 1; j <= b_bytes; j++) {
			row[j] = last[j - 1] + (a[i - 1] != b[j - 1]);
			row[j] = least(row[j], last[j] + 1);
			row[j] = least(row[j], row[j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = free_row;
	}
	return last[b_bytes];
}

static void consider(const char *word, const char *name, const char **best,
		     size_t *distance)
{
	size_t d = edit_distance(word, name);

	/* the beginning of a name is near, however much is missing */
	if (strlen(word) >= 2 && strncmp(word, name, strlen(word)) == 0)
		d = 1;
	if (d < *distance) {
		*distance = d;
		*best = name;
	}
}

const char *command_nearest(const char *word)
{
	const char *best = NULL;
	size_t distance = least(3, strlen(word) / 2 + 1);

	for (size_t i = 0; commands[i]; i++)
		consider(word, commands[i]->name, &best, &distance);
	for (size_t i = 0; forms[i]; i++)
		consider(word, forms[i]->name, &best, &distance);
	return best;
}

static void print_row(FILE *out, bool color, const char *name, const char *summary)
{
	fprintf(out, "  %s%-10s%s %s\n", term_style(color, STYLE_KEY), name,
		term_plain(color), summary);
}

static bool has_color(FILE *out)
{
	return term_has_color(COLOR_AUTO, fileno(out), getenv("TERM"),
			      getenv("NO_COLOR"));
}

void command_print_list(FILE *out)
{
	bool color = has_color(out);

	fprintf(out, "%sCommands%s\n", term_style(color, STYLE_HEAD), term_plain(color));
	for (size_t i = 0; commands[i]; i++)
		print_row(out, color, commands[i]->name, commands[i]->summary);
	fprintf(out, "\n%sReports%s (of allotrope.data, or of the FILE named)\n",
		term_style(color, STYLE_HEAD), term_plain(color));
	for (size_t i = 0; forms[i]; i++)
		print_row(out, color, forms[i]->name, forms[i]->summary);
}

void command_print_start(FILE *out)
{
	bool color = has_color(out);

	fprintf(out, "%sallotrope%s: where a program's memory goes. One recording, read in many "
		"forms.\n\n",
		term_style(color, STYLE_HEAD), term_plain(color));
	fprintf(out, "  %sallotrope record -- python3 app.py%s   run the program, unmodified\n",
		term_style(color, STYLE_GOOD), term_plain(color));
	fprintf(out, "  %sallotrope summary%s                    one screen: where it is, what to do\n\n",
		term_style(color, STYLE_GOOD), term_plain(color));
	command_print_list(out);
	fprintf(out, "\n'allotrope NAME --help' tells the options; 'man allotrope' the whole.\n");
}
