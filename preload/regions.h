/*
 * regions.h - the address space as the library finds it, as META_REGION.
 */
#ifndef PRELOAD_REGIONS_H
#define PRELOAD_REGIONS_H

#include <stdint.h>

/*
 * Record each line of /proc/self/maps but the library's own: its segments, the
 * ring. Once, at start, after the session is open. `prot` has the PROT_ bits,
 * and 8 where the mapping is shared.
 */
void regions_record(void);

/* Where this library is: [START, END). */
void regions_library(uint64_t *start, uint64_t *end);

#endif
