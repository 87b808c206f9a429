/*
 * own_ring.h - a ring of anonymous shared memory as the session of a test.
 */
#ifndef TESTS_UNIT_OWN_RING_H
#define TESTS_UNIT_OWN_RING_H

#include <sys/mman.h>
#include <unistd.h>

#include "ring_layout.h"
#include "session.h"

#define OWN_RING_META (64 * 1024)

/* A ring of SLOTS slots, of which SOFT may be full, as this process's session. */
static inline void own_ring_make(uint32_t soft, uint32_t slots, enum when_full when_full,
				 bool bare)
{
	struct ring_header layout, *h;

	ring_layout_fill(&layout, soft, slots, OWN_RING_META);
	ring_layout_clock(&layout, false);
	h = (struct ring_header *)mmap(NULL, layout.ring_bytes, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(h, MAP_FAILED);
	*h = layout;
	h->options.when_full = (uint8_t)when_full;
	h->options.bare = bare;
	session = (struct session){
		.ring = h,
		.slot_words = (uint64_t *)((char *)h + h->table_offset),
		.slots = (uint8_t *)h + h->slots_offset,
		.slot_count = slots,
		.image = 1,
		.pid = (uint32_t)getpid(),
		.recording = true,
		.options = h->options,
		.meta = (uint8_t *)h + h->meta_offset,
		.meta_mapped = OWN_RING_META,
	};
}

static inline void own_ring_drop(void)
{
	munmap(session.ring, session.ring->ring_bytes);
	session.ring = NULL;
	session.recording = false;
}

#endif
