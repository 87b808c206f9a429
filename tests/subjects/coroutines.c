/*
 * coroutines.c - coroutines by swapcontext, each on a stack of its own (mapped, static, from
 * malloc), that allocate deep inside and switch in the middle of a recursion.
 * usage: coroutines ROUNDS [PER_SECOND]
 * Coroutine I allocates blocks of 1000 + I bytes from co_leaf under co_deep under co_body, the
 * program itself blocks of 500 under schedule. With PER_SECOND a handler on an
 * alternate stack takes blocks of 77 bytes; only with bump.so.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>

#define COUNT 6
#define STACK_BYTES (64 * 1024)
#define NOINLINE __attribute__((noinline, noclone))
#define AFTER_CALL() __asm__ volatile("" ::: "memory")

static ucontext_t scheduler, contexts[COUNT];
static long rounds, leaves, handlers;

NOINLINE static void co_leaf(int id)
{
	void *p = malloc(1000 + (size_t)id);

	leaves++;
	if (leaves % 3 == 0)
		swapcontext(&contexts[id], &scheduler);
	free(p);
	AFTER_CALL();
}

NOINLINE static void co_deep(int id, int n)
{
	co_leaf(id);
	if (n)
		co_deep(id, n - 1);
	if (n % 5 == 1)
		swapcontext(&contexts[id], &scheduler);
	co_leaf(id);
	AFTER_CALL();
}

static void co_body(int id)
{
	for (;;) {
		co_deep(id, 10 + id);
		swapcontext(&contexts[id], &scheduler);
	}
}

NOINLINE static void schedule(void)
{
	for (int i = 0; i < COUNT; i++) {
		free(malloc(500));
		swapcontext(&scheduler, &contexts[i]);
	}
	AFTER_CALL();
}

static void on_alarm(int number)
{
	void *volatile p = malloc(77);

	(void)number;
	(void)p;
	handlers++;
}

static void *stack_of(int id)
{
	static char stacks[COUNT][STACK_BYTES] __attribute__((aligned(4096)));

	switch (id % 3) {
	case 0:
		return mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	case 1:
		return stacks[id];
	default:
		return malloc(STACK_BYTES);
	}
}

int main(int argc, char **argv)
{
	static char stack[64 * 1024];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_ONSTACK | SA_RESTART };
	struct itimerval period = { { 0, 0 }, { 0, 0 } };

	if (argc < 2)
		return 2;
	rounds = atol(argv[1]);
	for (int i = 0; i < COUNT; i++) {
		getcontext(&contexts[i]);
		contexts[i].uc_stack.ss_sp = stack_of(i);
		contexts[i].uc_stack.ss_size = STACK_BYTES;
		makecontext(&contexts[i], (void (*)(void))co_body, 1, i);
	}
	if (argc > 2) {
		sigaltstack(&alternate, NULL);
		sigaction(SIGALRM, &action, NULL);
		period.it_value.tv_usec = period.it_interval.tv_usec = 1000000 / atol(argv[2]);
		setitimer(ITIMER_REAL, &period, NULL);
	}
	while (rounds-- > 0)
		schedule();
	signal(SIGALRM, SIG_IGN);
	printf("leaves %ld handlers %ld\n", leaves, handlers);
	return 0;
}
