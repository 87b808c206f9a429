/*
 * clock.c - run a program and say what it cost, from fork to exit.
 * usage: clock FILE PROGRAM [ARGS]
 * Writes "wall_s user_s sys_s maxrss_kib status" to FILE. The program's own
 * descendants count where it waited for them (wait4(2)).
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct timespec start, end;
	struct rusage usage;
	int status;
	pid_t pid;
	FILE *out;

	if (argc < 3) {
		fprintf(stderr, "usage: clock FILE PROGRAM [ARGS]\n");
		return 2;
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	pid = vfork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &end);
	out = fopen(argv[1], "w");
	if (!out)
		return 1;
	fprintf(out, "%.6f %ld.%06ld %ld.%06ld %ld %d\n",
		(double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9,
		(long)usage.ru_utime.tv_sec, (long)usage.ru_utime.tv_usec,
		(long)usage.ru_stime.tv_sec, (long)usage.ru_stime.tv_usec,
		usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return fclose(out) ? 1 : 0;
}
