/*
 * test_course.c - the course and the lesson as a student walks through them: each command of
 * examples/README.md and docs/threshold.md works, in their order, and prints the lines that stand
 * below it, but for addresses, times, sizes and the width of columns. The figures themselves are
 * checked in test_examples.c and tests/oracle/test_threshold.c.
 */
#include "test.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/run.h"

static bool is_number_part(char c)
{
	return isxdigit((unsigned char)c) || c == 'x' || c == ',' || c == '.';
}

/* Units that depend on how large or how slow a thing was. */
static size_t unit_bytes(const char *s)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "B", "ns", "us", "ms", "s" };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t n = strlen(units[i]);

		if (strncmp(s, units[i], n) == 0 && !isalnum((unsigned char)s[n]))
			return n;
	}
	return 0;
}

/* LINE in place: # for a number with its unit, one blank for many, no rules, no blanks at the ends. */
static void make_shape(char *line)
{
	const char *from = line;
	char *to = line;

	while (*from) {
		if (isdigit((unsigned char)*from) || (isxdigit((unsigned char)*from) &&
		    strspn(from, "0123456789abcdef") >= 12)) {
			while (is_number_part(*from))
				from++;
			*to++ = '#';
			if (*from == ' ' && unit_bytes(from + 1))
				from += 1 + unit_bytes(from + 1);
		} else if (*from == ' ' || (*from == '-' && from[1] == '-')) {
			while (*from == ' ' || *from == '-')
				from++;
			if (to > line && *from)
				*to++ = ' ';
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

/* Does OUTPUT have a line of the same shape as EXPECTED? */
static bool has_line(const char *output, const char *expected)
{
	char *copy = strdup(output), *rest = copy, *line, *want = strdup(expected);
	bool found = false;

	make_shape(want);
	while (!found && (line = strsep(&rest, "\n")) != NULL) {
		make_shape(line);
		found = strcmp(line, want) == 0;
	}
	free(copy);
	free(want);
	return found;
}

/* What the kernel had in memory before differs: such a row may be missing. */
static bool may_be_missing(const char *line)
{
	return strcmp(line + strspn(line, " "), "...") == 0 || strncmp(line, "paged in ", 9) == 0 ||
	       *line == '\0';
}

/* Runs what stands behind "$ "; its output, the caller's. */
static char *run_command(const char *command)
{
	struct result r = run_shell("PATH='%s':'%s':\"$PATH\"; export ALLOTROPE_PAGER=; %s",
				    built("."), built("examples"), command);

	if (r.status != 0)
		fail_msg("$ %s\nstatus %d: %s", command, r.status, r.err);
	free(r.err);
	return r.out;
}

static char *forget(char *output)
{
	free(output);
	return NULL;
}

/* Each indented block of the document at PATH. Returns the number of commands. */
static int walk(const char *path)
{
	FILE *in = fopen(source(path), "r");
	char line[1000], *output = NULL;
	int commands = 0;

	assert_non_null(in);
	while (fgets(line, sizeof(line), in)) {
		const char *text = line + 4;

		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "    ", 4) != 0) {
			if (*line)
				output = forget(output);
		} else if (strncmp(text, "$ ", 2) == 0) {
			free(output);
			output = run_command(text + 2);
			commands++;
		} else if (output && !may_be_missing(text) && !has_line(output, text)) {
			fail_msg("%s: '%s' is not in:\n%.1500s", path, text, output);
		}
	}
	free(output);
	fclose(in);
	return commands;
}

TEST(test_every_command_of_the_course_prints_what_stands_below_it)
{
	assert_in_range(walk("examples/README.md"), 40, 100);
}

TEST(test_every_command_of_the_lesson_prints_what_stands_below_it)
{
	assert_in_range(walk("docs/threshold.md"), 15, 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_every_command_of_the_course_prints_what_stands_below_it),
		LIVE_TEST(test_every_command_of_the_lesson_prints_what_stands_below_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
