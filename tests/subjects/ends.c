/*
 * ends.c - the ways a program can end.
 * usage: ends HOW
 * Allocates 100 blocks of 1000 bytes, then: return, exit, _exit, _Exit,
 * quick_exit, abort, segv, kill, term, pthread_exit, thread_exit, exec. Status 7
 * where there is one.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *exit_from_thread(void *arg)
{
	(void)arg;
	exit(7);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "return";
	static void *blocks[100];

	for (int i = 0; i < 100; i++)
		if (!(blocks[i] = malloc(1000)) || !blocks[0])
			return 1;
	if (!strcmp(how, "exit"))
		exit(7);
	if (!strcmp(how, "_exit"))
		_exit(7);
	if (!strcmp(how, "_Exit"))
		_Exit(7);
	if (!strcmp(how, "quick_exit"))
		quick_exit(7);
	if (!strcmp(how, "abort"))
		abort();
	if (!strcmp(how, "segv"))
		raise(SIGSEGV);
	if (!strcmp(how, "kill"))
		kill(getpid(), SIGKILL);
	if (!strcmp(how, "term"))
		raise(SIGTERM);
	if (!strcmp(how, "pthread_exit"))
		pthread_exit(NULL);
	if (!strcmp(how, "thread_exit")) {
		pthread_t thread;

		pthread_create(&thread, NULL, exit_from_thread, NULL);
		pause();
	}
	if (!strcmp(how, "exec"))
		execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
	return 7;
}
