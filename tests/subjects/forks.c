/*
 * forks.c - children of every kind while other threads allocate.
 * usage: forks CHILDREN
 * fork (children allocate, free inherited blocks and fork once more), vfork +
 * exec, posix_spawn, raw clone, clone with a thread pointer to nothing. Exit
 * status 0 if every child ended as it should.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static atomic_int stop;

static void *churn(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop))
		free(malloc(100));
	return NULL;
}

static int wait_for(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What a child does: frees a block of its parent, allocates, forks a grandchild. */
static void child(void *inherited)
{
	void *block = malloc(5000);
	pid_t grandchild;

	free(inherited);
	grandchild = fork();
	if (grandchild == 0) {
		free(block);
		_exit(malloc(77) ? 12 : 1);
	}
	_exit(wait_for(grandchild) == 12 ? 11 : 1);
}

static int end_at_once(void *status)
{
	_exit(*(int *)status);
}

/* As Chromium's zygote does to change its root: shares all, but has no thread variables. */
static pid_t clone_without_thread(int *status)
{
	static _Alignas(16) char stack[65536], thread_pointer[4096];

#ifdef __x86_64__
	return clone(end_at_once, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_FS |
		     CLONE_SETTLS | SIGCHLD, status, NULL, thread_pointer + 2048, NULL);
#else
	(void)thread_pointer;
	return clone(end_at_once, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_FS | SIGCHLD,
		     status);
#endif
}

int main(int argc, char **argv)
{
	int status = 14;
	volatile int bad = 0;
	const int children = argc > 1 ? atoi(argv[1]) : 10;
	char *const true_argv[] = { "true", NULL };
	pthread_t thread;

	pthread_create(&thread, NULL, churn, NULL);
	for (int i = 0; i < children; i++) {
		void *block = malloc(4000);
		pid_t pid = fork();

		if (pid == 0)
			child(block);
		bad = bad + (wait_for(pid) != 11);
		free(block);

		pid = vfork();
		if (pid == 0) {
			execve("/bin/true", true_argv, environ);
			_exit(1);
		}
		bad = bad + (wait_for(pid) != 0);

		if (posix_spawn(&pid, "/bin/true", NULL, NULL, true_argv, environ))
			bad = bad + 1;
		else
			bad = bad + (wait_for(pid) != 0);

		pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
		if (pid == 0)
			_exit(malloc(33) ? 13 : 1);
		bad = bad + (wait_for(pid) != 13);
		bad = bad + (wait_for(clone_without_thread(&status)) != 14);
	}
	atomic_store(&stop, 1);
	pthread_join(thread, NULL);
	printf("bad %d\n", bad);
	return bad != 0;
}
