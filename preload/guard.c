/*
 * guard.c - the uncommon ways into and out of a recorded call: the start of the
 * library, a forked child, a nested call, a stale guard, a measured call. Promises
 * to keep errno.
 */
#include <errno.h>
#include <signal.h>

#include "block.h"
#include "clock.h"
#include "event_write.h"
#include "fork.h"
#include "guard.h"
#include "infer.h"
#include "sample.h"
#include "start.h"
#include "sys.h"
#include "unwind_full.h"

/* Of about this many calls of a thread one is measured; the gaps vary around it. */
#define MEASURE_MEAN 64u

/* Between the two lies a frame of libc, too small to be a signal's. */
#define NEAR_BYTES 512u

static bool is_within(uint64_t sp, const stack_t *stack)
{
	return sp - (uint64_t)stack->ss_sp < stack->ss_size;
}

/*
 * The stack grows down, so a frame in place of the guarded one or above it means that
 * the guarded one is gone. An alternate signal stack is an island: only frames on the
 * same side can be compared.
 */
static bool is_above_guard(const struct thread *t, uint64_t sp)
{
	stack_t alternate = { .ss_flags = SS_DISABLE };
	bool on_alternate, guard_on_alternate;

	if (sp == t->guard_sp)
		return true;
	if (sp < t->guard_sp && t->guard_sp - sp < SAME_STACK_BYTES)
		return false;
	SYS2(sigaltstack, NULL, &alternate);
	if (alternate.ss_flags & SS_DISABLE)
		return sp > t->guard_sp;
	on_alternate = is_within(sp, &alternate);
	guard_on_alternate = is_within(t->guard_sp, &alternate);
	if (on_alternate == guard_on_alternate)
		return sp > t->guard_sp;
	/* back on the ordinary stack: the handler that was guarded is over */
	return guard_on_alternate;
}

/* What the abandoned call left: half a record at most. */
static void guard_repair(struct thread *t)
{
	if (t->phase == PHASE_RECORD || t->phase == PHASE_OWN)
		ring_close(&t->ring);
	t->leave &= LEAVE_RETURN;
	if (t->leave)
		tstate_return(t);
	t->leave = 0;
	if (t->state)
		tstate_reset_unwind(t->state);
	t->pop = t->stacks == STACKS_CAPTURED ? t->ring.depth : 0;
}

/*
 * Where the stack does not tell: glibc's allocator calls no hooked function but realloc
 * from reallocarray, so any other nested call is a signal handler's. Other allocators may
 * call each other's functions.
 */
static bool is_interruption(const struct thread *t)
{
	switch (t->phase) {
	case PHASE_OWN:
		return false;
	case PHASE_CALL:
		return block_is_glibc && t->func != FUNC_REALLOCARRAY;
	default:
		return true;
	}
}

/*
 * What happens often needs no look at the stack: glibc's reallocarray calls realloc, a
 * hook of a system call comes to libc's own site of it.
 */
static bool is_known_nesting(const struct thread *t, enum alloc_func func, uint64_t sp)
{
	if (t->guard_sp == sp || t->guard_sp - sp >= NEAR_BYTES)
		return false;
	if (func == FUNC_REALLOC)
		return t->func == FUNC_REALLOCARRAY && t->phase == PHASE_CALL;
	return func == FUNC_OTHER && t->phase == PHASE_SYSCALL;
}

/*
 * A call while the guard is set: the guarded call is over (a handler left it by longjmp),
 * or this one is made inside it. Below an abandoned frame the program may go on for
 * ever, so the stack itself is asked. INTERRUPTED: a signal handler makes this one.
 */
static bool guard_is_stale(const struct thread *t, enum alloc_func func, uint64_t sp,
			   bool *interrupted)
{
	*interrupted = false;
	if (is_known_nesting(t, func, sp))
		return false;
	if (is_above_guard(t, sp))
		return true;
	switch (full_meet(t->guard_sp)) {
	case FULL_PASSED:
		return true;
	case FULL_MET:
		return false;
	case FULL_MET_INTERRUPTED:
		*interrupted = true;
		return false;
	default:
		*interrupted = is_interruption(t);
		return false;
	}
}

static bool enter_slowly(enum alloc_func func, uint64_t sp)
{
	struct thread *t = &thread;
	bool interrupted;

	if (!*session_live) {
		if (!start_is_done())
			start_run();
		else if (session_is_forked())
			fork_adopt();
		if (!*session_live)
			return false;
	}
	if (t->guard_sp) {
		if (!guard_is_stale(t, func, sp, &interrupted)) {
			if (interrupted)
				session_loss(LOSS_NESTED, 1);
			return false;
		}
		guard_repair(t);
	}
	t->guard_sp = sp;
	t->phase = PHASE_CALL;
	t->func = (uint8_t)func;
	if (t->countdown-- == 0)
		guard_look(t);
	return true;
}

__attribute__((noinline, cold)) bool guard_enter_slowly(enum alloc_func func, uint64_t sp)
{
	int saved = errno;
	bool entered = enter_slowly(func, sp);

	errno = saved;
	return entered;
}

/* Between MEAN / 2 and MEAN * 3 / 2, so that no pattern of calls is always hit or missed. */
static uint32_t next_gap(struct tstate *s)
{
	s->random = s->random * 1664525u + 1013904223u;
	return MEASURE_MEAN / 2 + (s->random >> 16) % MEASURE_MEAN;
}

__attribute__((noinline, cold)) void guard_look(struct thread *t)
{
	bool inferred = session.features & FEATURE_SITES_INFERRED;
	bool all = session.options.timing_all;
	bool sample = session.options.sample_bytes != 0;
	bool measure = all;

	if (t->func == FUNC_OTHER) {
		t->countdown = 0;
		return;
	}
	if (sample) {
		/* so seldom recorded that each is measured */
		measure = true;
		t->leave |= LEAVE_SAMPLING;
		sample_prepare(t);
	}
	t->countdown = inferred || all || sample ? 0 : MEASURE_MEAN;
	if (t->state && !all && !sample) {
		if (!inferred) {
			measure = true;
			t->countdown = next_gap(t->state);
		} else if (t->state->until_measured-- == 0) {
			measure = true;
			t->state->until_measured = next_gap(t->state);
		}
	}
	if (inferred) {
		infer_before();
		t->leave |= LEAVE_LOOK;
		if (t->func >= FUNC_FREE && t->func <= FUNC_CFREE)
			t->leave |= LEAVE_INFER;
	}
	if (measure) {
		t->leave |= LEAVE_TIMING;
		t->call_end = 0;
		t->call_start = clock_stamp();
	}
}

__attribute__((noinline, cold)) void guard_leave_slowly(struct thread *t)
{
	int saved = errno;

	if (t->leave & LEAVE_TIMING) {
		if (t->call_end == 0)
			t->call_end = clock_stamp();
		event_write_timing(t);
	}
	if (t->leave & LEAVE_INFER) {
		t->phase = PHASE_CALL;
		infer_after(NULL, CLASS_HEAP);
	}
	if (t->leave & LEAVE_RETURN) {
		t->phase = PHASE_OWN;
		tstate_return(t);
	}
	t->leave = 0;
	errno = saved;
}
