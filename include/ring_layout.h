/*
 * ring_layout.h - the size and the places of a session ring's parts, filled in
 * by whoever creates the file: `record`, or the library in a bare run.
 *
 * After ring_layout_fill() the caller sets options, root_pid (0: the first
 * process that joins becomes the root), start_stamp and wall_ns, makes a file of
 * ring_bytes bytes (sparse) and writes the header to its beginning.
 */
#ifndef ALLOTROPE_RING_LAYOUT_H
#define ALLOTROPE_RING_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "session_ring.h"
#include "version.h"

#define RING_SLOT_BYTES (64u * 1024)          /* bytes of one slot, header included */
#define RING_META_BYTES (256ull * 1024 * 1024) /* bytes of the metadata area, sparse */
/* Slots beyond the soft limit: one for each thread that may live at a time. */
#define RING_EXTRA_SLOTS 32768u
#define RING_ALIGN 4096u

/*
 * Stamps are the clock >> shift: 16 cycles of a TSC (about 6 ns), 8 ns of
 * CLOCK_MONOTONIC; so the difference between neighbours is mostly one byte.
 */
#define RING_SHIFT_TSC 4u
#define RING_SHIFT_MONOTONIC 3u
#define RING_SHIFT_CNTVCT 0u /* aarch64: the counter is coarse already */

static inline uint64_t ring_round(uint64_t bytes, uint64_t unit)
{
	return (bytes + unit - 1) / unit * unit;
}

/*
 * Fill H, all of it: identity, places, sizes. SOFT_SLOTS may be full at a time;
 * SLOT_COUNT exist (at least SOFT_SLOTS); META_BYTES is rounded up to a page.
 */
static inline void ring_layout_fill(struct ring_header *h, uint32_t soft_slots,
				    uint32_t slot_count, uint64_t meta_bytes)
{
	memset(h, 0, sizeof(*h));
	memcpy(h->magic, RING_MAGIC, sizeof(h->magic));
	h->endian = ENDIAN_MARK;
	h->version = FORMAT_VERSION;
	h->header_bytes = (uint16_t)sizeof(*h);
	h->meta_offset = RING_ALIGN;
	h->meta_bytes = ring_round(meta_bytes, RING_ALIGN);
	h->table_offset = h->meta_offset + h->meta_bytes;
	h->slots_offset = h->table_offset +
			  ring_round((uint64_t)slot_count * sizeof(uint64_t), RING_SLOT_BYTES);
	h->slot_bytes = RING_SLOT_BYTES;
	h->slot_count = slot_count;
	h->soft_slots = soft_slots < slot_count ? soft_slots : slot_count;
	h->ring_bytes = h->slots_offset + (uint64_t)slot_count * RING_SLOT_BYTES;
}

/*
 * Set H's clock. TSC_IS_CLOCKSOURCE: the kernel keeps its own time by the
 * processor's counter (/sys/devices/system/clocksource/clocksource0/current_clocksource
 * says "tsc"; on aarch64 "arch_sys_counter").
 */
static inline void ring_layout_clock(struct ring_header *h, bool tsc_is_clocksource)
{
	h->clock = tsc_is_clocksource ? CLOCK_KIND_TSC : CLOCK_KIND_MONOTONIC;
#if defined(__aarch64__)
	h->stamp_shift = tsc_is_clocksource ? RING_SHIFT_CNTVCT : RING_SHIFT_MONOTONIC;
#else
	h->stamp_shift = tsc_is_clocksource ? RING_SHIFT_TSC : RING_SHIFT_MONOTONIC;
#endif
}

/* True where H (of a file of FILE_BYTES bytes) describes a ring that can be used. */
static inline bool ring_layout_valid(const struct ring_header *h, uint64_t file_bytes)
{
	uint64_t table_bytes = (uint64_t)h->slot_count * sizeof(uint64_t);

	if (memcmp(h->magic, RING_MAGIC, sizeof(h->magic)) != 0 ||
	    h->endian != ENDIAN_MARK || h->version != FORMAT_VERSION ||
	    h->header_bytes != sizeof(*h))
		return false;
	if (h->ring_bytes > file_bytes || h->slot_count == 0 ||
	    h->slot_bytes < 4096 || h->slot_bytes > (1u << 26) || h->slot_bytes % 4096)
		return false;
	if (h->meta_offset % RING_ALIGN || h->meta_offset < sizeof(*h) ||
	    h->table_offset % RING_ALIGN || h->slots_offset % RING_ALIGN)
		return false;
	if (h->meta_offset > h->ring_bytes || h->meta_bytes > h->ring_bytes ||
	    h->table_offset > h->ring_bytes || h->slots_offset > h->ring_bytes)
		return false;
	return h->meta_offset + h->meta_bytes <= h->table_offset &&
	       h->table_offset + table_bytes <= h->slots_offset &&
	       (uint64_t)h->slot_count * h->slot_bytes <= h->ring_bytes - h->slots_offset &&
	       (h->clock == CLOCK_KIND_TSC || h->clock == CLOCK_KIND_MONOTONIC) &&
	       h->stamp_shift < 32;
}

#endif
