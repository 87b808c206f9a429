/*
 * test_ring.c - claiming and closing slots, in a ring of anonymous shared memory.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "ring.h"
#include "test.h"
#include "own_ring.h"

static enum slot_state state_of(uint32_t slot)
{
	return slot_word_state(session.slot_words[slot]);
}

TEST(test_ring_claim_takes_the_lowest_slot_and_writes_its_header)
{
	struct ring_cursor a = { 0 }, b = { 0 };
	struct ring_claimant who = { .stream = 7, .thread = 3, .lost = 5 };

	own_ring_make(4, 8, WHEN_FULL_DROP, false);
	assert_true(ring_claim(&a, &who, 1000));
	assert_ptr_equal(a.segment, session.slots);
	assert_int_equal(a.segment->magic, SEGMENT_MAGIC);
	assert_int_equal(a.segment->stream, 7);
	assert_int_equal(a.segment->thread, 3);
	assert_int_equal(a.segment->sequence, 0);
	assert_int_equal(a.segment->lost, 5);
	assert_int_equal(a.segment->first_stamp, 1000);
	assert_int_equal(a.segment->committed, 0);
	assert_int_equal(ring_room(&a), 16 * 1024 - sizeof(struct segment_header));
	assert_int_equal(state_of(0), SLOT_OWNED);
	assert_int_equal(slot_word_tid(session.slot_words[0]), getpid());
	assert_true(ring_claim(&b, &who, 2000));
	assert_int_equal(b.segment->sequence, 1);
	assert_int_equal(b.segment->lost, 0);
	ring_close(&a);
	assert_int_equal(state_of(0), SLOT_FULL);
	assert_int_equal(session.ring->full_slots, 1);
	assert_int_equal(ring_room(&a), 0);
	own_ring_drop();
}

TEST(test_ring_extend_makes_the_rest_of_the_slot_once)
{
	struct ring_cursor c = { 0 };
	struct ring_claimant who = { 0 };

	own_ring_make(4, 8, WHEN_FULL_DROP, false);
	assert_false(ring_extend(&c));
	assert_true(ring_claim(&c, &who, 1));
	assert_true(ring_extend(&c));
	assert_int_equal(ring_room(&c), RING_SLOT_BYTES - sizeof(struct segment_header));
	assert_false(ring_extend(&c));
	memset(c.cursor, 0xff, ring_room(&c));
	assert_int_equal(((struct segment_header *)(session.slots + RING_SLOT_BYTES))->magic, 0);
	ring_close(&c);
	own_ring_drop();
}

TEST(test_ring_publish_commits_the_bytes_and_counts_the_event)
{
	struct ring_cursor c = { 0 };
	struct ring_claimant who = { 0 };

	own_ring_make(4, 8, WHEN_FULL_DROP, false);
	assert_true(ring_claim(&c, &who, 1));
	memcpy(c.cursor, "abc", 3);
	ring_publish(&c, c.cursor + 3);
	assert_int_equal(c.segment->committed, 3);
	ring_publish(&c, c.cursor + 2);
	assert_int_equal(c.segment->committed, 5);
	/* half of an event, or a remark on one */
	ring_publish_part(&c, c.cursor + 4);
	assert_int_equal(c.segment->committed, 9);
	ring_close(&c);
	assert_int_equal(((struct segment_header *)session.slots)->events, 2);
	own_ring_drop();
}

TEST(test_ring_claim_beyond_the_soft_limit_fails_but_for_a_first_slot)
{
	struct ring_cursor c = { 0 };
	struct ring_claimant who = { 0 }, other = { .stream = 2 };

	own_ring_make(2, 8, WHEN_FULL_DROP, false);
	for (int i = 0; i < 2; i++) {
		assert_true(ring_claim(&c, &who, 1));
		ring_close(&c);
	}
	assert_false(ring_claim(&c, &who, 1));
	assert_int_equal(who.cause, LOSS_NO_SLOT);
	assert_true(ring_claim(&c, &other, 1));
	ring_close(&c);
	/* the recorder drains one */
	session.slot_words[0] = slot_word(SLOT_FREE, 0, 0);
	session.ring->full_slots -= 2;
	assert_true(ring_claim(&c, &who, 1));
	assert_ptr_equal(c.segment, session.slots);
	own_ring_drop();
}

TEST(test_ring_claim_without_a_living_recorder_does_not_wait)
{
	struct ring_cursor c = { 0 };
	struct ring_claimant who = { 0 };
	uint64_t before;

	own_ring_make(1, 2, WHEN_FULL_WAIT, false);
	assert_true(ring_claim(&c, &who, 1));
	ring_close(&c);
	before = clock_monotonic_ns();
	assert_false(ring_claim(&c, &who, 1));
	session.ring->heartbeat_ns = clock_monotonic_ns() - 3000000000u;
	assert_false(ring_claim(&c, &who, 1));
	session.ring->heartbeat_ns = clock_monotonic_ns();
	session.ring->stopping = 1;
	assert_false(ring_claim(&c, &who, 1));
	/* the least that a wait would take is 2 s */
	assert_in_range(clock_monotonic_ns() - before, 0, 1900000000u);
	own_ring_drop();
}

