/*
 * test_task_calls.c - exec and wait with a record, made directly: arguments, results and
 * errors are the kernel's.
 */
#include "test.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "own_ring.h"
#include "task_calls.h"
#include "varint.h"

static int begin(void **state)
{
	(void)state;
	own_ring_make(1, 1, WHEN_FULL_WAIT, false);
	return 0;
}

static int end(void **state)
{
	(void)state;
	own_ring_drop();
	return 0;
}

/* The Nth record of the area, from 0; NULL: there are fewer. */
static const struct meta_header *record_at(unsigned n)
{
	const uint8_t *p = session.meta;
	const struct meta_header *h = (const struct meta_header *)p;

	while (n-- && h->magic == META_MAGIC) {
		p += META_SPAN(h->bytes);
		h = (const struct meta_header *)p;
	}
	return h->magic == META_MAGIC ? h : NULL;
}

/* Its first five numbers; the rest begins at the result. */
static const uint8_t *numbers(const struct meta_header *h, unsigned count, uint64_t v[5])
{
	const uint8_t *p = (const uint8_t *)(h + 1);

	for (unsigned i = 0; i < count; i++)
		p = varint_get(p, (const uint8_t *)(h + 1) + h->bytes, &v[i]);
	return p;
}

static long call_exec(const void *path, const void *argv, const void *env)
{
	const long args[6] = { (long)path, (long)argv, (long)env };

	return task_call(SYS_execve, args);
}

static char *const here[] = { (char *)"LD_PRELOAD=/x/liballotrope.so", (char *)"ALLOTROPE_RING=/y", NULL };

TEST(test_an_exec_that_fails_is_recorded_with_its_error)
{
	char *const argv[] = { (char *)"tool", (char *)"-x", NULL };
	const struct meta_header *h;
	const uint8_t *p;
	uint64_t v[5];

	assert_int_equal(call_exec("/nonexistent/tool", argv, here), -ENOENT);
	h = record_at(0);
	assert_int_equal(h->kind, META_EXEC);
	p = numbers(h, 5, v);
	assert_int_equal(v[0], getpid());
	assert_int_equal(v[2], session.image);
	assert_int_equal(v[3], 0);
	assert_int_equal(v[4], ENOENT);
	assert_memory_equal(p, "\x11/nonexistent/tool\x08tool\0-x", 27);
	assert_null(record_at(1));
	/* a file that is there: once before, once after */
	assert_int_equal(call_exec("/etc/passwd", argv, here), -EACCES);
	numbers(record_at(1), 5, v);
	assert_int_equal(v[4], 0);
	numbers(record_at(2), 5, v);
	assert_int_equal(v[4], EACCES);
}

TEST(test_the_environment_is_looked_at)
{
	static char *const empty[] = { NULL };
	static char *const no_preload[] = { (char *)"A=liballotrope", here[1], NULL };
	static char *const other_preload[] = { (char *)"LD_PRELOAD=libother.so", here[1], NULL };
	static char *const no_ring[] = { here[0], NULL };
	static const struct { char *const *env; uint64_t flags; } cases[] = {
		{ NULL, 1u << EXEC_NO_ENVIRONMENT }, { empty, 1u << EXEC_NO_ENVIRONMENT },
		{ no_preload, 1u << EXEC_NO_PRELOAD }, { other_preload, 1u << EXEC_NO_PRELOAD },
		{ no_ring, 1u << EXEC_NO_RING }, { here, 0 },
	};
	uint64_t v[5];

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(call_exec("/etc/passwd", NULL, cases[i].env), -EACCES);
		numbers(record_at(2 * i), 5, v);
		assert_int_equal(v[3] & ~(1u << EXEC_OTHER_FORMAT), cases[i].flags);
	}
}

