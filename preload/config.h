/*
 * config.h - what a bare run (LD_PRELOAD=liballotrope.so PROGRAM, without
 * `record`) can be told by environment variables. Read once, at start.
 *
 *	ALLOTROPE_OUT           file to create; %p is the process id
 *	                        (allotrope.%p.ring in the current directory)
 *	ALLOTROPE_SIZE          bytes of events at most, with K, M or G (64G, or what
 *	                        is free on the file system)
 *	ALLOTROPE_SYSCALLS      exact | inferred | off (exact)
 *	ALLOTROPE_FOLLOW        tree | exec | no (tree)
 *	ALLOTROPE_CALL_GRAPH    cfi | fp | no | libunwind (cfi)
 *	ALLOTROPE_DEPTH         frames of a call stack, 1..4096 (1024)
 *	ALLOTROPE_FREE_STACKS   0 | 1: call stacks of frees too (0)
 *	ALLOTROPE_TOUCHED       0 | 1: look at the pages of large blocks when they are freed (1)
 *	ALLOTROPE_SAMPLE        bytes between samples on average, 1K..1G; 0: record each
 *	                        block (0)
 *	ALLOTROPE_TIMING        sample | all: which calls are measured (sample)
 *	ALLOTROPE_CHECK_STACKS  compare each Nth stack with other unwinders, 0: none (0)
 *	ALLOTROPE_WHEN_FULL     drop | overwrite (drop): with overwrite the file keeps
 *	                        the last ALLOTROPE_SIZE bytes
 *	ALLOTROPE_VERBOSE       1: say on stderr where the recording is, or why not
 *
 * A value that is not understood leaves the default in force.
 */
#ifndef PRELOAD_CONFIG_H
#define PRELOAD_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "session_ring.h"

#define CONFIG_DEPTH_DEFAULT 1024u
#define CONFIG_SIZE_DEFAULT (64ull << 30)

struct config {
	struct ring_options options;
	const char *out;  /* ALLOTROPE_OUT, or the default pattern */
	const char *ring; /* ALLOTROPE_RING, or NULL: a bare run */
	uint64_t size;    /* bytes of slots */
	bool verbose;
};

/* Fill C from ENV ("NAME=value" strings, NULL at the end; may be NULL). Strings stay ENV's. */
void config_read(struct config *c, char *const *env);

#endif
