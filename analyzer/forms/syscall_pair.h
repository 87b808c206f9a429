/*
 * syscall_pair.h - a memory system call put together from its two events. A stream
 * has one under way at a time.
 */
#ifndef FORMS_SYSCALL_PAIR_H
#define FORMS_SYSCALL_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/event.h"

/* All zero: none under way. */
struct syscall_pair {
	uint64_t begin_stamp, end_stamp;
	uint64_t args[6];
	int64_t result;       /* as the kernel gives it: an error as -errno */
	stack_id stack;       /* in force at its begin: not its own inside an allocator's acquire */
	uint32_t thread;
	uint8_t number;       /* enum memory_syscall */
	uint8_t flags;        /* SYSCALL_* */
	uint8_t func;         /* of the allocator call that made it; FUNC_COUNT: none */
	bool is_open;
};

/* SYSCALL_BEGIN of the pair's stream. One that never ended is forgotten. */
void syscall_pair_begin(struct syscall_pair *p, const struct event *event);

/* SYSCALL_END: true where P is complete now; false where it had not begun. */
bool syscall_pair_end(struct syscall_pair *p, const struct event *event);

/* The result says that it failed: -errno of the kernel. */
static inline bool syscall_has_failed(int64_t result)
{
	return result < 0 && result >= -4095;
}

#endif