/* Frees the slot that the waiting thread wants, after 20 ms. */
static void *recorder(void *unused)
{
	(void)unused;
	usleep(20000);
	session.ring->heartbeat_ns = clock_monotonic_ns();
	__atomic_fetch_sub(&session.ring->full_slots, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&session.slot_words[0], slot_word(SLOT_FREE, 0, 0), __ATOMIC_RELEASE);
	return NULL;
}

TEST(test_ring_claim_waits_for_a_living_recorder)
{
	struct ring_cursor c = { 0 };
	struct ring_claimant who = { 0 };
	pthread_t thread;

	own_ring_make(1, 2, WHEN_FULL_WAIT, false);
	assert_true(ring_claim(&c, &who, 1));
	ring_close(&c);
	session.ring->heartbeat_ns = clock_monotonic_ns();
	pthread_create(&thread, NULL, recorder, NULL);
	assert_true(ring_claim(&c, &who, 1));
	assert_int_equal(c.segment->sequence, 1);
	pthread_join(thread, NULL);
	own_ring_drop();
}

/* Milliseconds until a claim was refused. */
static uint64_t refused_after(struct ring_cursor *c, struct ring_claimant *who)
{
	uint64_t before = clock_monotonic_ns();

	assert_false(ring_claim(c, who, 1));
	assert_int_equal(who->cause, LOSS_NO_SLOT);
	return (clock_monotonic_ns() - before) / 1000000;
}

TEST(test_ring_claim_waits_its_limit_once_for_a_recorder_that_frees_nothing)
{
	struct ring_cursor c = { 0 };
	struct ring_claimant who = { 0 }, other = { .stream = 1, .sequence = 1 };
	const uint64_t limit = ring_wait_total_ns;

	/* docs/performance.md says so */
	assert_int_equal(limit, 10000000000u);
	own_ring_make(1, 2, WHEN_FULL_WAIT, false);
	assert_true(ring_claim(&c, &who, 1));
	ring_close(&c);
	/* it lives: its heartbeat stays young for an hour */
	session.ring->heartbeat_ns = clock_monotonic_ns() + 3600 * 1000000000ull;
	ring_wait_total_ns = 300 * 1000000;
	assert_in_range(refused_after(&c, &who), 300, 60000);
	/* from then on it does not wait: thousands of refusals would be hours */
	ring_wait_total_ns = limit;
	for (int i = 0; i < 5000; i++)
		assert_in_range(refused_after(&c, &who), 0, 9999);
	/* each thread has its own patience, and a slot gives it back */
	ring_wait_total_ns = 50 * 1000000;
	assert_in_range(refused_after(&c, &other), 50, 60000);
	__atomic_fetch_sub(&session.ring->full_slots, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&session.slot_words[0], slot_word(SLOT_FREE, 0, 0), __ATOMIC_RELEASE);
	assert_true(ring_claim(&c, &who, 1));
	ring_close(&c);
	assert_in_range(refused_after(&c, &who), 50, 60000);
	ring_wait_total_ns = limit;
	own_ring_drop();
}

TEST(test_ring_flight_recorder_overwrites_the_oldest_and_counts_its_events)
{
	struct ring_cursor c = { 0 };
	struct ring_claimant who = { 0 };

	own_ring_make(3, 3, WHEN_FULL_OVERWRITE, true);
	for (int i = 0; i < 3; i++) {
		assert_true(ring_claim(&c, &who, 1));
		for (int k = 0; k <= i; k++)
			ring_publish(&c, c.cursor + 1);
		ring_close(&c);
	}
	assert_true(ring_claim(&c, &who, 1));
	assert_ptr_equal(c.segment, session.slots);
	assert_int_equal(c.segment->sequence, 3);
	assert_int_equal(c.segment->committed, 0);
	assert_int_equal(session.ring->losses[LOSS_OVERWRITTEN], 1);
	assert_int_equal(session.ring->full_slots, 2);
	ring_close(&c);
	assert_true(ring_claim(&c, &who, 1));
	assert_ptr_equal(c.segment, session.slots + RING_SLOT_BYTES);
	assert_int_equal(session.ring->losses[LOSS_OVERWRITTEN], 3);
	own_ring_drop();
}

TEST(test_ring_bare_run_uses_each_slot_once)
{
	struct ring_cursor c = { 0 };
	struct ring_claimant who = { 0 };

	own_ring_make(600, 600, WHEN_FULL_DROP, true);
	for (int i = 0; i < 600; i++) {
		assert_true(ring_claim(&c, &who, 1));
		assert_ptr_equal(c.segment, session.slots + (size_t)i * RING_SLOT_BYTES);
		ring_close(&c);
	}
	assert_false(ring_claim(&c, &who, 1));
	own_ring_drop();
}

