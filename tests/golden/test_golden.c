/*
 * test_golden.c - whole outputs. A case is a folder with
 *	cmd            arguments of allotrope, as a shell reads them; run in recordings/
 *	stdout.exact   what it prints
 *	stderr.exact   what it says on standard error; no such file: nothing
 *	status         its exit status; no such file: 0
 * UPDATE=1 writes what came instead of comparing it: review that like code.
 */
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmem.h"
#include "support/run.h"

#define CASES_MAX 200

static struct CMUnitTest cases[CASES_MAX];
static size_t case_count;

static char *read_file(const char *name, const char *file)
{
	char path[512];
	char *text = NULL;
	size_t bytes = 0, n;
	char buffer[4096];
	FILE *in, *out;

	snprintf(path, sizeof(path), "%s/tests/golden/%s/%s", SOURCE_DIR, name, file);
	in = fopen(path, "r");
	if (!in)
		return NULL;
	out = open_memstream(&text, &bytes);
	while ((n = fread(buffer, 1, sizeof(buffer), in)) > 0)
		fwrite(buffer, 1, n, out);
	fclose(in);
	fclose(out);
	return text;
}

static void write_file(const char *name, const char *file, const char *text)
{
	char path[512];
	FILE *out;

	snprintf(path, sizeof(path), "%s/tests/golden/%s/%s", SOURCE_DIR, name, file);
	if (!*text) {
		unlink(path);
		return;
	}
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void compare(const char *name, const char *file, const char *got)
{
	char *expected = read_file(name, file);

	if (strcmp(expected ? expected : "", got) != 0)
		fail_msg("%s/%s differs\n--- expected\n%s--- got\n%s", name, file,
			 expected ? expected : "", got);
	free(expected);
}

static void run_case(void **state)
{
	const char *name = *state;
	char *cmd = read_file(name, "cmd");
	char status[16] = "";
	struct result r;

	assert_non_null(cmd);
	r = run_shell("cd '%s/tests/golden/recordings' && TZ=UTC LC_ALL=C NO_COLOR=1 PAGER= COLUMNS=80 "
		      "ARGP_HELP_FMT= '%s' %s", SOURCE_DIR, built("allotrope"), cmd);
	if (r.status != 0)
		snprintf(status, sizeof(status), "%d\n", r.status);
	if (getenv("UPDATE")) {
		write_file(name, "stdout.exact", r.out);
		write_file(name, "stderr.exact", r.err);
		write_file(name, "status", status);
	}
	compare(name, "stdout.exact", r.out);
	compare(name, "stderr.exact", r.err);
	compare(name, "status", status);
	result_free(&r);
	free(cmd);
}

static int compare_names(const void *a, const void *b)
{
	const struct CMUnitTest *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void collect_cases(void)
{
	DIR *folder = opendir(SOURCE_DIR "/tests/golden");
	struct dirent *entry;
	char *cmd;

	while (folder && (entry = readdir(folder)) != NULL && case_count < CASES_MAX) {
		cmd = entry->d_name[0] == '.' ? NULL : read_file(entry->d_name, "cmd");
		if (!cmd)
			continue;
		free(cmd);
		cases[case_count++] = (struct CMUnitTest){
			.name = xstrdup(entry->d_name),
			.test_func = run_case,
		};
	}
	if (folder)
		closedir(folder);
	qsort(cases, case_count, sizeof(*cases), compare_names);
	for (size_t i = 0; i < case_count; i++)
		cases[i].initial_state = (void *)(uintptr_t)cases[i].name;
}

int main(void)
{
	collect_cases();
	if (case_count == 0) {
		fprintf(stderr, "no golden cases in %s/tests/golden\n", SOURCE_DIR);
		return 1;
	}
	return _cmocka_run_group_tests("golden", cases, case_count, NULL, NULL);
}
