/*
 * drain.c - from the ring to memory. Relies on the protocol of
 * include/session_ring.h; promises never to block (the packer's backlog is
 * bounded by leaving slots where they are), to make no system call in the target
 * necessary, and to take a slot away from a thread only when its image is gone.
 *
 * The ring is shared with programs that may do anything to it: every number read
 * from it is checked before use.
 */
#include "cli/drain.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/xmem.h"
#include "cli/session_clock.h"
#include "varint.h"

#define MICROSECOND 1000ull
#define MILLISECOND 1000000ull

/* Pause between rounds: shorter when slots fill, longer when nothing comes. */
#define PAUSE_MIN (100 * MICROSECOND)
#define PAUSE_MAX (5 * MILLISECOND)
#define REAP_INTERVAL (50 * MILLISECOND)
/* How long a metadata record may stay incomplete before later ones are taken. */
#define HOLE_PATIENCE (20 * MILLISECOND)
#define HOLES_MAX 256
/* Slots are claimed from the lowest on: beyond this many free ones none is in use. */
#define SCAN_AHEAD 64
/* Metadata drained is given back to the system in steps of this many bytes. */
#define PUNCH_STEP (1u << 20)
/* Metadata looked at in one step; longer than any record. */
#define WINDOW_MAX (4u << 20)
/* Slots packed in one round on behalf of a packer that does not keep up. */
#define HELP_MAX 4

struct hole { uint64_t from, to; };

struct drain {
	struct session_file *s;
	struct pack *pack;
	struct family *family;
	pthread_t thread;
	bool started, is_over;
	int stopping;
	uint32_t high;          /* slots from here on were never seen in use */
	uint64_t *suspects;     /* by slot: its word when its image was first found gone */
	uint64_t meta_cursor;   /* bytes of the metadata area that are done */
	uint64_t stuck_since;   /* the record at the cursor is incomplete; 0: it is not */
	uint64_t punched;       /* metadata before this was given back */
	uint64_t punch_to;      /* the next step of it ... */
	uint64_t punch_after;   /* ... when the output holds this many records */
	uint64_t handed_over;   /* number of the last metadata record given to the packer */
	uint8_t *copy;          /* of metadata */
	size_t copy_capacity;
	struct hole holes[HOLES_MAX];
	unsigned hole_count;
	uint32_t images;
	struct drain_totals totals;
};

struct drain *drain_new(struct session_file *s, struct pack *p, struct family *f)
{
	struct drain *d = xcalloc(1, sizeof(*d));

	d->s = s;
	d->pack = p;
	d->family = f;
	d->suspects = xcalloc(s->fixed.slot_count, sizeof(*d->suspects));
	return d;
}

void drain_free(struct drain *d)
{
	if (!d)
		return;
	free(d->suspects);
	free(d->copy);
	free(d);
}

/* ---- metadata ---- */

static void note_process(struct drain *d, const uint8_t *p, const uint8_t *end)
{
	/* image pid ppid parent_image how stamp start_time */
	uint64_t v[7];

	for (unsigned i = 0; i < 7; i++) {
		p = varint_get(p, end, &v[i]);
		if (!p)
			return;
	}
	__atomic_store_n(&d->images, d->images + 1, __ATOMIC_RELAXED);
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
static struct window window_read(struct drain *d, uint64_t from, uint64_t to)
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
static uint64_t take_record(struct drain *d, const struct window *w, uint64_t offset)
{
	const uint8_t *payload = w->at + (offset - w->from) + sizeof(struct meta_header);
	struct meta_header h;

	if (!window_record(w, offset, &h))
		return 0;
	if (h.kind == META_PROCESS)
		note_process(d, payload, payload + h.bytes);
	d->handed_over = pack_meta(d->pack, (enum meta_kind)h.kind, payload, h.bytes);
	d->totals.metadata++;
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

static uint64_t meta_tail(const struct drain *d)
{
	uint64_t tail = __atomic_load_n(&d->s->ring->meta_tail, __ATOMIC_ACQUIRE);

	return tail < d->s->fixed.meta_bytes ? tail : d->s->fixed.meta_bytes;
}

static bool is_stopping(const struct drain *d)
{
	return __atomic_load_n(&d->stopping, __ATOMIC_ACQUIRE);
}

/*
 * The record at the cursor is not complete: its writer is in the middle of it, or
 * was killed there. Wait a little, then go on behind it and remember the hole, as
 * a stopped writer may still fill it. Returns true where the cursor moved.
 */
static bool pass_hole(struct drain *d, const struct window *w)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), next;

	if (!d->stuck_since)
		d->stuck_since = now;
	if (now - d->stuck_since < HOLE_PATIENCE && !is_stopping(d))
		return false;
	next = next_record(w, d->meta_cursor);
	if (next >= w->from + w->bytes)
		return false;
	if (d->hole_count < HOLES_MAX)
		d->holes[d->hole_count++] = (struct hole){ d->meta_cursor, next };
	d->totals.holes++;
	d->meta_cursor = next;
	return true;
}

