/*
 * sizeclass.h - the size classes of glibc's malloc on 64-bit machines: which
 * requests end in chunks of the same bin. A table of requested sizes grouped
 * by these shows what rounding costs and where freed blocks will wait.
 *
 * Source: glibc 2.36, malloc/malloc.c: request2size, largebin_index_64,
 * DEFAULT_MXFAST, TCACHE_MAX_BINS, NSMALLBINS, DEFAULT_MMAP_THRESHOLD_MIN,
 * sysmalloc_mmap. The same from 2.26 (tcache) to 2.41; 2.42 only adds tcache
 * bins for large sizes that are off by default. Without tcache (older, or
 * glibc.malloc.tcache_count=0) the ranges are equal and the flag means nothing.
 * Other allocators have other classes: see FEATURE_GLIBC_MALLOC.
 */
#ifndef MODEL_SIZECLASS_H
#define MODEL_SIZECLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bin proper; a chunk of up to 1040 bytes goes to the thread's tcache first. */
enum size_class_bin {
	BIN_FAST,    /* chunks of 32 .. 128 bytes, one size each */
	BIN_SMALL,   /* chunks of 144 .. 1008 bytes, one size each */
	BIN_LARGE,   /* chunks of 1024 bytes and more, a range of sizes each */
	BIN_MAPPED,  /* a mapping of its own, given back by munmap when freed */
	BIN_COUNT,
};

/* The threshold from which malloc maps, as long as it has not moved. */
#define SIZE_CLASS_MMAP_THRESHOLD (128 * 1024)

struct size_class {
	uint8_t bin;              /* enum size_class_bin */
	bool in_tcache;           /* up to 7 freed chunks wait in the thread's tcache */
	uint32_t order;           /* ascending with the requested size; equal: same class */
	uint64_t min_request;     /* requested bytes from ... */
	uint64_t max_request;     /* ... to, both included; UINT64_MAX: no limit */
	uint64_t min_chunk;       /* bytes of the smallest and the largest chunk of the class, */
	uint64_t max_chunk;       /* header included; UINT64_MAX: no limit */
};

/*
 * The class of a request of REQUEST bytes. MMAP_THRESHOLD in bytes, as in
 * mallopt(M_MMAP_THRESHOLD) (it moves: mallopt(3)), 0: never mapped. A block
 * that was aligned to more than 16 bytes may come from a larger class.
 */
struct size_class size_class_of(uint64_t request, uint64_t mmap_threshold);

/* Chunk bytes, header included, for REQUEST from a heap (not mapped); saturated. */
uint64_t size_class_chunk(uint64_t request);

/* "fast", "small", "large", "mapped" */
const char *size_class_bin_name(enum size_class_bin bin);

#endif
