/*
 * inner_stack.h - with SYSCALLS_STACKS: the frames between a memory system call and the allocator
 * call that made it. They are taken with an unwind state of their own, so that the stacks of
 * events stay differences from each other, and written as a record of their own.
 */
#ifndef PRELOAD_INNER_STACK_H
#define PRELOAD_INNER_STACK_H

#include <stdint.h>

#include "inner_record.h"
#include "unwind.h"

struct thread;

/*
 * The frames from CTX, which lies in an allocator call of T, to this library's hook. None where
 * the walk does not come there.
 */
void inner_stack(struct thread *t, const struct unwind_context *ctx, struct inner_frames *inner);

#endif
