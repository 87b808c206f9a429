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
#include "cli/meta_drain.h"
#include "cli/session_clock.h"

#define MICROSECOND 1000ull
#define MILLISECOND 1000000ull

/* Pause between rounds: shorter when slots fill, longer when nothing comes. */
#define PAUSE_MIN (100 * MICROSECOND)
#define PAUSE_MAX (5 * MILLISECOND)
#define REAP_INTERVAL (50 * MILLISECOND)
/* Slots are claimed from the lowest on: beyond this many free ones none is in use. */
#define SCAN_AHEAD 64
/* Slots packed in one round on behalf of a packer that does not keep up. */
#define HELP_MAX 4

struct drain {
	struct session_file *s;
	struct pack *pack;
	struct family *family;
	pthread_t thread;
	bool started, is_over;
	bool has_helped;        /* in the last round: the packer does not keep up */
	int stopping;
	uint32_t high;          /* slots from here on were never seen in use */
	uint64_t *suspects;     /* by slot: its word when its image was first found gone */
	struct meta_drain meta;
	struct drain_totals totals;
};

struct drain *drain_new(struct session_file *s, struct pack *p, struct family *f)
{
	struct drain *d = xcalloc(1, sizeof(*d));

	d->s = s;
	d->pack = p;
	d->family = f;
	meta_drain_init(&d->meta, s, p, f);
	d->suspects = xcalloc(s->fixed.slot_count, sizeof(*d->suspects));
	return d;
}

void drain_free(struct drain *d)
{
	if (!d)
		return;
	free(d->suspects);
	meta_drain_release(&d->meta);
	free(d);
}

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
 * Copy what slot I holds to the packer; returns its bytes. A slot without records (its owner
 * died first) is nothing.
 */
static uint64_t hand_over(struct drain *d, uint32_t i, bool partial)
{
	const struct segment_header *h = slot_header(d, i);
	uint64_t committed = __atomic_load_n(&h->committed, __ATOMIC_ACQUIRE);
	struct segment_header copy;

	if (!committed)
		return 0;
	/* the owner of a slot that is not full may be at work in it */
	if (!partial)
		copy = *h;
	else if (!read_header(d, i, &copy))
		return 0;
	if (copy.magic != SEGMENT_MAGIC || copy.kind != SEGMENT_EVENTS ||
	    copy.header_bytes != sizeof(copy) ||
	    committed > d->s->fixed.slot_bytes - sizeof(copy)) {
		d->totals.damaged++;
		return 0;
	}
	if (partial)
		copy.last_stamp = 0;
	pack_events(d->pack, &copy, (const uint8_t *)h + sizeof(copy), committed);
	d->totals.slots++;
	d->totals.partial += partial;
	return committed;
}

/* What is in our memory only is said in the ring: `recover` knows then what died with us. */
static void count_taken(struct ring_header *ring, uint64_t bytes)
{
	if (!bytes)
		return;
	__atomic_store_n(&ring->taken_slots, ring->taken_slots + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&ring->taken_bytes, ring->taken_bytes + bytes, __ATOMIC_RELEASE);
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
	uint64_t bytes;
	uint32_t hint;

	if (!__atomic_compare_exchange_n(&d->s->words[i], &word, draining, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	bytes = hand_over(d, i, !full);
	/* all of the header: a stale image number must not be taken for the next owner's */
	memset(slot_header(d, i), 0, sizeof(struct segment_header));
	count_taken(ring, bytes);
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
	taken = meta_drain_take(&d->meta);
	taken += drain_slots(d);
	d->has_helped = false;
	for (unsigned i = 0; i < HELP_MAX && pack_help(d->pack); i++) {
		d->has_helped = true;
		heartbeat(d);
	}
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

static bool is_stopping(const struct drain *d)
{
	return __atomic_load_n(&d->stopping, __ATOMIC_ACQUIRE);
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
		pause = d->has_helped ? PAUSE_MIN : next_pause(pause, taken);
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
	meta_drain_finish(&d->meta);
	drain_rest(d);
	/* a process that still runs may have written more meanwhile */
	meta_drain_finish(&d->meta);
}

struct drain_totals drain_totals(const struct drain *d)
{
	struct drain_totals totals = d->totals;

	totals.metadata = d->meta.records;
	totals.holes = d->meta.hole_records;
	return totals;
}
