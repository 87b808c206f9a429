/*
 * run.h - for tests that run real programs: start one, keep what it printed;
 * record one; ask a form about the recording.
 *
 * Every test works in its own empty directory (workdir), removed at the end.
 */
#ifndef SUPPORT_RUN_H
#define SUPPORT_RUN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct result {
	int status;   /* exit status, or 128 + signal as a shell says it */
	int signal;   /* that ended it, else 0 */
	char *out;    /* stdout, NUL terminated */
	char *err;    /* stderr */
	size_t out_bytes;
};

/* cmocka set-up and tear-down: a fresh working directory, current while the test runs. */
int workdir_enter(void **state);
int workdir_leave(void **state);

/* A row of a test table whose test runs in a working directory of its own. */
#define LIVE_TEST(name) cmocka_unit_test_setup_teardown(name, workdir_enter, workdir_leave)

/* Path of a program of the build tree: built("tests/subjects/fork"). Static buffers, eight alive. */
const char *built(const char *relative);
/* Path in the source tree. */
const char *source(const char *relative);
/* Absolute path of the first of PROGRAM on PATH (or itself with a slash); NULL: none. */
const char *found(const char *program);

/* Run ARGV (NULL terminated), stdin from /dev/null. Fails the test where it cannot start. */
struct result run(const char *const argv[]);
/*
 * In a shell's commands: tries COMMAND for a minute or more, until it succeeds; with a status that
 * says whether. A condition is waited for so, never "long enough": the machine may be slow.
 */
#define UNTIL_TRUE(command) "for try in $(seq 1200); do " command " && break; sleep 0.05; done; "
#define UNTIL(file) UNTIL_TRUE("[ -e " file " ]")

/* The same by a shell: for pipelines. */
struct result run_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
void result_free(struct result *r);

/*
 * allotrope record -q -o test.data OPTIONS -- COMMAND (both as shell words) and the
 * result of the command. The recording is ./test.data.
 */
struct result record(const char *options, const char *command_format, ...)
	__attribute__((format(printf, 2, 3)));

/* allotrope ARGS (shell words): must exit 0; returns its stdout, the caller's. */
char *ask(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* allotrope summary --format=json test.data, parsed; the caller's (json_decref). */
json_t *summary(const char *options);

/* Integer at a dotted path ("calls.malloc"); fails the test where it is missing. */
long long number_at(const json_t *root, const char *path);
/* The same, 0 where it is missing. */
long long number_or_zero(const json_t *root, const char *path);

/* Fails the test where the recording lost anything or has unmatched frees. */
void assert_nothing_lost(const json_t *root);

/* First number in TEXT after LABEL; fails the test where there is none. Thousands commas are skipped. */
long long number_after(const char *text, const char *label);

#endif
