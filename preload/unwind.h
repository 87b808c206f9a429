/*
 * unwind.h - the call stack of an event, as the difference from the thread's
 * previous one.
 *
 * A thread's unwind state lives in memory that tstate.c gives it
 * (unwind_state_bytes(), zeroed). No function here allocates from the heap,
 * takes a lock that the target may hold, or touches errno. All are called
 * with the thread's guard set.
 */
#ifndef PRELOAD_UNWIND_H
#define PRELOAD_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a stack begins: the registers in the hook's caller, after the call returns. */
struct unwind_context {
	uint64_t pc; /* return address into the caller */
	uint64_t sp;
	uint64_t bp; /* frame pointer register (rbp, x29) */
};

/*
 * Fill CTX for the caller of the function this stands in. The function must keep
 * a frame pointer: preload/ is compiled with -fno-omit-frame-pointer. On aarch64
 * sp is only known to be above the frame record.
 */
#define UNWIND_CONTEXT(ctx) unwind_context_of(ctx, (uint64_t)__builtin_frame_address(0))

/* The same for a function that is under way further out, by its frame address. */
static inline void unwind_context_of(struct unwind_context *ctx, uint64_t frame)
{
	const uint64_t *record = (const uint64_t *)frame;

	ctx->bp = record[0];
	ctx->pc = record[1];
	ctx->sp = (uint64_t)(record + 2);
}

/* What to write: drop POP innermost frames of the last stack, then add these. */
struct stack_change {
	uint32_t pop;
	uint32_t push;
	/*
	 * PUSH frames, outermost first: the pc to look up (return address - 1, or the
	 * exact pc of a frame interrupted by a signal), or an enum frame_special
	 * (values below 16). Valid until the thread's next capture.
	 */
	const uint64_t *frames;
};

struct unwind_state;

/* Choose the method from the session's options; load libunwind where it is used. Once, at start. */
void unwind_init(void);

/*
 * The process ends: write how many stacks ended early (stack_ends.h; unwind_collect() each state
 * before) and what ALLOTROPE_CHECK_STACKS counted.
 */
void unwind_finish(void);

/* In a forked child, after it got its image number: what was counted so far is the parent's. */
void unwind_forked(void);

/* Move what U counted to the process's totals. From any thread. */
void unwind_collect(struct unwind_state *u);

/* FEATURE_UNWIND_* bits of the method in use. */
uint32_t unwind_features(void);

/* Bytes that a thread's state needs (a multiple of the page size; touched lazily). */
size_t unwind_state_bytes(void);

/* A thread takes U over (new thread, recycled state, fork child): forget everything. */
void unwind_reset(struct unwind_state *u);

/* A new segment begins: the next change is a whole stack (pop 0). Keeps what was learnt. */
void unwind_restart(struct unwind_state *u);

/* Take the stack at CTX and say how it differs from the last one taken with U. */
void unwind_capture(struct unwind_state *u, const struct unwind_context *ctx,
		    struct stack_change *change);

/* The whole stack of the last capture, outermost frame first, and its number of frames in COUNT. */
const uint64_t *unwind_last(const struct unwind_state *u, uint32_t *count);

/*
 * Is a call under way that was made with the stack pointer CFA and returns to PC? Asked
 * right after a capture at the stack pointer SP of the same thread, in whose stack
 * CFA must lie. Exact where the stack was taken by unwind rules: then the word is one
 * that the walk has met. Else what is left of a call that is over may deceive.
 */
bool unwind_meets(struct unwind_state *u, uint64_t sp, uint64_t cfa, uint64_t pc);

/*
 * Code was mapped or unmapped (called by modules.c with the loader's lock held
 * or not): rules and kept frames in the changed range must not be used again.
 */
void unwind_modules_changed(void);

/* The same where nothing was unmapped: rules stay, which makes a program that loads much faster. */
void unwind_modules_added(void);

/*
 * Memory was unmapped, moved or protected, or the program break lowered: the bounds of
 * stacks other than the thread's own (coroutines, alternate ones) must be asked
 * for again. Costs a load until such a stack was met, then an atomic increment.
 */
void unwind_memory_changed(void);

#endif
