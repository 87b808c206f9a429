/*
 * interrupted.c - allocates under a SIGALRM every 100 us, installed without SA_RESTART, for the
 * whole run, and looks after each kind of call whether errno is what it was.
 * usage: interrupted MILLISECONDS
 * Prints "malloc N free N" on standard error, and on standard output what went wrong, or "well".
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

static volatile sig_atomic_t alarms;

static void on_alarm(int number)
{
	(void)number;
	alarms++;
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

/* The handler changes nothing: errno is CALL's. */
#define KEEPS(call) do { \
	errno = 1234; \
	call; \
	if (errno != 1234) { \
		printf("%s: errno %d\n", #call, errno); \
		return 1; \
	} \
} while (0)

static unsigned long mallocs, frees;

/* Every kind of call that succeeds; 64 KiB of records are full every few hundred rounds. */
static int one_round(unsigned i)
{
	/* volatile: gcc drops a block that is only freed */
	void *volatile p, *volatile q, *volatile r, *map;

	KEEPS(p = malloc(16 + i % 1000));
	KEEPS(q = calloc(3, 40));
	KEEPS(p = realloc(p, 2000));
	KEEPS(r = aligned_alloc(64, 640));
	KEEPS(free(q));
	KEEPS(free(r));
	KEEPS(free(p));
	KEEPS(p = malloc(300000));
	KEEPS(free(p));
	KEEPS(map = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	KEEPS(mprotect(map, 4096, PROT_NONE));
	KEEPS(munmap(map, 8192));
	mallocs += 2;
	frees += 4;
	return 0;
}

int main(int argc, char **argv)
{
	const struct itimerval often = { { 0, 100 }, { 0, 100 } };
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };
	long long end = now_ms() + (argc > 1 ? atoi(argv[1]) : 100);
	struct sigaction action = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (unsigned i = 0; i % 64 || now_ms() < end; i++)
		if (one_round(i))
			return 1;
	setitimer(ITIMER_REAL, &never, NULL);
	if (alarms < 10)
		printf("only %d signals\n", (int)alarms);
	printf("well\n");
	fprintf(stderr, "malloc %lu free %lu\n", mallocs, frees);
	return 0;
}
