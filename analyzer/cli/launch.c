/*
 * launch.c - the recorded program. Relies on plain fork and exec: the ring is not
 * inherited, all descriptors are close-on-exec. Promises that the program finds
 * every signal, the mask, the process group and the descriptors as record found
 * them.
 */
#include "cli/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/xmem.h"
#include "cli/recordable.h"
#include "session_ring.h"

/* Passed on to the program when somebody sends them to record. */
static const int passed_on[] = {
	SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2,
};

/* Whose disposition record changes for itself; launch.saved, in this order. */
static const int changed[] = { SIGCHLD, SIGPIPE, SIGXFSZ };

static void wait_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGCHLD);
	for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
		sigaddset(set, passed_on[i]);
}

/*
 * Where record was started without one of the first three descriptors, a file
 * of ours must not get that number: messages would go into it. The program
 * finds it closed as before.
 */
static void fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

void launch_prepare(struct launch *l)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t set;

	fill_standard_descriptors();
	/* an inherited SIG_IGN for SIGCHLD would have the system swallow the exit status */
	sigaction(SIGCHLD, &sa, &l->saved[0]);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, &l->saved[1]);
	sigaction(SIGXFSZ, &sa, &l->saved[2]);
	wait_set(&set);
	sigprocmask(SIG_BLOCK, &set, &l->mask);
}

static bool is_variable(const char *entry, const char *name)
{
	size_t n = strlen(name);

	return strncmp(entry, name, n) == 0 && entry[n] == '=';
}

/* The value of LD_PRELOAD: the library, then OLD without a copy of it. */
static char *preload_value(const char *library, const char *old)
{
	char *value = xasprintf("LD_PRELOAD=%s", library);

	while (old && *old) {
		size_t n = strcspn(old, ": ");

		if (n && (n != strlen(library) || strncmp(old, library, n) != 0)) {
			char *longer = xasprintf("%s:%.*s", value, (int)n, old);

			free(value);
			value = longer;
		}
		old += n + (old[n] != '\0');
	}
	return value;
}

char **launch_environment(const struct launch_program *p, char **old)
{
	const char *preload = NULL;
	size_t count = 0, n = 0;
	char **env;

	while (old[count])
		count++;
	env = xcalloc(count + 4, sizeof(*env));
	for (size_t i = 0; i < count; i++) {
		if (is_variable(old[i], "LD_PRELOAD"))
			preload = strchr(old[i], '=') + 1;
		else if (!is_variable(old[i], ENV_RING) &&
			 !(p->python_malloc && is_variable(old[i], "PYTHONMALLOC")))
			env[n++] = xstrdup(old[i]);
	}
	if (p->library) {
		env[n++] = preload_value(p->library, preload);
		env[n++] = xasprintf(ENV_RING "=%s", p->ring);
	} else if (preload) {
		env[n++] = xasprintf("LD_PRELOAD=%s", preload);
	}
	if (p->python_malloc)
		env[n++] = xstrdup("PYTHONMALLOC=malloc");
	return env;
}

/* As execvp(3): a file that is no executable format is a script for the shell. */
static char **shell_argv(const struct launch_program *p)
{
	size_t count = 0;
	char **argv;

	while (p->argv[count])
		count++;
	argv = xcalloc(count + 2, sizeof(*argv));
	argv[0] = (char *)"/bin/sh";
	argv[1] = (char *)p->path;
	for (size_t i = 1; i < count; i++)
		argv[i + 1] = p->argv[i];
	return argv;
}

/* In the child: only calls that are safe after fork. */
static void run_program(const struct launch *l, const struct launch_program *p,
			char **argv, char **env, int report)
{
	int error;

	for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++)
		sigaction(changed[i], &l->saved[i], NULL);
	sigprocmask(SIG_SETMASK, &l->mask, NULL);
	execve(p->path, p->argv, env);
	if (errno == ENOEXEC)
		execve("/bin/sh", argv, env);
	error = errno;
	if (write(report, &error, sizeof(error)) < 0)
		_exit(STATUS_CANNOT_RUN);
	_exit(STATUS_NOT_FOUND);
}

/* Wait until the child has become the program; errno of a failed exec, or 0. */
static int exec_result(int report)
{
	int error = 0;
	ssize_t n;

	do
		n = read(report, &error, sizeof(error));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(error) ? error : 0;
}

/* Fork and exec. Returns 0, or -1 with errno set; *EXECED tells which of both failed. */
static int start(struct launch *l, const struct launch_program *p, char **sh, char **env,
		 bool *execed)
{
	int report[2], error;

	*execed = false;
	if (pipe2(report, O_CLOEXEC) != 0)
		return -1;
	l->root = fork();
	if (l->root == 0)
		run_program(l, p, sh, env, report[1]);
	error = l->root < 0 ? errno : 0;
	close(report[1]);
	if (l->root > 0) {
		*execed = true;
		error = exec_result(report[0]);
		if (error)
			waitpid(l->root, NULL, 0);
	}
	close(report[0]);
	if (error)
		l->root = 0;
	errno = error;
	return error ? -1 : 0;
}

