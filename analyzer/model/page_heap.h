/*
 * page_heap.h - all the memory that a program has from the kernel, by the call stack
 * that got it, whether the allocator asked or the program itself: what valgrind's
 * Massif shows with --pages-as-heap=yes. Address space in whole pages, touched or not;
 * maps of files count as well.
 *
 *	live_bytes = sum over sites of their bytes
 *
 * Site 0 is what was mapped before the recording began (image.regions).
 */
#ifndef MODEL_PAGE_HEAP_H
#define MODEL_PAGE_HEAP_H

#include <stdbool.h>

#include "base/idmap.h"
#include "model/mappings.h"
#include "model/peak_log.h"
#include "model/snapshots.h"
#include "trace/event.h"

struct page_call;

struct page_heap {
	const struct image *image;
	uint64_t page_bytes;
	uint64_t live_bytes;
	uint64_t moved_bytes;        /* got and given back so far, in all */
	struct stack_bytes *sites;   /* live */
	size_t site_count, site_capacity;
	struct idmap by_stack;       /* stack + 1 -> site */
	struct mappings mappings;
	struct mapping_pieces pieces; /* work space */
	struct page_call *open;      /* by stream: its call under way */
	size_t stream_count;
	struct page_call *waiting;   /* calls whose call stack comes with the next acquire */
	size_t waiting_count, waiting_capacity;
	uint64_t break_now;          /* 0: not known */
};

/* IMAGE's first pages, where it was not forked. */
void page_heap_init(struct page_heap *p, const struct image *image);
void page_heap_release(struct page_heap *p);

/* Would EVENT give memory back? To be asked before page_heap_event. */
bool page_heap_gives_back(const struct page_heap *p, const struct event *event);

/*
 * Apply EVENT of the image; sites that change are noted in LOG (may be NULL). Returns false:
 * nothing changed. A system call that the allocator makes for a block is applied when the
 * block is acquired: that record has the call stack.
 */
bool page_heap_event(struct page_heap *p, const struct event *event, struct peak_log *log);

#endif