TEST(test_ring_forget_leaves_the_slot_untouched)
{
	struct ring_cursor c = { 0 };
	struct ring_claimant who = { 0 };
	uint64_t word;

	own_ring_make(4, 4, WHEN_FULL_DROP, false);
	assert_true(ring_claim(&c, &who, 1));
	word = session.slot_words[0];
	ring_forget(&c);
	assert_int_equal(ring_room(&c), 0);
	assert_true(session.slot_words[0] == word);
	assert_int_equal(session.ring->full_slots, 0);
	own_ring_drop();
}

#define RACERS 4
#define CLAIMS 200

/* Marks each claimed slot; a slot that two threads own shows a foreign mark. */
static void *race(void *arg)
{
	struct ring_claimant who = { .stream = (uint32_t)(long)arg };
	struct ring_cursor c = { 0 };

	for (int i = 0; i < CLAIMS; i++) {
		uint32_t slot;

		if (!ring_claim(&c, &who, 1))
			return arg;
		slot = (uint32_t)(((uint8_t *)c.segment - session.slots) / RING_SLOT_BYTES);
		*c.cursor = (uint8_t)who.stream;
		ring_publish(&c, c.cursor + 1);
		if (c.segment->stream != who.stream || c.cursor[-1] != who.stream)
			return arg;
		ring_close(&c);
		/* drained */
		__atomic_fetch_sub(&session.ring->full_slots, 1, __ATOMIC_RELAXED);
		__atomic_store_n(&session.slot_words[slot], slot_word(SLOT_FREE, 0, 0),
				 __ATOMIC_RELEASE);
	}
	return NULL;
}

TEST(test_ring_racing_threads_never_share_a_slot)
{
	pthread_t threads[RACERS];
	void *result;

	own_ring_make(RACERS, 2 * RACERS, WHEN_FULL_DROP, false);
	for (long i = 0; i < RACERS; i++)
		pthread_create(&threads[i], NULL, race, (void *)(i + 1));
	for (int i = 0; i < RACERS; i++) {
		pthread_join(threads[i], &result);
		assert_null(result);
	}
	assert_int_equal(session.ring->full_slots, 0);
	/* a lost race for a slot has taken a number too */
	assert_true(session.ring->claim_order >= RACERS * CLAIMS);
	own_ring_drop();
}

TEST(test_ring_layout_rejects_headers_whose_parts_overlap_or_leave_the_file)
{
	struct ring_header good, bad;

	ring_layout_fill(&good, 16, 64, 1 << 20);
	ring_layout_clock(&good, true);
	assert_true(ring_layout_valid(&good, good.ring_bytes));
	assert_false(ring_layout_valid(&good, good.ring_bytes - 1));
#define REJECT(change) do { \
	bad = good; \
	change; \
	assert_false(ring_layout_valid(&bad, good.ring_bytes)); \
} while (0)
	REJECT(bad.magic[0]++);
	REJECT(bad.endian++);
	REJECT(bad.version++);
	REJECT(bad.slot_count++);
	REJECT(bad.slot_count = 0);
	REJECT(bad.slot_bytes = 100);
	REJECT(bad.slot_bytes = 1u << 31);
	REJECT(bad.meta_bytes += RING_ALIGN);
	REJECT(bad.meta_bytes = UINT64_MAX);
	REJECT(bad.meta_offset = 0);
	REJECT(bad.table_offset = UINT64_MAX & ~(uint64_t)4095);
	REJECT(bad.slots_offset -= RING_ALIGN * 16);
	REJECT(bad.clock = 9);
	REJECT(bad.stamp_shift = 64);
#undef REJECT
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ring_claim_takes_the_lowest_slot_and_writes_its_header),
		cmocka_unit_test(test_ring_extend_makes_the_rest_of_the_slot_once),
		cmocka_unit_test(test_ring_publish_commits_the_bytes_and_counts_the_event),
		cmocka_unit_test(test_ring_claim_beyond_the_soft_limit_fails_but_for_a_first_slot),
		cmocka_unit_test(test_ring_claim_without_a_living_recorder_does_not_wait),
		cmocka_unit_test(test_ring_claim_waits_for_a_living_recorder),
		cmocka_unit_test(test_ring_claim_waits_its_limit_once_for_a_recorder_that_frees_nothing),
		cmocka_unit_test(test_ring_flight_recorder_overwrites_the_oldest_and_counts_its_events),
		cmocka_unit_test(test_ring_bare_run_uses_each_slot_once),
		cmocka_unit_test(test_ring_forget_leaves_the_slot_untouched),
		cmocka_unit_test(test_ring_racing_threads_never_share_a_slot),
		cmocka_unit_test(test_ring_layout_rejects_headers_whose_parts_overlap_or_leave_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
