/*
 * cancelled.c - a thread that waits for a child is cancelled, by waitpid and by waitid; a signal's handler
 * jumps out of a wait; a thread in a wait is interrupted. Prints "well" where all is as it should be.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static sigjmp_buf out_of_wait;
static int cleaned;

static void clean(void *unused)
{
	(void)unused;
	cleaned++;
}

static void *waits(void *how)
{
	siginfo_t info;
	int status;

	pthread_cleanup_push(clean, NULL);
	if (how)
		waitid(P_ALL, 0, &info, WEXITED);
	else
		waitpid(-1, &status, 0);
	pthread_cleanup_pop(0);
	return NULL;
}

static int cancel_one(void *how)
{
	void *result = NULL;
	pthread_t thread;

	if (pthread_create(&thread, NULL, waits, how) != 0)
		return 1;
	usleep(50000);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	free(malloc(100));
	return result != PTHREAD_CANCELED;
}

static void jump(int signal)
{
	(void)signal;
	siglongjmp(out_of_wait, 1);
}

static void nothing(int signal)
{
	(void)signal;
}

int main(void)
{
	struct sigaction action = { .sa_handler = jump };
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		pause();
		_exit(1);
	}
	if (cancel_one(NULL) || cancel_one(&status) || cleaned != 2)
		return 2;
	sigaction(SIGALRM, &action, NULL);
	if (!sigsetjmp(out_of_wait, 1)) {
		ualarm(20000, 0);
		waitpid(child, &status, 0);
		return 3;
	}
	action.sa_handler = nothing;
	sigaction(SIGALRM, &action, NULL);
	/* again and again: the first may come before the wait */
	ualarm(20000, 20000);
	if (waitpid(child, &status, 0) != -1 || errno != EINTR)
		return 4;
	ualarm(0, 0);
	free(malloc(123));
	kill(child, SIGTERM);
	if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status))
		return 5;
	puts("well");
	return 0;
}
