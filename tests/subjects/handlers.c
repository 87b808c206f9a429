/*
 * handlers.c - signal handlers that allocate, on an alternate stack, while the
 * program does; some leave by siglongjmp.
 * usage: handlers MILLISECONDS
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static sigjmp_buf jump;
static volatile sig_atomic_t count, may_jump;

static void handler(int number)
{
	(void)number;
	/* not async-signal-safe, and yet seen: only outside malloc itself */
	if (may_jump) {
		free(malloc(50));
		count++;
		if (count % 5 == 0)
			siglongjmp(jump, 1);
	}
}

int main(int argc, char **argv)
{
	const long ms = argc > 1 ? atol(argv[1]) : 100;
	volatile long rounds = 0;
	static char stack[64 * 1024];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
	struct itimerval timer = { { 0, 1000 }, { 0, 1000 } };
	struct timespec now, start;

	sigaltstack(&alternate, NULL);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		for (int i = 0; i < 100; i++)
			free(malloc(100));
		if (sigsetjmp(jump, 1) == 0) {
			may_jump = 1;
			for (volatile int i = 0; i < 100000; i++)
				;
		}
		may_jump = 0;
		rounds = rounds + 1;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < ms);
	timer.it_value.tv_usec = 0;
	setitimer(ITIMER_REAL, &timer, NULL);
	printf("malloc %ld\n", rounds * 100 + count);
	return 0;
}
