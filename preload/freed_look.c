/*
 * freed_look.c - see freed_look.h. Relies on the caller's guard: a thread's looks are its own.
 * Raw system calls only; nothing is allocated and no descriptor opened. Promises that each
 * release of a class is counted in exactly one weight, or in none that was written after it.
 */
#include "freed_look.h"

#include <string.h>
#include <sys/auxv.h>

#include "clock.h"
#include "event_write.h"
#include "session.h"
#include "sys.h"
#include "tstate.h"

#define SHIFT_MAX 20u

uint64_t freed_look_from = UINT64_MAX;

static uint64_t page_size;

uint32_t freed_look_init(void)
{
	page_size = getauxval(AT_PAGESZ);
	if (!session.options.look_at_free || !block_is_glibc || page_size == 0 || session.no_mincore)
		return 0;
	freed_look_from = LOOK_BYTES_MIN;
	return FEATURE_FREED_LOOKS;
}

void looks_begin(struct looks *l, uint64_t stamp)
{
	memset(l->classes, 0, sizeof(l->classes));
	l->begun = stamp;
	l->spent = 0;
	l->units = 0;
	l->random ^= (uint32_t)stamp | 1;
}

static struct look_class *class_of(struct looks *l, uint64_t bytes)
{
	uint32_t index = 63 - (uint32_t)__builtin_clzll(bytes / LOOK_BYTES_MIN);

	return &l->classes[index < LOOK_CLASSES ? index : LOOK_CLASSES - 1];
}

static uint32_t units_of(uint64_t bytes)
{
	uint64_t looked = bytes < LOOK_BYTES_MAX ? bytes : LOOK_BYTES_MAX;

	return 1 + (uint32_t)(looked / page_size / LOOK_UNIT_PAGES);
}

static bool is_free(const struct looks *l, uint64_t bytes)
{
	return l->units + units_of(bytes) <= LOOK_FREE;
}

/* SHARE of the time since BEGUN is not used up. */
static bool is_within(const struct looks *l, uint64_t stamp, uint64_t share)
{
	return stamp > l->begun && l->spent <= (stamp - l->begun) / share;
}

/* 0 .. 2^(shift + 1) - 2, on average 2^shift - 1: no pattern of releases is always hit or missed. */
static uint32_t draw(struct looks *l, uint32_t shift)
{
	if (shift == 0)
		return 0;
	l->random = l->random * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)l->random * ((2u << shift) - 1)) >> 32);
}

static __attribute__((noinline)) bool may_look(struct looks *l, struct look_class *c,
					       uint64_t bytes, uint64_t stamp)
{
	if (is_free(l, bytes) || is_within(l, stamp, LOOK_SHARE))
		return true;
	if (c->shift < SHIFT_MAX)
		c->shift++;
	c->until = draw(l, c->shift);
	return false;
}

bool looks_due(struct looks *l, uint64_t bytes, uint64_t stamp)
{
	struct look_class *c = class_of(l, bytes);

	c->passed++;
	if (c->until > 0) {
		c->until--;
		return false;
	}
	return may_look(l, c, bytes, stamp);
}

void looks_paid(struct looks *l, uint64_t bytes, uint64_t begun, uint64_t ended)
{
	struct look_class *c = class_of(l, bytes);

	if (is_free(l, bytes))
		l->units += units_of(bytes);
	else
		l->spent += ended > begun ? ended - begun : 0;
	/* half of the share is left: more can be looked at */
	if (c->shift > 0 && is_within(l, ended, 2 * LOOK_SHARE))
		c->shift--;
	c->until = draw(l, c->shift);
}

bool freed_look_scan(struct looks *l, const void *p, uint64_t bytes, struct look *look)
{
	uint64_t start = (uint64_t)p, end = start + bytes, at = start & ~(page_size - 1);
	uint64_t stop = at + LOOK_BYTES_MAX, pages, absent = 0;
	bool last = false;

	look->flags = 0;
	if (end > stop) {
		end = stop;
		look->flags = LOOK_PARTIAL;
	}
	for (; at < end; at += pages * page_size) {
		pages = (end - at + page_size - 1) / page_size;
		if (pages > sizeof(l->present))
			pages = sizeof(l->present);
		if (sys_failed(SYS3(mincore, at, pages * page_size, l->present)))
			return false;
		if (at < start && !(l->present[0] & 1))
			absent -= start - at;
		for (uint64_t i = 0; i < pages; i++)
			absent += !(l->present[i] & 1) * page_size;
		last = !(l->present[pages - 1] & 1);
	}
	/* the last page may go on behind the block */
	if (last) {
		absent -= at - end;
		if (!(look->flags & LOOK_PARTIAL))
			look->flags |= LOOK_LAST_ABSENT;
	}
	look->absent = absent;
	return true;
}

/* At a block that is due: L's class of it is C. */
static __attribute__((noinline, cold)) void look(struct thread *t, struct looks *l,
						 struct look_class *c, const void *p, uint64_t bytes)
{
	struct look seen;
	uint64_t begun, ended;
	bool is_seen;

	/* its release is in this segment: a new one would be no place for it */
	if (ring_room(&t->ring) < RECORD_MAX &&
	    !(ring_extend(&t->ring) && ring_room(&t->ring) >= RECORD_MAX))
		return;
	begun = clock_stamp();
	is_seen = freed_look_scan(l, p, bytes, &seen);
	ended = clock_stamp();
	if (is_seen) {
		seen.weight = c->passed;
		c->passed = 0;
		ring_publish_part(&t->ring, put_look(t->ring.cursor, &t->ring.base, ended, &seen));
	}
	looks_paid(l, bytes, begun, ended);
}

__attribute__((noinline))
void freed_look(struct thread *t, void *p, uint64_t new_bytes, uint64_t stamp)
{
	struct looks *l = &t->state->looks;
	const struct block b = block_read(p);

	/* such a realloc keeps the pages: it is mremap */
	if (b.usable < LOOK_BYTES_MIN || (b.cls == CLASS_MAPPED && new_bytes >= b.usable))
		return;
	if (looks_due(l, b.usable, stamp) && !session.sandboxed)
		look(t, l, class_of(l, b.usable), p, b.usable);
}
