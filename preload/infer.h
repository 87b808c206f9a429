/*
 * infer.h - system calls concluded from what the allocator leaves behind, where
 * libc's syscall sites could not be patched: the exported __curbrk before and
 * after, and the chunk header of a mapped block. Records are flagged
 * SYSCALL_INFERRED.
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

#endif
