/*
 * meta_drain.c - metadata out of the ring. Relies on the area being append-only;
 * promises to hand each record over once, in the order of the area but for
 * those that were completed late, and to believe nothing unchecked.
 */
#include "cli/meta_drain.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmem.h"
#include "cli/session_clock.h"
#include "varint.h"

/* How long a metadata record may stay incomplete before later ones are taken. */
#define HOLE_PATIENCE 20000000ull
/* Metadata drained is given back to the system in steps of this many bytes. */
#define PUNCH_STEP (1u << 20)
/* Metadata looked at in one step; longer than any record. */
#define WINDOW_MAX (4u << 20)

void meta_drain_init(struct meta_drain *d, struct session_file *s, struct pack *p,
		     struct family *f)
{
	*d = (struct meta_drain){ .s = s, .pack = p, .family = f };
}

void meta_drain_release(struct meta_drain *d)
{
	free(d->copy);
	*d = (struct meta_drain){ 0 };
}

static void note_process(struct meta_drain *d, const uint8_t *p, const uint8_t *end)
{
	/* image pid ppid parent_image how stamp start_time */
	uint64_t v[7];

	for (unsigned i = 0; i < 7; i++) {
		p = varint_get(p, end, &v[i]);
		if (!p)
			return;
	}
	if (v[0] <= UINT32_MAX && v[1] <= INT32_MAX)
		family_add(d->family, (uint32_t)v[0], (pid_t)v[1], v[6]);
}

/* A private copy of metadata bytes [from, from + bytes). */
struct window {
	uint64_t from;
	size_t bytes;
	const uint8_t *at;
};

/*
 * Copy metadata [FROM, TO), at most WINDOW_MAX of it. By read(2): a page that no
 * writer has touched yet must not be made by looking at it (on a full tmpfs
 * that would be a SIGBUS), and a copy cannot change while it is checked.
 */
static struct window window_read(struct meta_drain *d, uint64_t from, uint64_t to)
{
	size_t bytes = to - from < WINDOW_MAX ? (size_t)(to - from) : WINDOW_MAX;
	ssize_t n;

	xgrow(&d->copy, &d->copy_capacity, bytes, 1);
	n = pread(d->s->fd, d->copy, bytes, (off_t)(d->s->fixed.meta_offset + from));
	return (struct window){ .from = from, .bytes = n > 0 ? (size_t)n : 0, .at = d->copy };
}

/* The complete record at OFFSET of W: its header into *H; false: there is none. */
static bool window_record(const struct window *w, uint64_t offset, struct meta_header *h)
{
	size_t room;

	if (offset < w->from || offset - w->from >= w->bytes)
		return false;
	room = w->bytes - (size_t)(offset - w->from);
	if (room < sizeof(*h))
		return false;
	memcpy(h, w->at + (offset - w->from), sizeof(*h));
	return h->magic == META_MAGIC && h->bytes <= room - sizeof(*h) &&
	       meta_checksum(h->kind, h->bytes, w->at + (offset - w->from) + sizeof(*h)) ==
		       h->checksum;
}

/* Hand over the record at OFFSET; returns its span, 0: there is none. */
static uint64_t take_record(struct meta_drain *d, const struct window *w, uint64_t offset)
{
	const uint8_t *payload = w->at + (offset - w->from) + sizeof(struct meta_header);
	struct meta_header h;

	if (!window_record(w, offset, &h))
		return 0;
	if (h.kind == META_PROCESS)
		note_process(d, payload, payload + h.bytes);
	d->handed_over = pack_meta(d->pack, (enum meta_kind)h.kind, payload, h.bytes);
	d->records++;
	return META_SPAN(h.bytes);
}

/* The first complete record of W behind OFFSET, or the end of W. */
static uint64_t next_record(const struct window *w, uint64_t offset)
{
	struct meta_header h;

	for (offset += 8; offset < w->from + w->bytes; offset += 8)
		if (window_record(w, offset, &h))
			return offset;
	return w->from + w->bytes;
}

static uint64_t meta_tail(const struct meta_drain *d)
{
	uint64_t tail = __atomic_load_n(&d->s->ring->meta_tail, __ATOMIC_ACQUIRE);

	return tail < d->s->fixed.meta_bytes ? tail : d->s->fixed.meta_bytes;
}

/*
 * The record at the cursor is not complete: its writer is in the middle of it, or
 * was killed there. Wait a little, then go on behind it and remember the hole, as
 * a stopped writer may still fill it. Returns true where the cursor moved.
 */
static bool pass_hole(struct meta_drain *d, const struct window *w, uint64_t patience)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), next;

	if (!d->stuck_since)
		d->stuck_since = now;
	if (now - d->stuck_since < patience)
		return false;
	next = next_record(w, d->cursor);
	if (next >= w->from + w->bytes)
		return false;
	if (d->hole_count < HOLES_MAX)
		d->holes[d->hole_count++] = (struct hole){ d->cursor, next };
	d->hole_records++;
	d->cursor = next;
	return true;
}

/*
 * Give drained metadata back to the system, but only what has reached the output:
 * until then the ring is its only safe place.
 */
static void punch(struct meta_drain *d)
{
	if (d->hole_count || d->cursor - d->punched < PUNCH_STEP)
		return;
	if (d->punch_to <= d->punched) {
		d->punch_to = d->cursor;
		d->punch_after = d->handed_over;
	} else if (pack_meta_written(d->pack) >= d->punch_after) {
		session_file_punch(d->s, d->punched, d->punch_to);
		d->punched = d->punch_to;
	}
}

static unsigned take(struct meta_drain *d, uint64_t patience)
{
	uint64_t tail = meta_tail(d), span;
	unsigned taken = 0;
	struct window w;

	if (d->cursor >= tail)
		return 0;
	w = window_read(d, d->cursor, tail);
	while (d->cursor < w.from + w.bytes) {
		span = take_record(d, &w, d->cursor);
		if (span) {
			d->cursor += span;
			d->stuck_since = 0;
			taken++;
		} else if (d->cursor != w.from && w.from + w.bytes < tail) {
			break; /* it may only be cut by the window */
		} else if (!pass_hole(d, &w, patience)) {
			break;
		}
	}
	punch(d);
	return taken;
}

unsigned meta_drain_take(struct meta_drain *d)
{
	return take(d, HOLE_PATIENCE);
}

/* At the end: what was completed late. */
static void revisit_holes(struct meta_drain *d)
{
	for (unsigned i = 0; i < d->hole_count; i++) {
		uint64_t at = d->holes[i].from;
		struct window w = window_read(d, at, d->holes[i].to);

		while (at < w.from + w.bytes) {
			uint64_t span = take_record(d, &w, at);

			if (span && d->hole_records)
				d->hole_records--;
			at = span ? at + span : next_record(&w, at);
		}
	}
	d->hole_count = 0;
}

void meta_drain_finish(struct meta_drain *d)
{
	while (take(d, 0))
		;
	revisit_holes(d);
}
