/*
 * ring.c - claims and closes slots (session_ring.h). Relies on struct session.
 * Promises: no lock, no wait without end, no write to a page that prefault.c has
 * not made, nothing lost that its caller is not told.
 */
#include <linux/futex.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "prefault.h"
#include "ring.h"
#include "session.h"
#include "sys.h"
#include "version.h"

#define NS_PER_MS 1000000ull
#define WAIT_FIRST_NS 50000ull
#define WAIT_LONGEST_NS (1 * NS_PER_MS)
#define HEARTBEAT_FRESH_NS (2000 * NS_PER_MS)
#define BACKOFF_FIRST_NS (10 * NS_PER_MS)
#define BACKOFF_LONGEST_NS (5000 * NS_PER_MS)

uint64_t ring_wait_total_ns = 10000 * NS_PER_MS;

/* Made first: many processes write no more than that. */
#define SLOT_FIRST_BYTES (16u * 1024)

/* Slot words are made ready a page at a time. */
#define WORDS_STEP 512u

enum attempt { ATTEMPT_DONE, ATTEMPT_FULL, ATTEMPT_NO_SPACE };

/* Slot words below this index lie in pages that exist. */
static uint32_t words_ready;

static bool words_make_ready(uint32_t index)
{
	uint32_t ready = __atomic_load_n(&words_ready, __ATOMIC_RELAXED);

	while (index >= ready) {
		if (!prefault_write(session.slot_words + ready, WORDS_STEP * sizeof(uint64_t)))
			return false;
		ready += WORDS_STEP;
		__atomic_store_n(&words_ready, ready, __ATOMIC_RELAXED);
	}
	return true;
}

static struct segment_header *slot_at(uint32_t index)
{
	return (struct segment_header *)(session.slots +
					 (uint64_t)index * session.ring->slot_bytes);
}

static size_t slot_first_bytes(void)
{
	uint32_t bytes = session.ring->slot_bytes;

	return bytes < SLOT_FIRST_BYTES ? bytes : SLOT_FIRST_BYTES;
}

static uint64_t owned_word(void)
{
	uint32_t order = __atomic_fetch_add(&session.ring->claim_order, 1, __ATOMIC_RELAXED);

	return slot_word(SLOT_OWNED, session.pid, order);
}

/* The lowest slots are warm: a recorder frees them again and again. */
static enum attempt claim_free(uint32_t *index)
{
	bool bare = session.options.bare && session.options.when_full != WHEN_FULL_OVERWRITE;
	uint32_t first = 0;

	if (bare)
		first = __atomic_load_n(&session.ring->claim_hint, __ATOMIC_RELAXED);
	for (uint32_t i = first; i < session.slot_count; i++) {
		uint64_t word;

		if (!words_make_ready(i))
			return ATTEMPT_NO_SPACE;
		word = __atomic_load_n(&session.slot_words[i], __ATOMIC_RELAXED);
		if (slot_word_state(word) != SLOT_FREE)
			continue;
		if (__atomic_compare_exchange_n(&session.slot_words[i], &word, owned_word(), false,
						__ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
			/* may go back by a race: the scan only starts lower then */
			if (bare)
				__atomic_store_n(&session.ring->claim_hint, i + 1, __ATOMIC_RELAXED);
			*index = i;
			return ATTEMPT_DONE;
		}
	}
	return ATTEMPT_FULL;
}

/* Flight recorder: the full slot that was claimed first gives way. */
static enum attempt claim_oldest(uint32_t *index)
{
	struct ring_header *ring = session.ring;

	for (;;) {
		uint32_t now = __atomic_load_n(&ring->claim_order, __ATOMIC_RELAXED);
		uint32_t ready = __atomic_load_n(&words_ready, __ATOMIC_RELAXED);
		uint32_t oldest = 0, oldest_age = 0;
		uint64_t oldest_word = 0;
		bool found = false;

		for (uint32_t i = 0; i < session.slot_count && i < ready; i++) {
			uint64_t word = __atomic_load_n(&session.slot_words[i], __ATOMIC_RELAXED);
			uint32_t age = (now - slot_word_order(word)) & 0x3fffffffu;

			if (slot_word_state(word) != SLOT_FULL || (found && age <= oldest_age))
				continue;
			found = true;
			oldest = i;
			oldest_age = age;
			oldest_word = word;
		}
		if (!found)
			return ATTEMPT_FULL;
		if (__atomic_compare_exchange_n(&session.slot_words[oldest], &oldest_word,
						owned_word(), false, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED)) {
			__atomic_fetch_sub(&ring->full_slots, 1, __ATOMIC_RELAXED);
			session_loss(LOSS_OVERWRITTEN, slot_at(oldest)->events);
			*index = oldest;
			return ATTEMPT_DONE;
		}
	}
}

/*
 * A stream's first slot may be claimed even where too many are full: a
 * thread that has none would record nothing at all, and there is one for each.
 */
static enum attempt claim_once(const struct ring_claimant *who, uint32_t *index)
{
	uint32_t full = __atomic_load_n(&session.ring->full_slots, __ATOMIC_RELAXED);
	enum attempt attempt = ATTEMPT_FULL;

