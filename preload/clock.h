/*
 * clock.h - stamps: the clock's value >> the session's shift.
 */
#ifndef PRELOAD_CLOCK_H
#define PRELOAD_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "segment.h"

/* Set once at start from the ring header; read at every event. */
extern struct clock_state {
	uint8_t kind;  /* enum clock_kind */
	uint8_t shift;
} clock_state __attribute__((visibility("hidden")));

/* CLOCK_MONOTONIC and CLOCK_REALTIME in nanoseconds, by the vDSO. */
uint64_t clock_monotonic_ns(void);
uint64_t clock_realtime_ns(void);

static inline uint64_t clock_stamp(void)
{
	if (__builtin_expect(clock_state.kind == CLOCK_KIND_TSC, 1)) {
#if defined(__x86_64__)
		uint32_t low, high;

		__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
		return (((uint64_t)high << 32) | low) >> clock_state.shift;
#elif defined(__aarch64__)
		uint64_t count;

		__asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
		return count >> clock_state.shift;
#endif
	}
	return clock_monotonic_ns() >> clock_state.shift;
}

#endif
