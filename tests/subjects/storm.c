/*
 * storm.c - signals interrupt a program that does nothing but allocate, wherever it is: a
 * handler on an alternate stack and one on the ordinary stack, each so often a second.
 * usage: storm fail|block|idle|jump MILLISECONDS PER_SECOND
 * fail: the handlers' mallocs ask for more than there can be (glibc's malloc may be
 * interrupted by such a call). block: they get blocks of 77 bytes; only with bump.so. idle:
 * the same where the program pauses most of the time. jump: the same, and every 7th
 * handler leaves by siglongjmp. Prints what was called.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#define NOINLINE __attribute__((noinline, noclone))
#define AFTER_CALL() __asm__ volatile("" ::: "memory")

static sigjmp_buf out;
static size_t handler_bytes = 77;
static int jumps_wanted, pause_rounds;
static volatile sig_atomic_t may_jump;
static volatile long handlers, jumps, blocks;

NOINLINE static void handler_leaf(void)
{
	void *volatile p = malloc(handler_bytes);

	handlers++;
	(void)p;
	AFTER_CALL();
}

NOINLINE static void handler_middle(void)
{
	handler_leaf();
	AFTER_CALL();
}

static void on_signal(int number)
{
	(void)number;
	handler_middle();
	if (jumps_wanted && may_jump && handlers % 7 == 0) {
		jumps++;
		siglongjmp(out, 1);
	}
}

NOINLINE static void descend(int n)
{
	if (n) {
		descend(n - 1);
	} else {
		free(malloc(100));
		blocks++;
	}
	AFTER_CALL();
}

static void start_timers(long per_second)
{
	struct itimerval period = { .it_interval.tv_usec = 1000000 / per_second };
	struct itimerspec other = { .it_interval.tv_nsec = 1000000000 / per_second };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	timer_t timer;

	period.it_value = period.it_interval;
	other.it_value = other.it_interval;
	setitimer(ITIMER_REAL, &period, NULL);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0)
		timer_settime(timer, 0, &other, NULL);
}

int main(int argc, char **argv)
{
	static char stack[64 * 1024];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };
	struct timespec now, start;
	volatile long ms;

	if (argc != 4)
		return 2;
	if (strcmp(argv[1], "fail") == 0)
		handler_bytes = SIZE_MAX - 4096;
	if (strcmp(argv[1], "idle") == 0)
		pause_rounds = 3000000;
	jumps_wanted = strcmp(argv[1], "jump") == 0;
	ms = atol(argv[2]);
	free(malloc(1)); /* glibc's cache of the thread exists from now on */
	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGALRM);
	sigaddset(&action.sa_mask, SIGUSR1);
	sigaltstack(&alternate, NULL);
	sigaction(SIGALRM, &action, NULL);
	action.sa_flags = 0;
	sigaction(SIGUSR1, &action, NULL);
	start_timers(atol(argv[3]));
	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		if (sigsetjmp(out, 1) == 0) {
			may_jump = 1;
			for (int i = 0; i < 500; i++)
				descend(i % 20);
			for (volatile int i = 0; i < pause_rounds; i++)
				;
		}
		may_jump = 0;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < ms);
	signal(SIGALRM, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	printf("blocks %ld handlers %ld jumps %ld\n", blocks, handlers, jumps);
	return 0;
}
