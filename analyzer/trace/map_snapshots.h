/*
 * map_snapshots.h - the address space of the recorded processes at moments: at marks, at new heights
 * of resident memory, at the end, as the library (at marks, at the end) or the recorder (from
 * outside, while the program ran) took them.
 */
#ifndef TRACE_MAP_SNAPSHOTS_H
#define TRACE_MAP_SNAPSHOTS_H

#include "trace/recording.h"
#include "trace/smaps.h"

/* Addresses [start, end). */
struct address_range { uint64_t start, end; };

struct map_snapshot {
	uint64_t stamp;
	uint32_t pid;
	uint32_t image;              /* by pid and stamp; 0: none */
	uint8_t moment;              /* enum memory_moment */
	char *label;                 /* of a mark, else "" */
	struct smaps *smaps;
	/* Touched pages of private anonymous memory: runs by address. */
	struct address_range *touched; size_t touched_count, touched_capacity;
	bool has_pages;              /* `touched` is known */
	bool pages_are_cut;          /* but not all of it: there were too many runs */
	uint64_t page_bytes;
};

struct map_snapshots {
	struct map_snapshot *items; size_t count; /* by stamp */
	/* What the library mapped for itself, of all processes. */
	struct own_memory { uint32_t pid; struct address_range range; } *own;
	size_t own_count;
};

/* Those of R whose text is complete. */
struct map_snapshots *map_snapshots_new(struct recording *r);
void map_snapshots_free(struct map_snapshots *s);

/* Bytes of [START, END) of process PID that the library mapped for itself. */
uint64_t map_snapshots_own_bytes(const struct map_snapshots *s, uint32_t pid, uint64_t start, uint64_t end);

/*
 * Bytes of [START, END) on pages that were touched. A page that is touched counts for the part
 * of it that lies in the range.
 */
uint64_t map_snapshot_touched(const struct map_snapshot *s, uint64_t start, uint64_t end);

#endif
