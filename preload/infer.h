/*
 * infer.h - system calls concluded from what the allocator leaves behind, where
 * libc's syscall sites could not be patched: the exported __curbrk before and
 * after, and the chunk header of a mapped block. Records are flagged
 * SYSCALL_INFERRED.
 *
 * Order within one allocator call: infer_before(), infer_release() of the block
 * that free or realloc is given, the real call, infer_after(). infer_after() is
 * not called where the real call failed (the old block lives).
 *
 * What cannot be concluded: the first brk(NULL), a break that moved and moved
 * back within one call, growth and trimming of thread arenas.
 */
#ifndef PRELOAD_INFER_H
#define PRELOAD_INFER_H

#include <stddef.h>
#include <stdint.h>

#include "record_kinds.h"

/* Called by event.c around allocator calls when FEATURE_SITES_INFERRED is in force. */
void infer_before(void);
/* P: the block acquired (NULL for a release), CLS its class. */
void infer_after(const void *p, enum block_class cls);
/* A mapped block is about to be released. */
void infer_release(const void *p, enum block_class cls);
/* The program moved the break itself, and that is recorded: brk() and sbrk() hooks. */
void infer_break_moved(void);

#endif
