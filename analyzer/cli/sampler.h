/*
 * sampler.h - the memory of the recorded processes as the kernel sees it, read
 * from /proc while they run: resident and virtual size often, what it consists
 * of (smaps) when resident memory reached a new height.
 */
#ifndef CLI_SAMPLER_H
#define CLI_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/family.h"
#include "cli/pack.h"
#include "cli/session_file.h"

/* Resident bytes by kind; virtual_bytes and swap are whole. */
struct memory_parts {
	uint64_t rss, heap, mapped, stack, file, shmem, other, virtual_bytes, swap;
};

/*
 * Add up a text as in /proc/PID/smaps. heap: [heap]; stack: [stack]; mapped: private
 * without a name (also the kernel's [anon:NAME]); file: a file's pages, but
 * shmem: of /dev/shm, memfd, SYSV; other: [vdso] and the like, and everything whose
 * name is RING (the session ring), and the library with its own memory: the program has
 * them only because of us.
 */
void memory_parts_parse(struct memory_parts *m, const char *smaps, const char *ring);

struct sampler;

/*
 * INTERVAL_NS between samples; 0: the default, 10 ms at first, 50 ms after a second,
 * 100 ms after ten. All pointers stay the caller's.
 */
struct sampler *sampler_new(struct session_file *s, struct family *f, struct pack *p,
			    uint64_t interval_ns);
void sampler_free(struct sampler *sm);

/*
 * Take samples if they are due, and look which processes still run. Returns
 * the nanoseconds until it wants to be called again.
 */
uint64_t sampler_tick(struct sampler *sm);

/* The largest resident size of any process seen so far, bytes. */
uint64_t sampler_peak(const struct sampler *sm);

#endif
