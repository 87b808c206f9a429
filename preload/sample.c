/*
 * sample.c - see sample.h. Relies on the guard being set where a thread is given.
 * Promises that a release is recorded if and only if its acquire was.
 */
#include "sample.h"

#include "block.h"
#include "clock.h"
#include "event_write.h"
#include "exponential.h"
#include "meta.h"
#include "session.h"

/* An allocator uses less stack than this between its entry and a system call. */
#define CALL_STACK_BYTES (64u << 10)

struct sampling sampling;

void sample_init(void)
{
	if (!session.options.sample_bytes)
		return;
	if (!address_set_make(&sampling.live)) {
		meta_note("no memory for the table of sampled blocks: no heap call is recorded");
		return;
	}
	sampling.mean = session.options.sample_bytes;
#if defined(__x86_64__)
	/* other allocators may call each other's functions: they need the guard */
	sampling.is_fast = block_is_glibc && !(session.features & FEATURE_SITES_INFERRED);
#endif
}

void sample_prepare(struct thread *t)
{
	if (t->random)
		return;
	t->random = exponential_seed(clock_stamp() ^ (uint64_t)t ^
				     (uint64_t)session.image << 48);
	t->left = exponential_draw(&t->random, sampling.mean);
	if (sampling.is_fast)
		t->budget = t->left;
}

bool sample_takes(struct thread *t, const void *p, uint64_t size)
{
	uint64_t *left = sampling.is_fast ? &t->budget : &t->left;
	uint64_t bytes = size + (size == 0);

	if (!sampling.mean)
		return false;
	if (*left > bytes) {
		*left -= bytes;
		return false;
	}
	*left = exponential_draw(&t->random, sampling.mean);
	if (address_set_add(&sampling.live, p))
		return true;
	event_lost(t, LOSS_SAMPLES);
	return false;
}

bool sample_gives_back(struct thread *t, const void *p)
{
	if (!sampling.mean || !address_set_may_hold(&sampling.live, p) ||
	    !address_set_take(&sampling.live, p))
		return false;
	t->given_back = p;
	return true;
}

void sample_drop(const void *p)
{
	address_set_take(&sampling.live, p);
}

void sample_restore(const void *p)
{
	address_set_add(&sampling.live, p);
}

void sample_fork(struct thread *t)
{
	t->random = 0;
	t->budget = 0;
}

/*
 * The call is still under way if and only if its return address stands where it
 * was: what its caller calls later returns elsewhere.
 */
bool sample_passing(struct thread *t, uint64_t sp, enum alloc_func *func)
{
	if (t->passed_cfa - sp > CALL_STACK_BYTES || !t->unwind ||
	    !unwind_meets(t->unwind, sp, t->passed_cfa, t->passed_return))
		return false;
	*func = (enum alloc_func)t->passed_func;
	return true;
}
