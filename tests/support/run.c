/*
 * run.c - starts programs for tests and reads what allotrope says of them. All
 * failures are cmocka failures with the program's output shown.
 */
#include "support/run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#ifndef BUILD_DIR
#error "BUILD_DIR and SOURCE_DIR come from the Makefile"
#endif

static char workdir[64];

int workdir_enter(void **state)
{
	(void)state;
	strcpy(workdir, "/tmp/allotrope-test.XXXXXX");
	if (!mkdtemp(workdir) || chdir(workdir))
		return -1;
	setenv("LC_ALL", "C", 1);
	setenv("NO_COLOR", "1", 1);
	setenv("ALLOTROPE_PAGER", "", 1);
	return 0;
}

int workdir_leave(void **state)
{
	char command[128];

	(void)state;
	if (chdir("/"))
		return -1;
	snprintf(command, sizeof(command), "rm -rf '%s'", workdir);
	return getenv("KEEP") ? 0 : system(command);
}

static char *next_buffer(void)
{
	static char buffers[8][PATH_MAX];
	static unsigned next;

	return buffers[next++ % 8];
}

const char *built(const char *relative)
{
	char *path = next_buffer();

	snprintf(path, PATH_MAX, "%s/%s", BUILD_DIR, relative);
	return path;
}

const char *source(const char *relative)
{
	char *path = next_buffer();

	snprintf(path, PATH_MAX, "%s/%s", SOURCE_DIR, relative);
	return path;
}

const char *found(const char *program)
{
	const char *path = getenv("PATH");
	char *full = next_buffer();

	if (strchr(program, '/'))
		return access(program, X_OK) == 0 ? program : NULL;
	while (path && *path) {
		int length = (int)strcspn(path, ":");

		snprintf(full, PATH_MAX, "%.*s/%s", length, path, program);
		if (access(full, X_OK) == 0)
			return full;
		path += length;
		path += *path == ':';
	}
	return NULL;
}

static char *read_all(const char *path, size_t *bytes)
{
	FILE *file = fopen(path, "rb");
	size_t capacity = 4096, used = 0, got;
	char *text = malloc(capacity);

	assert_non_null(file);
	while ((got = fread(text + used, 1, capacity - used - 1, file)) > 0) {
		used += got;
		if (capacity - used < 2)
			text = realloc(text, capacity *= 2);
		assert_non_null(text);
	}
	text[used] = '\0';
	fclose(file);
	if (bytes)
		*bytes = used;
	return text;
}

struct result run(const char *const argv[])
{
	struct result r = { 0 };
	char out[] = "/tmp/allotrope-out.XXXXXX", err[] = "/tmp/allotrope-err.XXXXXX";
	int out_fd = mkostemp(out, O_CLOEXEC), err_fd = mkostemp(err, O_CLOEXEC), status;
	pid_t pid;

	assert_true(out_fd >= 0 && err_fd >= 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		dup2(null_fd, 0);
		dup2(out_fd, 1);
		dup2(err_fd, 2);
		execvp(argv[0], (char *const *)argv);
		dprintf(2, "cannot run '%s': %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	r.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	r.status = r.signal ? 128 + r.signal : WEXITSTATUS(status);
	close(out_fd);
	close(err_fd);
	r.out = read_all(out, &r.out_bytes);
	r.err = read_all(err, NULL);
	unlink(out);
	unlink(err);
	return r;
}

static struct result run_shell_list(const char *format, va_list list)
{
	char *command = NULL;
	struct result r;

	assert_true(vasprintf(&command, format, list) > 0);
	r = run((const char *const[]){ "/bin/bash", "-c", command, NULL });
	free(command);
	return r;
}

struct result run_shell(const char *format, ...)
{
	struct result r;
	va_list list;

	va_start(list, format);
	r = run_shell_list(format, list);
	va_end(list);
	return r;
}

void result_free(struct result *r)
{
	free(r->out);
	free(r->err);
	memset(r, 0, sizeof(*r));
}

struct result record(const char *options, const char *command_format, ...)
{
	char *command = NULL;
	struct result r;
	va_list list;

	va_start(list, command_format);
	assert_true(vasprintf(&command, command_format, list) > 0);
	va_end(list);
	r = run_shell("exec '%s' record -q -o test.data %s -- %s",
		      built("allotrope"), options, command);
	free(command);
	return r;
}

char *ask(const char *format, ...)
{
	char *args = NULL;
	struct result r;
	va_list list;

	va_start(list, format);
	assert_true(vasprintf(&args, format, list) > 0);
	va_end(list);
	r = run_shell("exec '%s' %s", built("allotrope"), args);
	if (r.status != 0)
		fail_msg("allotrope %s: status %d: %s", args, r.status, r.err);
	free(args);
	free(r.err);
	return r.out;
}

json_t *summary(const char *options)
{
	char *text = ask("summary --format=json %s test.data", options);
	json_error_t error;
	json_t *root = json_loads(text, 0, &error);

	if (!root)
		fail_msg("summary is no JSON: %s in: %.300s", error.text, text);
	free(text);
	return root;
}

static const json_t *value_at(const json_t *root, const char *path)
{
	while (root && *path) {
		size_t length = strcspn(path, ".");
		char key[128];

		snprintf(key, sizeof(key), "%.*s", (int)length, path);
		root = json_object_get(root, key);
		path += length;
		path += *path == '.';
	}
	return root;
}

long long number_at(const json_t *root, const char *path)
{
	const json_t *value = value_at(root, path);

	if (!json_is_number(value))
		fail_msg("no number '%s' in the JSON", path);
	return (long long)json_number_value(value);
}

long long number_or_zero(const json_t *root, const char *path)
{
	const json_t *value = value_at(root, path);

	return json_is_number(value) ? (long long)json_number_value(value) : 0;
}

void assert_nothing_lost(const json_t *root)
{
	const json_t *losses = json_object_get(root, "losses");
	const json_t *unmatched = json_object_get(root, "unmatched_frees");

	assert_true(json_is_object(losses));
	if (json_object_size(losses) != 0) {
		char *text = json_dumps(losses, 0);

		fail_msg("losses: %s", text);
	}
	assert_true(json_is_integer(unmatched));
	if (json_integer_value(unmatched) != 0)
		fail_msg("%lld unmatched frees", (long long)json_integer_value(unmatched));
}

long long number_after(const char *text, const char *label)
{
	const char *p = strstr(text, label);
	long long value = 0;

	if (!p)
		fail_msg("no '%s' in: %.500s", label, text);
	p += strlen(label);
	p += strcspn(p, "0123456789\n");
	if (*p < '0' || *p > '9')
		fail_msg("no number after '%s'", label);
	for (; (*p >= '0' && *p <= '9') || *p == ','; p++)
		if (*p != ',')
			value = value * 10 + (*p - '0');
	return value;
}
