/*
 * rss_moment.h - where the memory was: for each image the sample with the most
 * resident memory whose parts are known, and what the heap was at that moment.
 *
 *	heap + mapped + stack + file + shared + other + unexplained = resident
 */
#ifndef FORMS_RSS_MOMENT_H
#define FORMS_RSS_MOMENT_H

#include "model/replay.h"
#include "trace/recording.h"

struct rss_moment {
	const struct memory_sample *sample;  /* NULL: none with parts */
	uint64_t unexplained;      /* resident bytes that are in no part */
	uint64_t max_rss;          /* most resident bytes by samples and by the kernel's count; 0: unknown */
	bool has_heap;             /* the following is known: the heap's figures then */
	struct amount live;        /* KIND_HEAP */
	struct amount mapped;      /* KIND_MAPPING: the program's own, address space */
	uint64_t break_bytes;      /* the main heap's extent by the program break */
	uint64_t malloc_mapped;    /* bytes that malloc itself holds by mmap, address space */
};

struct rss_moments;

/* IS_USED says which samples count: those of the window. */
struct rss_moments *rss_moments_new(const struct recording *r, uint64_t since_stamp,
				    uint64_t until_stamp);
void rss_moments_free(struct rss_moments *m);

/* Every event in order, after the replay's step. */
void rss_moments_watch(struct rss_moments *m, const struct event *event,
		       const struct change *change);

/* After the last event. HEAP: of the image; its figures are used where the sample came after the last event. */
const struct rss_moment *rss_moments_of(struct rss_moments *m, const struct image *image,
					const struct heap *heap);

#endif