/*
 * Give drained metadata back to the system, but only what has reached the output:
 * until then the ring is its only safe place.
 */
static void punch(struct drain *d)
{
	if (d->hole_count || d->meta_cursor - d->punched < PUNCH_STEP)
		return;
	if (d->punch_to <= d->punched) {
		d->punch_to = d->meta_cursor;
		d->punch_after = d->handed_over;
	} else if (pack_meta_written(d->pack) >= d->punch_after) {
		session_file_punch(d->s, d->punched, d->punch_to);
		d->punched = d->punch_to;
	}
}

static unsigned drain_meta(struct drain *d)
{
	uint64_t tail = meta_tail(d), span;
	unsigned taken = 0;
	struct window w;

	if (d->meta_cursor >= tail)
		return 0;
	w = window_read(d, d->meta_cursor, tail);
	while (d->meta_cursor < w.from + w.bytes) {
		span = take_record(d, &w, d->meta_cursor);
		if (span) {
			d->meta_cursor += span;
			d->stuck_since = 0;
			taken++;
		} else if (d->meta_cursor != w.from && w.from + w.bytes < tail) {
			break; /* it may only be cut by the window */
		} else if (!pass_hole(d, &w)) {
			break;
		}
	}
	punch(d);
	return taken;
}

/* At the end: what was completed late. */
static void revisit_holes(struct drain *d)
{
	for (unsigned i = 0; i < d->hole_count; i++) {
		uint64_t at = d->holes[i].from;
		struct window w = window_read(d, at, d->holes[i].to);

		while (at < w.from + w.bytes) {
			uint64_t span = take_record(d, &w, at);

			if (span && d->totals.holes)
				d->totals.holes--;
			at = span ? at + span : next_record(&w, at);
		}
	}
	d->hole_count = 0;
}

/* ---- slots ---- */

static struct segment_header *slot_header(const struct drain *d, uint32_t i)
{
	return (struct segment_header *)(d->s->slots + (size_t)i * d->s->fixed.slot_bytes);
}

/*
 * The header of a slot that is not full. By read(2): its owner may not have got the
 * page yet, and looking at it would make the page (see window_read).
 */
static bool read_header(const struct drain *d, uint32_t i, struct segment_header *h)
{
	off_t at = (off_t)(d->s->fixed.slots_offset + (uint64_t)i * d->s->fixed.slot_bytes);

	return pread(d->s->fd, h, sizeof(*h), at) == (ssize_t)sizeof(*h) &&
	       h->magic == SEGMENT_MAGIC;
}

/*
 * Copy what slot I holds to the packer. A slot without records (its owner died
 * first) is nothing.
 */
static void hand_over(struct drain *d, uint32_t i, bool partial)
{
	const struct segment_header *h = slot_header(d, i);
	uint64_t committed = __atomic_load_n(&h->committed, __ATOMIC_ACQUIRE);
	struct segment_header copy = *h;

	if (!committed)
		return;
	if (copy.magic != SEGMENT_MAGIC || copy.kind != SEGMENT_EVENTS ||
	    copy.header_bytes != sizeof(copy) ||
	    committed > d->s->fixed.slot_bytes - sizeof(copy)) {
		d->totals.damaged++;
		return;
	}
	/* the owner of a slot that is not full may be at work in it */
	if (partial)
		copy.last_stamp = 0;
	pack_events(d->pack, &copy, (const uint8_t *)h + sizeof(copy), committed);
	d->totals.slots++;
	d->totals.partial += partial;
}

