/*
 * unwind_probe.h - for tests of the unwinder: take the stack of the caller and compare it
 * with libgcc's unwinder and with libunwind; functions of all shapes to take it in.
 *
 * A reader's model applies every change (pop, push) to its own stack; what it
 * holds is what is compared, so that the differences are tested too.
 */
#ifndef TESTS_UNWIND_PROBE_H
#define TESTS_UNWIND_PROBE_H

#include <alloca.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "record_codec.h"
#include "session.h"
#include "unwind.h"
#include "unwind_lib.h"
#include "unwind_rule.h"

#define NOINLINE __attribute__((noinline, noclone))
#define MAX (DEPTH_MAX + 64)
/* Keeps a call from becoming a jump. */
#define AFTER_CALL() __asm__ volatile("" ::: "memory")
/* Keeps the memory at P. */
#define USED(p) __asm__ volatile("" :: "r"(p) : "memory")

static __thread struct unwind_state *unwinder;
static __thread uint64_t *model, *pcs; /* the reader's stack; an oracle's */
static __thread uint32_t depth;
static unsigned compared;
static bool have_libunwind;

static uint64_t *map_words(size_t count)
{
	void *p = mmap(NULL, count * sizeof(uint64_t), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(p != MAP_FAILED);
	return p;
}

static void start_thread(void)
{
	unwinder = (struct unwind_state *)map_words(unwind_state_bytes() / sizeof(uint64_t));
	model = map_words(MAX);
	pcs = map_words(MAX);
	unwind_reset(unwinder);
	depth = 0;
}

static void end_thread(void)
{
	munmap(unwinder, unwind_state_bytes());
	munmap(model, MAX * sizeof(*model));
	munmap(pcs, MAX * sizeof(*pcs));
	unwinder = NULL;
}

static void apply(const struct stack_change *change)
{
	if (change->pop > depth || depth - change->pop + change->push > DEPTH_MAX + 1)
		abort();
	depth -= change->pop;
	memcpy(model + depth, change->frames, change->push * sizeof(*model));
	depth += change->push;
}

static bool is_special(uint64_t frame)
{
	return frame < SPECIAL_COUNT;
}

/* Take the stack of the caller of the function with CTX. */
static struct stack_change take(const struct unwind_context *ctx)
{
	struct stack_change change;

	unwind_capture(unwinder, ctx, &change);
	apply(&change);
	return change;
}

static void explain(const char *oracle, const uint64_t *theirs, size_t count)
{
	printf("%s:\n", oracle);
	for (size_t i = 0; i < count || i < depth; i++)
		printf("  %3zu ours %#lx theirs %#lx\n", i,
		       i < depth ? (unsigned long)model[depth - 1 - i] : 0,
		       i < count ? (unsigned long)theirs[i] : 0);
}

/* THEIRS: pcs to look up, innermost first, from this program's frame at CALLER on. */
static void must_equal(const char *oracle, const uint64_t *theirs, size_t count, uint64_t caller)
{
	uint32_t ours = depth - is_special(model[0]);
	size_t i;

	while (count && *theirs != caller) {
		theirs++;
		count--;
	}
	while (count && theirs[count - 1] + 1 < RULE_PC_MIN)
		count--;
	for (i = 0; i < ours && i < count; i++) {
		uint64_t pc = model[depth - 1 - i];

		/* the signal trampoline's frame is written with its exact first byte */
		if (pc != theirs[i] && !(pc == theirs[i] + 1 && rule_is_signal(theirs[i])))
			break;
	}
	if (i < ours || (i < count && !is_special(model[0]))) {
		explain(oracle, theirs, count);
		fail_msg("%s differs at frame %zu of %u", oracle, i, ours);
	}
	compared++;
}

/* Take the stack of probe()'s caller and compare it with both oracles. */
NOINLINE static struct stack_change probe(void)
{
	struct unwind_context ctx;
	struct stack_change change;
	bool exact = false;
	size_t n;

	UNWIND_CONTEXT(&ctx);
	change = take(&ctx);
	n = unwind_lib_libgcc(pcs, MAX);
	must_equal("libgcc", pcs, n, ctx.pc - 1);
	if (!have_libunwind)
		return change;
	n = unwind_lib_libunwind(pcs, MAX);
	for (size_t i = 0; i < n; i++) {
		bool signal = !exact && rule_is_signal(pcs[i] - 1);

		pcs[i] -= !exact;
		exact = signal;
	}
	must_equal("libunwind", pcs, n, ctx.pc - 1);
	return change;
}

/* The same without oracles, for what they do not survive or would take too long. */
NOINLINE static struct stack_change probe_alone(void)
{
	struct unwind_context ctx;

	UNWIND_CONTEXT(&ctx);
	return take(&ctx);
}

static int set_up(void **unused)
{
	(void)unused;
	session.options.depth = 0;
	session.options.callgraph = CALLGRAPH_CFI;
	session.options.check_stacks = 0;
	unwind_init();
	start_thread();
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	end_thread();
	return 0;
}

#define WITH_STATE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static bool open_oracles(void)
{
	have_libunwind = unwind_lib_open_libunwind();
	if (unwind_lib_open_libgcc())
		return true;
	printf("libgcc_s.so.1, which the stacks are compared with, is missing\n");
	return false;
}

/* ---- functions of all shapes ---- */

static uint32_t seed = 7;

static uint32_t next_random(void)
{
	seed = seed * 1664525u + 1013904223u;
	return seed >> 8;
}

static void wander(unsigned left);

NOINLINE static void plain(unsigned left)
{
	wander(left);
	AFTER_CALL();
}

NOINLINE static void with_alloca(unsigned left)
{
	char *p = alloca(16 + next_random() % 500);

	USED(p);
	wander(left);
	AFTER_CALL();
}

NOINLINE static void realigned(unsigned left)
{
	_Alignas(64) char room[64];

	USED(room);
	wander(left);
	AFTER_CALL();
}

/* Realigned and of variable size: gcc keeps the CFA in memory. */
NOINLINE static int realigned_alloca(unsigned left, int a, int b, int c, int d, int e, int f, int g)
{
	_Alignas(64) char room[64];
	char *p = alloca(16 + next_random() % 300);

	USED(room);
	USED(p);
	wander(left);
	AFTER_CALL();
	return a + b + c + d + e + f + g;
}

NOINLINE static void big_frame(unsigned left)
{
	char room[20000];

	USED(room);
	wander(left);
	AFTER_CALL();
}

/* Uses every callee-saved register, the frame pointer's too, for its own data. */
__attribute__((optimize("omit-frame-pointer")))
NOINLINE static uint64_t busy(unsigned left, uint64_t a, uint64_t b)
{
	uint64_t c = a * 3, d = b * 5, e = a ^ b, f = a + b, g = a - b, h = a * b;

	wander(left);
	AFTER_CALL();
	return a + b * c + d * e + f * g + h;
}

NOINLINE static int compare_by_wandering(const void *a, const void *b)
{
	if (*(const unsigned *)a == 0)
		wander(*(const unsigned *)b % 3);
	return *(const int *)a - *(const int *)b;
}

/* Through a library that calls back. */
NOINLINE static void through_libc(unsigned left)
{
	unsigned values[3] = { 0, left, 0 };

	qsort(values, 3, sizeof(*values), compare_by_wandering);
}

static void wander(unsigned left)
{
	probe();
	for (unsigned i = next_random() % 3; i && left; i--) {
		switch (next_random() % 7) {
		case 0: plain(left - 1); break;
		case 1: with_alloca(left - 1); break;
		case 2: realigned(left - 1); break;
		case 3: realigned_alloca(left - 1, 1, 2, 3, 4, 5, 6, 7); break;
		case 4: big_frame(left - 1); break;
		case 5: busy(left - 1, left, next_random()); break;
		default: through_libc(left - 1); break;
		}
		probe();
	}
}

/* ---- depth ---- */

NOINLINE static void recurse(unsigned n, void (*at_end)(void))
{
	if (n == 0)
		at_end();
	else
		recurse(n - 1, at_end);
	AFTER_CALL();
}

static void check_limit(void)
{
	probe();
	assert_int_equal(depth, session.options.depth + 1);
	assert_int_equal(model[0], SPECIAL_TRUNCATED);
}

static void check_whole(void)
{
	probe();
	assert_false(is_special(model[0]));
}

static void use_limit(uint32_t limit)
{
	end_thread();
	session.options.depth = limit;
	unwind_init();
	start_thread();
}

/* ---- signals ---- */

static void on_signal(int number)
{
	(void)number;
	wander(3);
}

static void handle(int number, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	assert_int_equal(sigaction(number, &action, NULL), 0);
}

NOINLINE static void raise_at_depth(unsigned left, int number)
{
	if (left) {
		raise_at_depth(left - 1, number);
	} else {
		raise(number);
		probe();
	}
	AFTER_CALL();
}

#endif
