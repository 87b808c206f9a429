/*
 * spawns.c - starts programs by posix_spawn while a thread allocates.
 * usage: spawns COUNT EVERY
 * COUNT times; every EVERY-th time /bin/true, else a file that is not there: a child that shares
 * this process's memory and ends by itself. Exit status 0 if all went as they should.
 */
#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static atomic_int stop;

static void *churn(void *arg)
{
	while (!atomic_load(&stop)) {
		free(malloc(100));
		usleep(10);
	}
	return arg;
}

static int start(const char *path)
{
	char *arguments[] = { (char *)path, NULL };
	int status, error;
	pid_t pid;

	error = posix_spawn(&pid, path, NULL, NULL, arguments, environ);
	if (error)
		return error;
	if (waitpid(pid, &status, 0) != pid || status != 0)
		return -1;
	return 0;
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 100, every = argc > 2 ? atoi(argv[2]) : 10;
	pthread_t thread;
	int failures = 0;

	if (pthread_create(&thread, NULL, churn, NULL) != 0)
		return 1;
	for (int i = 0; i < count; i++) {
		int wanted = i % every ? ENOENT : 0;

		free(malloc(555));
		if (start(wanted ? "/nonexistent/program" : "/bin/true") != wanted)
			failures++;
	}
	atomic_store(&stop, 1);
	pthread_join(thread, NULL);
	printf("%d failures\n", failures);
	return failures != 0;
}
