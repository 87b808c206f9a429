/*
 * malloc_settings.h - the parameters of glibc's malloc that decide where a block
 * comes from and what free gives back, as the environment and mallopt(3) set them.
 * Source: glibc 2.26 to 2.42, malloc/malloc.c (mp_, do_set_*, __libc_mallopt) and
 * malloc/arena.c (ptmalloc_init).
 */
#ifndef MODEL_MALLOC_SETTINGS_H
#define MODEL_MALLOC_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#define MMAP_THRESHOLD_DEFAULT ((uint64_t)128 << 10)
/* A freed mapping larger than this does not move the threshold (64-bit). */
#define MMAP_THRESHOLD_MOVE_MAX ((uint64_t)32 << 20)

enum malloc_setting {
	SET_MMAP_THRESHOLD, SET_TRIM_THRESHOLD, SET_TOP_PAD, SET_MMAP_MAX, SET_ARENA_MAX,
	SET_TCACHE_COUNT, SET_COUNT,
};

struct malloc_settings {
	/* Bytes but for MMAP_MAX, ARENA_MAX (0: 8 times the processors), TCACHE_COUNT. */
	uint64_t value[SET_COUNT];
	bool is_set[SET_COUNT];   /* by the program or its environment */
	/* The two thresholds follow what the program frees (malloc_settings_free). */
	bool is_dynamic;
	bool reads_prefix;        /* private: of "128K" in the environment glibc takes 128 */
};

/* As a program of LIBC ("glibc 2.36"; may be NULL) begins where nothing is set. */
void malloc_settings_init(struct malloc_settings *s, const char *libc);

/*
 * Apply a recorded setting: KEY is "GLIBC_TUNABLES", "MALLOC_TRIM_THRESHOLD_" or
 * "mallopt(M_MMAP_THRESHOLD)", VALUE what it was set to. Returns whether S knows
 * something of it; others, and values that glibc refuses, change nothing. Measured with glibc
 * 2.36: up to 2.38 what follows a number is passed over, and no number is 0.
 */
bool malloc_settings_apply(struct malloc_settings *s, const char *key, const char *value);

/*
 * A block with a mapping of its own was freed, of a chunk of CHUNK_BYTES (__libc_free): where
 * that is larger than the threshold, and at most MMAP_THRESHOLD_MOVE_MAX, it becomes the
 * threshold, and twice of it the trim threshold. Returns whether they moved.
 */
bool malloc_settings_free(struct malloc_settings *s, uint64_t chunk_bytes);

/*
 * The smallest request that gets a mapping of its own at a threshold of THRESHOLD bytes:
 * the one whose chunk (request + 8, rounded up to 16) has that size. 131,049 for 131,072.
 */
uint64_t malloc_threshold_request(uint64_t threshold);

/* "M_MMAP_THRESHOLD": the word of mallopt(3); of those that it has none for, glibc's tunable. */
const char *malloc_setting_name(enum malloc_setting which);

#endif
