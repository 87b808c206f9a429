/*
 * process_record.h - what the metadata says of this process: identity and clock.
 */
#ifndef PRELOAD_PROCESS_RECORD_H
#define PRELOAD_PROCESS_RECORD_H

#include <stdint.h>

#include "record_kinds.h"

/*
 * META_PROCESS of a program that was started (exec), with notes that waited for it.
 * ARGV: as the kernel laid it out; NULL: not known.
 */
void process_record_started(char *const *argv);

/*
 * META_PROCESS of a forked child; argv and exe are its parent's. PARENT_IMAGE and
 * FORK_THREAD are the parent's numbers, FORK_STAMP the moment.
 */
void process_record_forked(uint32_t parent_image, uint64_t fork_stamp, uint32_t fork_thread);

/* CLOCK_MONOTONIC when this process (or forked child) was recorded. */
uint64_t process_record_started_ns(void);

/* META_CLOCK: one moment by the stamp's and by the kernel's clocks. */
void process_record_clock(void);

/* The same, where the last one is older than a second. */
void process_record_clock_if_due(void);

#endif