TEST(test_pointers_that_cannot_be_read_are_the_kernels_to_refuse)
{
	static const void *const bad[] = { NULL, (void *)1, (void *)8, (void *)0x7fffffffffff,
					   (void *)(1ul << 60) };

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(call_exec(bad[i], NULL, NULL), -EFAULT);
		/* a NULL list is empty for Linux: the file's error */
		assert_true(call_exec("/etc/passwd", bad[i], bad[i]) < 0);
		if (i > 0)
			assert_int_equal(call_exec("/bin/true", bad[i], here), -EFAULT);
	}
}

TEST(test_long_paths_and_arguments_are_cut)
{
	char path[3000];
	char *const argv[] = { path, path, NULL };

	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(call_exec(path, argv, here), -ENAMETOOLONG);
	assert_in_range(record_at(0)->bytes, 500, 800);
}

static pid_t child(int status, int signal)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (signal)
		kill(getpid(), signal);
	_exit(status);
}

static void check_status(unsigned n, pid_t pid, int status)
{
	const struct meta_header *h = record_at(n);
	uint64_t v[5];

	assert_non_null(h);
	assert_int_equal(h->kind, META_STATUS);
	numbers(h, 3, v);
	assert_int_equal(v[0], pid);
	assert_int_equal(unzigzag(v[2]), status);
}

TEST(test_ends_that_a_parent_is_told_are_recorded)
{
	siginfo_t info;
	int status = 0;
	pid_t pid = child(3, 0);
	long args[6] = { pid, (long)&status };

	assert_int_equal(task_call(SYS_wait4, args), pid);
	assert_int_equal(WEXITSTATUS(status), 3);
	check_status(0, pid, 3 << 8);
	/* a parent that does not want to know */
	args[0] = pid = child(0, SIGKILL);
	args[1] = 0;
	assert_int_equal(task_call(SYS_wait4, args), pid);
	check_status(1, pid, SIGKILL);
	pid = child(300, 0);
	memcpy(args, (long[6]){ P_PID, pid, (long)&info, WEXITED }, sizeof(args));
	assert_int_equal(task_call(SYS_waitid, args), 0);
	assert_int_equal(info.si_pid, pid);
	check_status(2, pid, (300 & 0xff) << 8);
	pid = child(0, SIGTERM);
	memcpy(args, (long[6]){ P_PID, pid, 0, WEXITED | WNOWAIT }, sizeof(args));
	assert_int_equal(task_call(SYS_waitid, args), 0);
	assert_null(record_at(3));
	args[3] = WEXITED;
	assert_int_equal(task_call(SYS_waitid, args), 0);
	check_status(3, pid, SIGTERM);
	assert_int_equal(task_call(SYS_waitid, args), -ECHILD);
	assert_null(record_at(4));
}

TEST(test_without_a_recording_or_in_a_sandbox_nothing_is_written)
{
	struct session saved = session;

	session.sandboxed = true;
	assert_int_equal(call_exec("/nonexistent", NULL, NULL), -ENOENT);
	assert_null(record_at(0));
	session.sandboxed = false;
	session.options.follow = FOLLOW_NO;
	session.pid++;
	assert_int_equal(call_exec("/nonexistent", NULL, NULL), -ENOENT);
	assert_null(record_at(0));
	session.ring = NULL;
	assert_int_equal(call_exec("/nonexistent", NULL, NULL), -ENOENT);
	session = saved;
}

TEST(test_a_filter_by_the_raw_call_is_noticed)
{
	const long filter[6] = { SECCOMP_SET_MODE_FILTER, 0, 0 };

	assert_int_equal(task_call(SYS_seccomp, filter), -EFAULT);
	assert_true(session.sandboxed);
	session.sandboxed = false;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_an_exec_that_fails_is_recorded_with_its_error),
		CASE(test_the_environment_is_looked_at),
		CASE(test_pointers_that_cannot_be_read_are_the_kernels_to_refuse),
		CASE(test_long_paths_and_arguments_are_cut),
		CASE(test_ends_that_a_parent_is_told_are_recorded),
		CASE(test_without_a_recording_or_in_a_sandbox_nothing_is_written),
		CASE(test_a_filter_by_the_raw_call_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
