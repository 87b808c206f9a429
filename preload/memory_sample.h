/*
 * memory_sample.h - what is resident of this process, by kind, as META_MEMORY.
 */
#ifndef PRELOAD_MEMORY_SAMPLE_H
#define PRELOAD_MEMORY_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record_kinds.h"

/* Bytes. The six kinds add up to rss. */
struct memory_sample {
	uint64_t rss;
	uint64_t heap;   /* the program break's region */
	uint64_t mapped; /* anonymous memory without a name: big blocks, arenas, thread stacks, .bss */
	uint64_t stack;  /* the main thread's */
	uint64_t file;   /* backed by files, private copies of their pages too */
	uint64_t shmem;  /* /dev/shm, memfd, System V, shared anonymous memory */
	uint64_t other;  /* vdso and the like; the library's own memory and the ring */
	uint64_t virtual_bytes;
	uint64_t swap;
};

/* Where a line of /proc/self/smaps is counted. */
enum memory_kind {
	MEMORY_HEAP, MEMORY_MAPPED, MEMORY_STACK, MEMORY_FILE, MEMORY_SHMEM, MEMORY_OTHER,
};

/* The kind of a mapping by its NAME in /proc/self/maps ("" where it has none). */
enum memory_kind memory_kind_of(const char *name);

/* Who else wants what is read. Each may be NULL. */
struct memory_listener {
	void (*text)(const char *text, size_t bytes);  /* the file, part by part */
	/* a private mapping that has anonymous pages: addresses [start, end) */
	void (*anonymous)(uint64_t start, uint64_t end);
};

/* Add up TEXT-lines read from the descriptor FD of a smaps file. LISTENER may be NULL. */
void memory_sample_read(struct memory_sample *m, long fd, const struct memory_listener *listener);

/* Read TEXT of a statm file: rss and virtual_bytes only. */
void memory_sample_totals(struct memory_sample *m, const char *text);

/*
 * What reading smaps costs a process of RSS bytes resident, in nanoseconds. Measured
 * here: 0.2 ms for python3 (10 MiB), 8 ms for 310 MiB, 14 ms where fragmented.
 */
uint64_t memory_sample_cost_ns(uint64_t rss);

/*
 * Append META_MEMORY of this process, for MOMENT: with all parts where that costs
 * at most BUDGET_NS, and LISTENER (may be NULL) hears of them; else rss and virtual only.
 * Returns whether the parts were read.
 */
bool memory_sample_record(enum memory_moment moment, uint64_t budget_ns,
			  const struct memory_listener *listener);

#endif