int launch_start(struct launch *l, const struct launch_program *p, bool adopt, struct diag *d)
{
	char **env = launch_environment(p, environ), **sh = shell_argv(p);
	bool execed;
	int result;

	/* not inherited by the program: it is an attribute of this process alone */
	if (adopt)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	result = start(l, p, sh, env, &execed);
	if (result != 0 && execed)
		diag_errno(d, errno == ENOENT || errno == ENOTDIR ? STATUS_NOT_FOUND :
			   STATUS_CANNOT_RUN, "cannot run '%s'", p->argv[0]);
	else if (result != 0)
		diag_errno(d, STATUS_CANNOT_RECORD, "cannot start a process for '%s'",
			   p->argv[0]);
	for (size_t i = 0; env[i]; i++)
		free(env[i]);
	free(env);
	free(sh);
	return result;
}

static struct timeval time_of_ticks(unsigned long long ticks)
{
	unsigned long long second = (unsigned long long)sysconf(_SC_CLK_TCK);

	return (struct timeval){ .tv_sec = (time_t)(ticks / second),
				 .tv_usec = (suseconds_t)(ticks % second * 1000000 / second) };
}

/*
 * OWN: the usage of END's process alone, which has ended and was not waited for yet.
 * Sets has_children where it inherited page faults of a child.
 */
static void look_at(struct child_end *end, struct rusage *own)
{
	unsigned long long minor, child_minor, major, child_major, user, system;
	char path[40], text[1024], *p;
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)end->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (n <= 0)
		return;
	text[n] = '\0';
	/* fields 10 to 15 of proc(5); the name in parentheses may hold anything */
	p = strrchr(text, ')');
	if (!p || sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %llu %llu %llu %llu %llu %llu",
			 &minor, &child_minor, &major, &child_major, &user, &system) != 6)
		return;
	end->has_children = child_minor || child_major;
	*own = (struct rusage){
		.ru_utime = time_of_ticks(user), .ru_stime = time_of_ticks(system),
		.ru_minflt = (long)minor, .ru_majflt = (long)major,
	};
}

/* Take the children that ended. Returns false when there is none left at all. */
static bool reap(struct launch *l)
{
	for (;;) {
		struct child_end end = { 0 };
		struct rusage own;
		siginfo_t info = { 0 };

		/* a look first: /proc forgets it as soon as it was waited for */
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) != 0) {
			if (errno == EINTR)
				continue;
			return false;
		}
		if (!info.si_pid)
			return true;
		end.pid = info.si_pid;
		look_at(&end, &own);
		/* it was there a moment ago; whatever took it, do not ask for it again at once */
		if (wait4(end.pid, &end.status, WNOHANG | __WALL, &end.usage) <= 0)
			return true;
		end.largest_kib = (uint64_t)end.usage.ru_maxrss;
		if (end.has_children)
			end.usage = own;
		if (end.pid == l->root) {
			l->root_ended = true;
			l->end = end;
		}
		if (l->on_end)
			l->on_end(&end, l->ctx);
	}
}

/* The terminal and the kernel send to the whole group; only what a process sent is for us alone. */
static bool was_sent_to_us(const siginfo_t *info)
{
	return info->si_code == SI_USER || info->si_code == SI_QUEUE || info->si_code == SI_TKILL;
}

bool launch_wait(struct launch *l, uint64_t ns)
{
	struct timespec timeout = { .tv_sec = (time_t)(ns / 1000000000u),
				    .tv_nsec = (long)(ns % 1000000000u) };
	siginfo_t info;
	sigset_t set;
	int sig;

	wait_set(&set);
	sig = sigtimedwait(&set, &info, &timeout);
	if (sig > 0 && sig != SIGCHLD) {
		if (l->root_ended)
			l->interrupted = true;
		else if (was_sent_to_us(&info))
			kill(l->root, sig);
	}
	return reap(l);
}

bool launch_signal_pending(struct launch *l)
{
	struct timespec now = { 0 };
	siginfo_t info;
	sigset_t set;
	int sig;

	wait_set(&set);
	sigdelset(&set, SIGCHLD);
	do {
		sig = sigtimedwait(&set, &info, &now);
		if (sig > 0)
			l->interrupted = true;
	} while (sig > 0);
	return l->interrupted;
}

void launch_end_alike(int status)
{
	struct rlimit no_core = { 0 };
	sigset_t set;

	if (!WIFSIGNALED(status))
		_exit(WEXITSTATUS(status));
	setrlimit(RLIMIT_CORE, &no_core);
	signal(WTERMSIG(status), SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, WTERMSIG(status));
	/* raised while blocked, then let in: nothing runs in between */
	raise(WTERMSIG(status));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	_exit(128 + WTERMSIG(status));
}
