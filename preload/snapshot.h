/*
 * snapshot.h - the address space of this process at one moment, into the metadata area: the text
 * of /proc/self/smaps, which pages of private anonymous memory were touched, and which mappings
 * are the library's own.
 */
#ifndef PRELOAD_SNAPSHOT_H
#define PRELOAD_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "record_kinds.h"

/*
 * The process ends: META_MEMORY with its parts where that costs at most BUDGET_NS, and a
 * snapshot beside it where IS_WHOLE. One thread at a time calls.
 */
void snapshot_at_exit(uint64_t budget_ns, bool is_whole);

/*
 * The program set the mark LABEL. A program that sets them by the thousand gets few of them:
 * after the first ones they may cost a part of its time (snapshot.c). Another thread's snapshot
 * under way is not waited for.
 */
void snapshot_at_mark(const char *label);

#endif
