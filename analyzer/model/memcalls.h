/*
 * memcalls.h - memory system calls: how often and why, the program break, what
 * the allocator maps, and the mappings that the program makes itself.
 */
#ifndef MODEL_MEMCALLS_H
#define MODEL_MEMCALLS_H

#include "model/heap.h"

/* A call under way in a stream. All zero: none. */
struct memcall {
	bool is_open;
	uint8_t number;       /* enum memory_syscall */
	uint8_t flags;        /* SYSCALL_* */
	uint32_t thread;
	stack_id stack;
	uint64_t stamp;       /* of its begin */
	uint64_t args[6];
	struct mapping_pieces pieces;  /* munmap, mremap: what it gives back */
	struct mapping_pieces covered; /* what a fixed address maps over */
};

/* SYSCALL_BEGIN. A call of M that never ended is taken as failed. */
void memcall_begin(struct heap_state *h, struct memcall *m, const struct event *event);

/*
 * SYSCALL_END: account the call that is open in M, or count a nameless one.
 * What it changed is appended to CHANGES, the first of it in items[0].
 */
void memcall_end(struct heap_state *h, struct memcall *m, const struct event *event,
		 struct change_list *changes);

/* The stream has no more events: put back what an open call had taken. */
void memcall_abandon(struct heap_state *h, struct memcall *m);

void memcall_release(struct memcall *m);

#endif
