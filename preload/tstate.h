/*
 * tstate.h - what the library keeps for each thread: a small initial-exec
 * block with all that the hot path reads, and a cold struct tstate in memory of
 * our own, which passes from a finished thread to a new one together with its slot
 * and its stream.
 */
#ifndef PRELOAD_TSTATE_H
#define PRELOAD_TSTATE_H

#include <stdbool.h>
#include <stdint.h>

#include "freed_look.h"
#include "ring.h"
#include "unwind.h"

/* What a thread is doing, as far as the library is concerned. */
enum thread_phase {
	PHASE_CALL = 0,     /* inside the real allocator function */
	PHASE_SYSCALL,      /* inside a memory system call outside the allocator */
	PHASE_CALL_SYSCALL, /* inside a memory system call inside the allocator */
	PHASE_RECORD,       /* the library is writing a record */
	PHASE_OWN,          /* the library calls libc for itself; nested calls are its own */
};

/* What guard_leave() has to do besides. */
#define LEAVE_TIMING 1u   /* the call was measured: write it down */
#define LEAVE_RETURN 2u   /* the state was only lent for this call: give it back */
#define LEAVE_INFER 4u    /* a release ended: look for system calls it made */
#define LEAVE_LOOK 8u     /* nothing; the call is looked at for system calls */
#define LEAVE_SAMPLING 16u /* nothing; sample.h decides whether the call is recorded */
#define LEAVE_GIVEN 32u    /* nothing; the call released a sampled block: thread.given_back */

/* Frames of recorded stacks; what the first record of a segment needs. */
enum stack_mode {
	STACKS_CAPTURED = 0,
	STACKS_NONE,         /* not taken */
	STACKS_NONE_PENDING, /* not taken, and the segment does not say so yet */
};

/*
 * Of the running thread. One, of fixed offset (initial-exec: the dynamic model calls
 * __tls_get_addr, which may allocate).
 */
struct thread {
	struct ring_cursor ring;
	/* frame address of the hook that the thread is in; 0: outside */
	uint64_t guard_sp;
	/* written and read by signal handlers of the thread too */
	volatile uint8_t phase;    /* enum thread_phase; only while guard_sp != 0 */
	uint8_t func;              /* enum alloc_func of the call */
	uint8_t leave;             /* LEAVE_* */
	uint8_t stacks;            /* enum stack_mode */
	uint32_t countdown;        /* calls before the next one that guard_look() sees */
	/* sampling, the fast way: bytes until the next sample (sample.h); 0: not that way */
	uint64_t budget;
	uint64_t passed_cfa;       /* last call that was let pass: stack pointer before it, */
	uint64_t passed_return;    /* where it returns to */
	struct unwind_state *unwind;
	struct tstate *state;      /* NULL: none yet, or not any more */
	uint64_t call_start;       /* of a measured call: stamps */
	uint64_t call_end;         /* 0: not known yet */
	uint64_t fork_stamp;       /* when this thread began its last fork */
	uint32_t number;           /* thread number, from 1; 0: none yet */
	uint32_t pop;              /* frames of the stream's former thread, to be popped first */
	uint8_t retired;           /* past its last destructor round: states are only lent */
	uint8_t rounds;            /* destructor rounds so far */
	uint8_t lent;              /* calls that a state was lent for before the thread had one */
	uint8_t passed_func;       /* enum alloc_func of the call that was let pass */
	uint64_t random;           /* state of exponential_draw(); 0: none yet */
	uint64_t left;             /* sampling, the guarded way: bytes until the next sample */
	const void *given_back;    /* with LEAVE_GIVEN: the block */
};

_Static_assert(sizeof(struct thread) <= 256, "thread-local state is small");

extern __thread struct thread thread
	__attribute__((visibility("hidden"), tls_model("initial-exec")));

/* Cold state. Lives as long as the process. */
struct tstate {
	struct tstate *next_all;
	uint64_t next_free;        /* link word of the free list */
	struct ring_cursor ring;   /* while nobody has it */
	struct ring_claimant claimant;
	struct unwind_state *unwind;
	uint64_t gap;              /* events lost since the last record, to be said in the stream */
	uint32_t number;           /* thread number that the stream says is writing */
	uint32_t random;           /* for the choice of measured calls */
	uint32_t until_measured;   /* calls, where each call is looked at */
	char name[16];             /* last recorded thread name */
	struct looks looks;        /* at blocks that are released */
	struct unwind_state *inner; /* inner_stack.h; NULL: not used yet */
};

/* Once, at start: the key whose destructor gives states back. */
void tstate_init(void);

/*
 * Give the running thread a state (a finished thread's, or a new one) and write
 * META_THREAD_START where it has no number yet. The thread's guard is set, func is
 * its call. False: there is none to be had.
 *
 * A thread keeps it from its first acquire on. For a release or a system call it is
 * only lent, a number of times: those may be libc's own, made when the thread has
 * passed its destructors, and nobody would ever give the state back.
 */
bool tstate_attach(struct thread *t);

/* What S keeps of its thread's stack is not to be trusted: a call was abandoned, or a child forked. */
void tstate_reset_unwind(struct tstate *s);

/* The process ends: unwind_collect() of all states. */
void tstate_collect(void);

/* Give back a state that was lent to a retired thread. */
void tstate_return(struct thread *t);

/* At slot changes: META_THREAD_NAME where the name changed. */
void tstate_check_name(struct thread *t);

/*
 * In a forked child: forget the slots of all states (they are the parent's) and
 * the states of the other threads; T keeps its own with a new stream.
 */
void tstate_fork(struct thread *t);

#endif
