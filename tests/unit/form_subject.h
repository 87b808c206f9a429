/*
 * form_subject.h - for tests of forms: run one over a recording as the command
 * line would, and get what it printed.
 */
#ifndef UNIT_FORM_SUBJECT_H
#define UNIT_FORM_SUBJECT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#include "base/xmem.h"
#include "cli/command.h"
#include "fixture/mktrace.h"

/* Everything in FILE; the caller's. */
static inline char *read_all(const char *path)
{
	char *text = NULL;
	size_t bytes, n;
	char buffer[4096];
	FILE *in = fopen(path, "r");
	FILE *out = open_memstream(&text, &bytes);

	assert_non_null(in);
	assert_non_null(out);
	while ((n = fread(buffer, 1, sizeof(buffer), in)) > 0)
		fwrite(buffer, 1, n, out);
	fclose(in);
	fclose(out);
	return text;
}

/*
 * Run "NAME OPTIONS" over PATH; must succeed. What it wrote as its report; the
 * caller's. Words are separated by single spaces.
 */
static inline char *form_output(const char *path, const char *words)
{
	char name[] = "/tmp/form_subject.XXXXXX";
	char *args[40];
	char *copy = xstrdup(words);
	char *rest = copy;
	char *word, *text;
	int count = 0, fd;

	fd = mkstemp(name);
	assert_true(fd >= 0);
	close(fd);
	while ((word = strsep(&rest, " ")) != NULL && count < 30)
		args[count++] = word;
	args[count++] = (char *)"-o";
	args[count++] = name;
	args[count++] = (char *)path;
	args[count] = NULL;
	assert_non_null(form_find(args[0]));
	assert_int_equal(command_run_form(form_find(args[0]), count, args), 0);
	text = read_all(name);
	unlink(name);
	free(copy);
	return text;
}

/* The report of "NAME OPTIONS" over PATH is EXPECTED. */
static inline void assert_report(const char *path, const char *words, const char *expected)
{
	char *text = form_output(path, words);

	assert_string_equal(text, expected);
	free(text);
}

/* The report holds EXPECTED somewhere. */
static inline void assert_report_has(const char *path, const char *words, const char *expected)
{
	char *text = form_output(path, words);

	if (!strstr(text, expected))
		fail_msg("'%s' is not in:\n%s", expected, text);
	free(text);
}

static inline void assert_report_lacks(const char *path, const char *words, const char *unexpected)
{
	char *text = form_output(path, words);

	if (strstr(text, unexpected))
		fail_msg("'%s' is in:\n%s", unexpected, text);
	free(text);
}

#endif
