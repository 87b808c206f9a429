/*
 * session_clock.h - the recorder's view of the clock that stamps are taken from.
 * The library's own is preload/clock.h; both read what the ring header says.
 */
#ifndef CLI_SESSION_CLOCK_H
#define CLI_SESSION_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "session_ring.h"

static inline uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* A stamp now, by the clock of RING. */
static inline uint64_t session_stamp(const struct ring_header *ring)
{
	if (ring->clock == CLOCK_KIND_TSC) {
#if defined(__x86_64__)
		return __builtin_ia32_rdtsc() >> ring->stamp_shift;
#elif defined(__aarch64__)
		uint64_t count;

		__asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
		return count >> ring->stamp_shift;
#endif
	}
	return clock_ns(CLOCK_MONOTONIC) >> ring->stamp_shift;
}

#endif
