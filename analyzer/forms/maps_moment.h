/*
 * maps_moment.h - which snapshot of the address space a word means.
 */
#ifndef FORMS_MAPS_MOMENT_H
#define FORMS_MAPS_MOMENT_H

#include "forms/form.h"
#include "trace/map_snapshots.h"

/*
 * The snapshot of the images that RUN shows at TEXT: start (the first one), peak (the most resident
 * memory), end (the last one), mark:NAME, or a time since the start (the last one up to then).
 * NULL with run->diag set: none, with the words that there are.
 */
const struct map_snapshot *maps_moment_find(const struct run *run, const struct map_snapshots *s,
					const char *text);

/* Resident bytes of S, all mappings. */
uint64_t maps_moment_rss(const struct map_snapshot *s);

/* "at mark '32 KiB'", "at the end": why S was taken; the caller's. Escaped. */
char *maps_moment_reason(const struct map_snapshot *s);

#endif
