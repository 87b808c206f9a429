/*
 * rss_moment.h - where the memory was when the most of it was resident:
 *
 *	heap + mapped + stack + file + shmem + other + unexplained = rss
 *
 * The parts come from a sample of /proc/PID/smaps. Such samples are dear and so
 * seldom; where the largest one is well below the most that was seen (a short
 * program, a spike), the account is an estimate for the higher moment: heap and mapped
 * are what the recorded system calls had obtained by then, at most what is left of
 * rss, and the other parts are those of the sample there is.
 */
#ifndef FORMS_RSS_MOMENT_H
#define FORMS_RSS_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/replay.h"
#include "trace/recording.h"

struct rss_moment {
	bool is_known;             /* there is a sample at all */
	bool is_estimate;          /* see above */
	bool has_parts;            /* stack, file, shmem, other are known */
	uint64_t stamp;            /* of the account */
	uint64_t rss;              /* bytes, as the parts below */
	uint64_t heap, mapped, stack, file, shmem, other, unexplained;
	uint64_t max_rss;          /* most resident bytes by samples and by the kernel's count; 0: unknown */
	bool has_heap;             /* the following is known: the heap's figures then */
	struct amount live;        /* KIND_HEAP */
	struct amount program;     /* KIND_MAPPING: mapped by the program itself, address space */
	uint64_t break_bytes;      /* the main heap's extent by the program break */
	uint64_t malloc_mapped;    /* bytes that malloc itself holds by mmap, address space */
};

struct rss_moments;

/* Of the samples between the two stamps. */
struct rss_moments *rss_moments_new(const struct recording *r, uint64_t since_stamp,
				    uint64_t until_stamp);
void rss_moments_free(struct rss_moments *m);

/*
 * Every event in order, after the replay's step. Returns the stamp up to which further events
 * say nothing and need not be shown.
 */
uint64_t rss_moments_watch(struct rss_moments *m, const struct event *event,
			   const struct change *change);

/*
 * After the last event. HEAP is the image's; its figures are used where the sample
 * came after the last event. NULL: no such image.
 */
const struct rss_moment *rss_moments_of(struct rss_moments *m, const struct image *image,
					const struct heap *heap);

#endif
