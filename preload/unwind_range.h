/*
 * unwind_range.h - which memory around a stack pointer is the stack.
 *
 * Every read of the unwinder stays inside such a range: a stack may hold
 * anything, and the target must not crash of it.
 */
#ifndef PRELOAD_UNWIND_RANGE_H
#define PRELOAD_UNWIND_RANGE_H

#include <stdbool.h>
#include <stdint.h>

/* Readable memory [low, high), addresses; empty: unknown. */
struct stack_range {
	uint64_t low;
	uint64_t high;
};

#define RANGES_KEPT 32

/*
 * What a thread knows. `own` is the stack it was started on, which lives as long as
 * the thread does; `other` are alternate and coroutine stacks, good only while
 * `generation` is range_generation().
 */
struct stack_ranges {
	struct stack_range own;
	struct stack_range other[RANGES_KEPT];
	uint32_t generation;
	uint32_t next; /* to be replaced */
};

static inline bool range_holds(const struct stack_range *r, uint64_t sp)
{
	return sp - r->low < r->high - r->low;
}

/*
 * The range that SP of this thread lies in, into FOUND; false where that memory
 * is not known to be readable. Asks the kernel only where no kept range holds SP.
 * OWN is set to true where it is the stack the thread was started on.
 */
bool range_find(struct stack_ranges *r, uint64_t sp, struct stack_range *found,
		bool *own);

/*
 * The readable mapping that ADDRESS lies in, as the kernel lists it; opens /proc/self/maps.
 * False where there is none, or where the kernel does not say.
 */
bool range_of_mapping(uint64_t address, struct stack_range *found);

/* The same from the text of a maps file open at FD: how kernels before Linux 6.11 are asked. */
bool range_in_text(int fd, uint64_t address, struct stack_range *found);

/* Counts unwind_memory_changed(): kept ranges of an older generation are not used. */
uint32_t range_generation(void);
void range_changed(void);

/* True for an address at, or at most 64 bytes below, the stack pointer the process began with. */
bool range_is_first(uint64_t sp);

#endif
