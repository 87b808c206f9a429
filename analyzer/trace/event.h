/*
 * event.h - one event of the recording in time order: a record as written,
 * with who and where.
 */
#ifndef TRACE_EVENT_H
#define TRACE_EVENT_H

#include "record_codec.h"
#include "trace/stacks.h"

struct event {
	struct record r;     /* r.frames are already in the stack tree */
	uint32_t image;
	uint32_t stream;     /* unique in the whole recording (dense) */
	stack_id stack;      /* call stack in force in the stream at this event */
	stack_id inner;      /* SYSCALL_BEGIN: frames inside the allocator, their outermost has no parent */
	uint64_t sampling;   /* mean bytes between samples; 0: every block is recorded */
};

#endif
