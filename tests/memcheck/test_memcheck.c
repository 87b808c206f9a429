/*
 * test_memcheck.c - the analyzer under valgrind's memcheck: no use of what is not initialised or not
 * there, no block that nobody can free any more.
 *
 * Starting a program under memcheck takes a second, so all reports run in one process: this
 * program, started again with the name of a recording. Commands that make processes run as
 * they are.
 */
#include "test.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "cli/command.h"
#include "fuzz/fuzz.h"
#include "support/run.h"

/* No program of this project exits so. */
#define FOUND 99
#define WORDS_MAX 8

/* ---- inside: reports one after another ---- */

static void report(const struct form *form, const char *const words[], const char *path)
{
	static unsigned count;
	char *argv[WORDS_MAX + 5] = { (char *)form->name }, output[32];
	int argc = 1, status;

	/* some make a folder of that name */
	snprintf(output, sizeof(output), "--output=out-%u", count++);

	for (size_t i = 0; i < WORDS_MAX && words[i]; i++)
		argv[argc++] = (char *)words[i];
	/* it has nothing to say without a limit */
	if (strcmp(form->name, "check") == 0)
		argv[argc++] = (char *)"--max-peak=1K";
	argv[argc++] = output;
	argv[argc++] = (char *)path;
	status = command_run_form(form, argc, argv);
	if (status == STATUS_OK || status == STATUS_CONDITION || status == STATUS_USAGE)
		return;
	fprintf(stderr, "%s %s %s: status %d\n", form->name, words[0] ? words[0] : "", path, status);
	exit(FOUND);
}

/* The form as it is, of all images, and in each format. */
static void report_formats(const struct form *form, const char *path)
{
	static const char *const common[] = { "text", "csv", "json" };
	char option[64];

	report(form, (const char *const[]){ NULL }, path);
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
		const unsigned without[] = { WITHOUT_TEXT, WITHOUT_CSV, WITHOUT_JSON };

		snprintf(option, sizeof(option), "--format=%s", common[i]);
		if (!(form->without & without[i]))
			report(form, (const char *const[]){ option, "--all", NULL }, path);
	}
	for (const struct form_format *f = form->formats; f && f->name; f++) {
		snprintf(option, sizeof(option), "--format=%s", f->name);
		if (strcmp(f->name, "png") != 0 || found("gnuplot"))
			report(form, (const char *const[]){ option, NULL }, path);
	}
}

static int inside(const char *path)
{
	for (const struct form *const *form = forms; *form; form++)
		report_formats(*form, path);
	return 0;
}

/* The rows of options that the fuzzer knows, each on the input at PATH. */
static int inside_rows(const char *path)
{
	static uint8_t bytes[65536];
	FILE *f = fopen(path, "rb");
	size_t count = f ? fread(bytes, 1, sizeof(bytes), f) : 0;

	if (count < 2)
		return 1;
	fclose(f);
	for (size_t row = 0; row < fuzz_form_rows; row++) {
		bytes[0] = (uint8_t)row;
		fuzz_forms(bytes, count);
	}
	return 0;
}

/* ---- outside ---- */

/* COMMAND, shell words, under memcheck: ends with STATUS. */
static void check_clean(int status, const char *command)
{
	struct result r, log;

	if (!found("valgrind"))
		SKIP("valgrind is not installed");
	r = run_shell("valgrind --quiet --log-file=log --error-exitcode=%d --leak-check=full "
		      "--num-callers=20 --errors-for-leak-kinds=definite,indirect "
		      "--show-leak-kinds=definite,indirect %s", FOUND, command);
	log = run_shell("cat log");
	if (r.status != status || *log.out)
		fail_msg("%s: status %d\n%s%s", command, r.status, log.out, r.err);
	result_free(&log);
	result_free(&r);
}

static void check_inside(const char *how, const char *relative)
{
	char command[2048];

	snprintf(command, sizeof(command), "%s %s %s", built("tests/memcheck/test_memcheck"), how,
		 source(relative));
	check_clean(STATUS_OK, command);
}

static void check_command(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void check_command(int status, const char *format, ...)
{
	char words[1024], command[2048];
	va_list ap;

	va_start(ap, format);
	vsnprintf(words, sizeof(words), format, ap);
	va_end(ap);
	snprintf(command, sizeof(command), "%s %s", built("allotrope"), words);
	check_clean(status, command);
}

TEST(test_every_report_of_a_family_of_processes_is_clean)
{
	check_inside("--reports", "tests/golden/recordings/family.data");
}

TEST(test_every_report_of_all_kinds_of_calls_is_clean)
{
	check_inside("--reports", "tests/golden/recordings/semantics.data");
}

TEST(test_every_row_of_options_is_clean)
{
	check_inside("--rows", "tests/fuzz/corpus/forms/large");
}

TEST(test_every_row_of_options_of_a_damaged_recording_is_clean)
{
	check_inside("--rows", "tests/fuzz/corpus/forms/found-01");
}

TEST(test_recording_a_program_is_clean)
{
	check_command(STATUS_OK, "record -q -o test.data --ring=4M -- /bin/sh -c 'ls / | sort >/dev/null; "
		      "ls /etc >/dev/null'");
	check_command(STATUS_OK, "info test.data");
}

TEST(test_recovering_a_ring_is_clean)
{
	struct result r = run_shell("ALLOTROPE_OUT=ring LD_PRELOAD=%s /bin/ls / >/dev/null",
				    built("liballotrope.so"));

	assert_int_equal(r.status, 0);
	result_free(&r);
	check_command(STATUS_OK, "recover -o test.data ring");
}

TEST(test_other_commands_are_clean)
{
	check_command(STATUS_OK, "info --format=json %s", source("tests/golden/recordings/family.data"));
	check_command(STATUS_OK, "diff --format=json %s %s", source("tests/golden/recordings/old.data"),
		      source("tests/golden/recordings/new.data"));
	check_command(STATUS_OK, "help");
	check_command(STATUS_USAGE, "sites --since=mark:none %s",
		      source("tests/golden/recordings/family.data"));
	check_command(STATUS_IO, "sites /dev/null");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_every_report_of_a_family_of_processes_is_clean),
		LIVE_TEST(test_every_report_of_all_kinds_of_calls_is_clean),
		LIVE_TEST(test_every_row_of_options_is_clean),
		LIVE_TEST(test_every_row_of_options_of_a_damaged_recording_is_clean),
		LIVE_TEST(test_recording_a_program_is_clean),
		LIVE_TEST(test_recovering_a_ring_is_clean),
		LIVE_TEST(test_other_commands_are_clean),
	};

	if (argc == 3 && strcmp(argv[1], "--reports") == 0)
		return inside(argv[2]);
	if (argc == 3 && strcmp(argv[1], "--rows") == 0)
		return inside_rows(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
