/*
 * jumps.c - longjmp across frames that allocated; what is allocated afterwards stands
 * elsewhere at the same depth.
 * usage: jumps ROUNDS
 * In each round: a block of 300 bytes in jump_down under way_a or way_b by turns, at
 * varying depth, then one of 400 under landing.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#define NOINLINE __attribute__((noinline, noclone))
#define AFTER_CALL() __asm__ volatile("" ::: "memory")

static jmp_buf back;

static void jump_back(jmp_buf to)
{
	longjmp(to, 1);
}

/* the compiler shall not know that it does not return */
static void (*volatile leap)(jmp_buf to) = jump_back;

NOINLINE static void jump_down(int n)
{
	void *volatile p;

	if (n) {
		jump_down(n - 1);
	} else {
		p = malloc(300);
		(void)p;
		leap(back);
	}
	AFTER_CALL();
}

NOINLINE static void way_a(int n)
{
	jump_down(n);
	AFTER_CALL();
}

NOINLINE static void way_b(int n)
{
	jump_down(n);
	AFTER_CALL();
}

NOINLINE static void landing(void)
{
	free(malloc(400));
	AFTER_CALL();
}

int main(int argc, char **argv)
{
	volatile int left = argc > 1 ? atoi(argv[1]) : 0;

	while (left > 0) {
		left = left - 1;
		if (setjmp(back) == 0) {
			if (left % 2)
				way_a(left / 2 % 9);
			else
				way_b(left / 2 % 9);
		}
		landing();
	}
	return 0;
}
