/*
 * sample.h - Poisson sampling by bytes: which blocks are recorded.
 *
 * Each thread counts down the bytes that it acquires (a block of 0 bytes counts as
 * 1) from an exponentially distributed number with the mean options.sample_bytes.
 * The block that takes the count to 0 or below is recorded, and a new count is
 * drawn: so a block of s bytes is recorded with the probability
 * 1 - exp(-s / mean), whatever was acquired before. A release is recorded where its
 * block was: the live ones are in a set.
 *
 * The fast way (glibc's malloc on x86-64, system calls seen exactly): a hook asks
 * sample_skips(), or the set, and jumps to the real function after sample_pass(). No guard
 * is set then; sample_passing() says afterwards, to a system call, whether it is
 * made inside such a call. Elsewhere each call takes its guard, as without
 * sampling, and only its record is left out.
 */
#ifndef PRELOAD_SAMPLE_H
#define PRELOAD_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address_set.h"
#include "record_kinds.h"
#include "tstate.h"

/*
 * A hook in two parts: the exported door, which leaves no frame on its way to the
 * real function or to the body, and the body, which records. A passage lies between.
 */
#if defined(__clang__)
#define FRAMELESS
#else
#define FRAMELESS __attribute__((optimize("omit-frame-pointer")))
#endif
#define DOOR __attribute__((visibility("default"))) FRAMELESS
#define PASSAGE __attribute__((noinline)) FRAMELESS
#define BODY static __attribute__((noinline))

extern struct sampling {
	struct address_set live; /* addresses of recorded blocks */
	uint64_t mean;           /* bytes between samples; 0: all blocks are recorded */
	bool is_fast;            /* the fast way is open */
} sampling __attribute__((visibility("hidden")));

/* Once, at start, when the session's options and features are known. */
void sample_init(void);

/* The guard of an allocator call of T is set: see to its count. */
void sample_prepare(struct thread *t);

/* T acquired a block of SIZE bytes at P: is it to be recorded? It is in the set then. */
bool sample_takes(struct thread *t, const void *p, uint64_t size);

/* Is P, which T is about to release, a recorded block? It is out of the set then. */
bool sample_gives_back(struct thread *t, const void *p);

/* The record of P could not be written, or its release did not happen. */
void sample_drop(const void *p);
void sample_restore(const void *p);

/* A forked child draws anew. */
void sample_fork(struct thread *t);

/*
 * T is in a system call whose stack pointer is SP and has no guard: is it made by an
 * allocator call that was let pass? Its function to FUNC. T has an unwind state.
 */
bool sample_passing(struct thread *t, uint64_t sp, enum alloc_func *func);

/* Where the call is made from that this stands in. */
static inline __attribute__((always_inline)) void sample_pass(struct thread *t,
							      enum alloc_func func)
{
	t->passed_cfa = (uint64_t)__builtin_dwarf_cfa();
	t->passed_return = (uint64_t)__builtin_return_address(0);
	t->passed_func = (uint8_t)func;
}

/* True: a block of SIZE bytes is not recorded; call the real function, by a jump. */
static inline __attribute__((always_inline)) bool sample_skips(enum alloc_func func, uint64_t size)
{
	struct thread *t = &thread;

	if (__builtin_expect(t->budget <= size + (size == 0), 1))
		return false;
	t->budget -= size + (size == 0);
	sample_pass(t, func);
	return true;
}

/* True: P is no recorded block, nor is the one of SIZE bytes that it is to become. */
static inline __attribute__((always_inline)) bool
sample_skips_resize(enum alloc_func func, const void *p, uint64_t size)
{
	struct thread *t = &thread;

	if (__builtin_expect(t->budget <= size + (size == 0), 1) ||
	    address_set_may_hold(&sampling.live, p))
		return false;
	t->budget -= size + (size == 0);
	sample_pass(t, func);
	return true;
}

#endif
