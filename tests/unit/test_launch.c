/* The program: its environment, its signals, its end. */
#include "cli/launch.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#define NOW_AND_THEN 20000000u /* 20 ms */

static struct launch_program program(char **argv)
{
	/* no library: what is tested is the launch */
	return (struct launch_program){
		.path = argv[0], .argv = argv, .library = "", .ring = "/nonexistent",
	};
}

/* Start ARGV and wait for all children; the root's wait status. */
static int run(struct launch *l, char **argv)
{
	const struct launch_program p = program(argv);
	struct diag d = { 0 };

	assert_int_equal(launch_start(l, &p, true, &d), 0);
	while (launch_wait(l, NOW_AND_THEN))
		;
	assert_true(l->root_ended);
	return l->end.status;
}

/* As a process that was just started would. */
static void prepare(struct launch *l)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	launch_prepare(l);
}

static int shell(struct launch *l, const char *script)
{
	char *argv[] = { "/bin/sh", "-c", (char *)script, NULL };

	return run(l, argv);
}

TEST(test_launch_exit_status_is_the_programs)
{
	struct launch l = { 0 };

	prepare(&l);
	assert_int_equal(WEXITSTATUS(shell(&l, "exit 7")), 7);
}

TEST(test_launch_death_by_signal_is_seen)
{
	struct launch l = { 0 };

	prepare(&l);
	assert_int_equal(WTERMSIG(shell(&l, "kill -USR1 $$")), SIGUSR1);
}

TEST(test_launch_script_without_interpreter_line_is_run_by_the_shell)
{
	char path[] = "/tmp/test_launch.XXXXXX", *argv[] = { path, "5", NULL };
	int fd = mkstemp(path);
	struct launch l = { 0 };

	assert_int_equal(write(fd, "exit $1\n", 8), 8);
	close(fd);
	chmod(path, 0700);
	prepare(&l);
	assert_int_equal(WEXITSTATUS(run(&l, argv)), 5);
	unlink(path);
}

TEST(test_launch_missing_program_is_127_and_no_executable_126)
{
	char *missing[] = { "/nonexistent/x", NULL }, *data[] = { "/etc/passwd", NULL };
	struct launch_program p = program(missing);
	struct launch l = { 0 };
	struct diag d = { 0 };

	prepare(&l);
	assert_int_equal(launch_start(&l, &p, false, &d), -1);
	assert_int_equal(d.status, 127);
	p = program(data);
	assert_int_equal(launch_start(&l, &p, false, &d), -1);
	assert_int_equal(d.status, 126);
	assert_int_equal(l.root, 0);
}

TEST(test_launch_program_finds_signals_as_they_were)
{
	struct launch l = { 0 };

	/* blocked and ignored signals of the child, from the kernel's own words */
	signal(SIGCHLD, SIG_IGN);
	prepare(&l);
	assert_int_equal(WEXITSTATUS(shell(&l,
		"b=$(sed -n 's/^SigBlk:[^0-9]*//p' /proc/self/status); "
		"i=$(sed -n 's/^SigIgn:[^0-9]*//p' /proc/self/status); "
		"[ $b = 0000000000000000 ] && [ $((0x$i & 0x1000)) = 0 ]")), 0);
	signal(SIGCHLD, SIG_DFL);
}

static unsigned ended;

static void count_end(const struct child_end *end, void *ctx)
{
	(void)end;
	(void)ctx;
	ended++;
}

TEST(test_launch_orphans_are_adopted_and_reported)
{
	struct launch l = { .on_end = count_end };

	ended = 0;
	prepare(&l);
	shell(&l, "(sleep 0.1) & exit 3");
	/* the root, and the subshell that outlived it */
	assert_int_equal(ended, 2);
	assert_int_equal(WEXITSTATUS(l.end.status), 3);
}