	if (full < session.ring->soft_slots || who->sequence == 0)
		attempt = claim_free(index);
	if (attempt != ATTEMPT_DONE && session.options.when_full == WHEN_FULL_OVERWRITE)
		attempt = claim_oldest(index);
	if (attempt == ATTEMPT_DONE &&
	    !prefault_write(slot_at(*index), slot_first_bytes())) {
		__atomic_store_n(&session.slot_words[*index], slot_word(SLOT_FREE, 0, 0),
				 __ATOMIC_RELEASE);
		attempt = ATTEMPT_NO_SPACE;
	}
	return attempt;
}

/* Only a living recorder frees slots. */
static bool worth_waiting(uint64_t now_ns)
{
	struct ring_header *ring = session.ring;
	uint64_t beat = __atomic_load_n(&ring->heartbeat_ns, __ATOMIC_RELAXED);

	return session.options.when_full == WHEN_FULL_WAIT && !session.options.bare &&
	       !__atomic_load_n(&ring->stopping, __ATOMIC_RELAXED) &&
	       beat != 0 && now_ns < beat + HEARTBEAT_FRESH_NS;
}

/* By a futex that nobody wakes: any filter that lets threads live lets it pass. */
static void wait_a_little(const struct timespec *t)
{
	static uint32_t word;

	if (session.sandboxed)
		SYS6(futex, &word, FUTEX_WAIT_PRIVATE, 0, t, NULL, 0);
	else
		SYS2(nanosleep, t, NULL);
}

static enum attempt claim_patiently(struct ring_claimant *who, uint32_t *index)
{
	uint64_t start = clock_monotonic_ns(), pause = WAIT_FIRST_NS, now = start;
	enum attempt attempt = ATTEMPT_FULL;

	while (attempt == ATTEMPT_FULL && worth_waiting(now)) {
		struct timespec t = { .tv_nsec = (long)pause };

		if (now - start > ring_wait_total_ns) {
			who->impatient = true;
			break;
		}
		wait_a_little(&t);
		pause = pause * 2 < WAIT_LONGEST_NS ? pause * 2 : WAIT_LONGEST_NS;
		attempt = claim_once(who, index);
		now = clock_monotonic_ns();
	}
	return attempt;
}

static void claim_failed(struct ring_claimant *who, enum attempt attempt)
{
	who->cause = attempt == ATTEMPT_NO_SPACE ? LOSS_NO_SPACE : LOSS_NO_SLOT;
	if (attempt != ATTEMPT_NO_SPACE)
		return;
	who->backoff_ns = who->backoff_ns ? who->backoff_ns * 2 : BACKOFF_FIRST_NS;
	if (who->backoff_ns > BACKOFF_LONGEST_NS)
		who->backoff_ns = BACKOFF_LONGEST_NS;
	who->retry_ns = clock_monotonic_ns() + who->backoff_ns;
}

static void segment_open(struct ring_cursor *c, struct ring_claimant *who,
			 struct segment_header *h, uint64_t stamp)
{
	/* zero first: a reader takes a slot without committed bytes as empty */
	__atomic_store_n(&h->committed, 0, __ATOMIC_RELEASE);
	*h = (struct segment_header){
		.magic = SEGMENT_MAGIC,
		.version = FORMAT_VERSION,
		.header_bytes = sizeof(*h),
		.kind = SEGMENT_EVENTS,
		.flags = SEGMENT_CRITICAL,
		.image = session.image,
		.pid = session.pid,
		.tid = session.pid,
		.stream = who->stream,
		.sequence = who->sequence++,
		.thread = who->thread,
		.lost = who->lost,
		.first_stamp = stamp,
		.owner_start = session.owner_start,
		.sampling = session.options.sample_bytes,
	};
	who->lost = 0;
	who->retry_ns = 0;
	who->backoff_ns = 0;
	who->impatient = false;
	*c = (struct ring_cursor){
		.cursor = (uint8_t *)(h + 1),
		.limit = (uint8_t *)h + slot_first_bytes(),
		.segment = h,
		.base = { .stamp = stamp },
	};
}

bool ring_claim(struct ring_cursor *c, struct ring_claimant *who, uint64_t stamp)
{
	enum attempt attempt;
	uint32_t index;

	if (who->retry_ns && clock_monotonic_ns() < who->retry_ns)
		return false;
	attempt = claim_once(who, &index);
	if (attempt == ATTEMPT_FULL && !who->impatient)
		attempt = claim_patiently(who, &index);
	if (attempt != ATTEMPT_DONE) {
		claim_failed(who, attempt);
		return false;
	}
	segment_open(c, who, slot_at(index), stamp);
	return true;
}

bool ring_extend(struct ring_cursor *c)
{
	uint8_t *end = (uint8_t *)c->segment + session.ring->slot_bytes;

	if (!c->segment || c->limit == end ||
	    !prefault_write(c->limit, (size_t)(end - c->limit)))
		return false;
	c->limit = end;
	return true;
}

void ring_close(struct ring_cursor *c)
{
	struct segment_header *h = c->segment;
	uint64_t *word;

	if (!h)
		return;
	word = &session.slot_words[((uint8_t *)h - session.slots) / session.ring->slot_bytes];
	h->last_stamp = c->base.stamp;
	h->events = c->events;
	/* counted before it is seen full: the recorder counts it down after it saw it */
	__atomic_fetch_add(&session.ring->full_slots, 1, __ATOMIC_RELAXED);
	__atomic_store_n(word, (__atomic_load_n(word, __ATOMIC_RELAXED) & ~(uint64_t)3) | SLOT_FULL,
			 __ATOMIC_RELEASE);
	ring_forget(c);
}

void ring_forget(struct ring_cursor *c)
{
	memset(c, 0, sizeof(*c));
}
