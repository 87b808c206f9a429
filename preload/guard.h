/*
 * guard.h - entering and leaving a recorded call, inline for the hooks.
 *
 * The guard is the frame address of the hook. A call that begins while it is set
 * is nested and not recorded; unless the stack pointer shows that the guarded
 * frame is gone (a signal handler left it by longjmp): then the guard is stale.
 */
#ifndef PRELOAD_GUARD_H
#define PRELOAD_GUARD_H

#include <stdbool.h>

#include "record_kinds.h"
#include "session.h"
#include "tstate.h"

/* All that is not the common way in: not started, forked, nested, stale. */
bool guard_enter_slowly(enum alloc_func func, uint64_t sp);

/* The countdown ended: decide whether this call is measured, set the next countdown. */
void guard_look(struct thread *t);

/* Do what t->leave says. */
void guard_leave_slowly(struct thread *t);

/* Nearer than this, two frames lie on the same stack. */
#define SAME_STACK_BYTES (1u << 20)

/*
 * True: the call is recorded, and guard_leave() must follow. False: do not record (not
 * started, not recording, or the thread is already inside: a nested call of the allocator
 * itself, our own, or a signal handler's, which is counted as LOSS_NESTED). FRAME is the frame
 * address of a function of this library, under way until guard_leave(): the stack is
 * searched for it.
 */
static inline __attribute__((always_inline)) bool guard_enter_at(enum alloc_func func,
								  uint64_t frame)
{
	struct thread *t = &thread;

	if (__builtin_expect(!*session_live || t->guard_sp != 0, 0))
		return guard_enter_slowly(func, frame);
	t->guard_sp = frame;
	t->phase = PHASE_CALL;
	t->func = (uint8_t)func;
	if (__builtin_expect(t->countdown-- == 0, 0))
		guard_look(t);
	return true;
}

/* The same for the function that this is inlined into. */
static inline __attribute__((always_inline)) bool guard_enter(enum alloc_func func)
{
	return guard_enter_at(func, (uint64_t)__builtin_frame_address(0));
}

static inline __attribute__((always_inline)) void guard_leave(void)
{
	struct thread *t = &thread;

	if (__builtin_expect(t->leave, 0))
		guard_leave_slowly(t);
	/* all of the record is written before a handler may write the next one */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	t->guard_sp = 0;
}

#endif