TEST(test_launch_usage_is_without_that_of_the_childs_children)
{
	struct launch l = { 0 };

	prepare(&l);
	shell(&l, "exit 0");
	assert_false(l.end.has_children);
	assert_int_equal(l.end.usage.ru_maxrss, l.end.largest_kib);
	/* some 10,000 page faults, none of them the shell's */
	shell(&l, "head -c 40000000 /dev/zero | tail -n 1 | wc -c >/dev/null; exit 0");
	assert_true(l.end.has_children);
	assert_in_range(l.end.usage.ru_minflt, 1, 2000);
	assert_true(l.end.largest_kib > 20000);
}

TEST(test_launch_signal_sent_to_us_is_passed_on)
{
	char *argv[] = { "/bin/sleep", "10", NULL };
	const struct launch_program p = program(argv);
	struct launch l = { 0 };
	struct diag d = { 0 };

	prepare(&l);
	assert_int_equal(launch_start(&l, &p, true, &d), 0);
	kill(getpid(), SIGTERM);
	while (launch_wait(&l, NOW_AND_THEN))
		;
	assert_int_equal(WTERMSIG(l.end.status), SIGTERM);
	assert_false(l.interrupted);
}

TEST(test_launch_signal_after_the_end_of_the_root_asks_to_end)
{
	struct launch l = { 0 };

	prepare(&l);
	shell(&l, "exit 0");
	assert_false(launch_signal_pending(&l));
	kill(getpid(), SIGINT);
	assert_true(launch_signal_pending(&l));
	assert_true(l.interrupted);
}

static const char *value_of(char **env, const char *name)
{
	const char *found = NULL;
	size_t n = strlen(name);

	for (size_t i = 0; env[i]; i++) {
		if (strncmp(env[i], name, n) != 0 || env[i][n] != '=')
			continue;
		assert_null(found);
		found = env[i] + n + 1;
	}
	return found;
}

static void free_all(char **env)
{
	for (size_t i = 0; env[i]; i++)
		free(env[i]);
	free(env);
}

TEST(test_launch_environment_puts_the_library_first_and_once)
{
	char *old[] = { "A=b", "LD_PRELOAD=/x/a.so /x/lib.so:/x/b.so", "ALLOTROPE_RING=old",
			"PYTHONMALLOC=pymalloc", NULL };
	struct launch_program p = { .library = "/x/lib.so", .ring = "/dev/shm/r" };
	char **env = launch_environment(&p, old);

	assert_string_equal(value_of(env, "LD_PRELOAD"), "/x/lib.so:/x/a.so:/x/b.so");
	assert_string_equal(value_of(env, "ALLOTROPE_RING"), "/dev/shm/r");
	assert_string_equal(value_of(env, "PYTHONMALLOC"), "pymalloc");
	assert_string_equal(value_of(env, "A"), "b");
	free_all(env);
	p.python_malloc = true;
	env = launch_environment(&p, old);
	assert_string_equal(value_of(env, "PYTHONMALLOC"), "malloc");
	free_all(env);
}

TEST(test_launch_end_alike_dies_of_the_signal_without_a_core)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		launch_end_alike(SIGSEGV);
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
	assert_false(WCOREDUMP(status));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_launch_exit_status_is_the_programs),
		cmocka_unit_test(test_launch_death_by_signal_is_seen),
		cmocka_unit_test(test_launch_script_without_interpreter_line_is_run_by_the_shell),
		cmocka_unit_test(test_launch_missing_program_is_127_and_no_executable_126),
		cmocka_unit_test(test_launch_program_finds_signals_as_they_were),
		cmocka_unit_test(test_launch_orphans_are_adopted_and_reported),
		cmocka_unit_test(test_launch_usage_is_without_that_of_the_childs_children),
		cmocka_unit_test(test_launch_signal_sent_to_us_is_passed_on),
		cmocka_unit_test(test_launch_signal_after_the_end_of_the_root_asks_to_end),
		cmocka_unit_test(test_launch_environment_puts_the_library_first_and_once),
		cmocka_unit_test(test_launch_end_alike_dies_of_the_signal_without_a_core),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