/* full_slots goes down by one, but never below zero: a target may have died before counting. */
static void uncount_full(struct ring_header *ring)
{
	uint32_t n = __atomic_load_n(&ring->full_slots, __ATOMIC_RELAXED);

	while (n && !__atomic_compare_exchange_n(&ring->full_slots, &n, n - 1, false,
						 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/* Take slot I away from state WORD, hand it over, make it free. */
static bool take_slot(struct drain *d, uint32_t i, uint64_t word)
{
	struct ring_header *ring = d->s->ring;
	bool full = slot_word_state(word) == SLOT_FULL;
	uint64_t draining = slot_word(SLOT_DRAINING, slot_word_tid(word), slot_word_order(word));
	uint32_t hint;

	if (!__atomic_compare_exchange_n(&d->s->words[i], &word, draining, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	hand_over(d, i, !full);
	/* all of the header: a stale image number must not be taken for the next owner's */
	memset(slot_header(d, i), 0, sizeof(struct segment_header));
	__atomic_store_n(&d->s->words[i], slot_word(SLOT_FREE, 0, 0), __ATOMIC_RELEASE);
	if (full)
		uncount_full(ring);
	hint = __atomic_load_n(&ring->claim_hint, __ATOMIC_RELAXED);
	while (hint > i && !__atomic_compare_exchange_n(&ring->claim_hint, &hint, i, false,
							__ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	return true;
}

static uint64_t slot_load(const struct drain *d, uint32_t i)
{
	return __atomic_load_n(&d->s->words[i], __ATOMIC_ACQUIRE);
}

/* Find out how far slots are in use. */
static void scan_ahead(struct drain *d)
{
	uint32_t count = d->s->fixed.slot_count;

	for (uint32_t i = d->high; i < count && i < d->high + SCAN_AHEAD; i++)
		if (slot_word_state(slot_load(d, i)) != SLOT_FREE)
			d->high = i + 1;
}

static bool is_flight_recorder(const struct drain *d)
{
	return d->s->fixed.options.when_full == WHEN_FULL_OVERWRITE;
}

static unsigned drain_slots(struct drain *d)
{
	unsigned taken = 0;

	if (!__atomic_load_n(&d->s->ring->full_slots, __ATOMIC_ACQUIRE) || is_flight_recorder(d))
		return 0;
	scan_ahead(d);
	for (uint32_t i = 0; i < d->high && !pack_is_full(d->pack); i++) {
		uint64_t word = slot_load(d, i);

		if (slot_word_state(word) == SLOT_FULL)
			taken += take_slot(d, i, word);
	}
	return taken;
}

static void heartbeat(struct drain *d)
{
	__atomic_store_n(&d->s->ring->heartbeat_ns, clock_ns(CLOCK_MONOTONIC), __ATOMIC_RELEASE);
}

unsigned drain_round(struct drain *d)
{
	unsigned taken;

	heartbeat(d);
	taken = drain_meta(d);
	taken += drain_slots(d);
	for (unsigned i = 0; i < HELP_MAX && pack_help(d->pack); i++)
		heartbeat(d);
	return taken;
}

/*
 * An owned slot is taken when its image is found gone twice in a row with the
 * same word: between the claim and the new header a slot of an overwriting
 * thread still shows the image it had before.
 */
void drain_reap(struct drain *d)
{
	scan_ahead(d);
	for (uint32_t i = 0; i < d->high && !pack_is_full(d->pack); i++) {
		uint64_t word = slot_load(d, i);
		struct segment_header h;

		if (slot_word_state(word) == SLOT_FULL && !is_flight_recorder(d)) {
			take_slot(d, i, word);
			continue;
		}
		if (slot_word_state(word) != SLOT_OWNED || !read_header(d, i, &h) ||
		    !family_image_is_gone(d->family, h.image)) {
			d->suspects[i] = 0;
			continue;
		}
		if (d->suspects[i] != word) {
			d->suspects[i] = word;
			continue;
		}
		d->suspects[i] = 0;
		if (is_flight_recorder(d)) {
			/* it may stay as long as any other full slot */
			if (__atomic_compare_exchange_n(&d->s->words[i], &word,
							slot_word(SLOT_FULL, slot_word_tid(word),
								  slot_word_order(word)),
							false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
				__atomic_add_fetch(&d->s->ring->full_slots, 1, __ATOMIC_RELAXED);
		} else {
			take_slot(d, i, word);
		}
	}
}

/* The last look: everything, full or not, in the order of its claiming. */
struct last_slot { uint32_t index, order; };

static int compare_order(const void *a, const void *b)
{
	const struct last_slot *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

static void drain_rest(struct drain *d)
{
	struct last_slot *rest;
	uint32_t n = 0;

	scan_ahead(d);
	rest = xcalloc(d->high + 1, sizeof(*rest));
	for (uint32_t i = 0; i < d->high; i++) {
		uint64_t word = slot_load(d, i);

		if (slot_word_state(word) != SLOT_FREE)
			rest[n++] = (struct last_slot){ i, slot_word_order(word) };
	}
	qsort(rest, n, sizeof(*rest), compare_order);
	for (uint32_t k = 0; k < n; k++) {
		uint32_t i = rest[k].index;
		uint64_t word = slot_load(d, i);
		struct segment_header h;

		while (pack_is_full(d->pack))
			if (!pack_help(d->pack))
				nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		heartbeat(d);
		if (slot_word_state(word) == SLOT_FULL)
			take_slot(d, i, word);
		else if (slot_word_state(word) != SLOT_FREE && read_header(d, i, &h))
			hand_over(d, i, true);
	}
	free(rest);
}

/* ---- the thread ---- */

static void pause_for(uint64_t ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / 1000000000u),
			      .tv_nsec = (long)(ns % 1000000000u) };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

/* The next pause, after a round that left FULL slots' worth of pressure behind. */
static uint64_t next_pause(uint64_t pause, unsigned taken)
{
	if (taken > 8)
		pause /= 2;
	else if (taken == 0)
		pause += pause / 2;
	return pause < PAUSE_MIN ? PAUSE_MIN : pause > PAUSE_MAX ? PAUSE_MAX : pause;
}

static void *drain_thread(void *arg)
{
	struct drain *d = arg;
	uint64_t pause = PAUSE_MIN, reaped = 0;

	while (!is_stopping(d)) {
		unsigned taken = drain_round(d);
		uint64_t now = clock_ns(CLOCK_MONOTONIC);

		if (now - reaped >= REAP_INTERVAL) {
			drain_reap(d);
			reaped = now;
		}
		pause = next_pause(pause, taken);
		pause_for(pause);
	}
	return NULL;
}

int drain_start(struct drain *d)
{
	int error = pthread_create(&d->thread, NULL, drain_thread, d);

	d->started = error == 0;
	errno = error;
	return error ? -1 : 0;
}

void drain_stop(struct drain *d)
{
	if (d->is_over)
		return;
	d->is_over = true;
	__atomic_store_n(&d->s->ring->stopping, 1, __ATOMIC_RELEASE);
	__atomic_store_n(&d->stopping, 1, __ATOMIC_RELEASE);
	if (d->started)
		pthread_join(d->thread, NULL);
	d->started = false;
	while (drain_meta(d))
		;
	revisit_holes(d);
	drain_rest(d);
	/* a process that still runs may have written more meanwhile */
	while (drain_meta(d))
		;
}

struct drain_totals drain_totals(const struct drain *d)
{
	return d->totals;
}

uint32_t drain_image_count(const struct drain *d)
{
	return __atomic_load_n(&d->images, __ATOMIC_RELAXED);
}
