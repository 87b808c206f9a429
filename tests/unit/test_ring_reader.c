/*
 * test_ring_reader.c - a session ring's file as a recording, whole, sparse, cut
 * and damaged.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/xmem.h"
#include "fixture/mktrace.h"
#include "session_ring.h"
#include "test.h"
#include "trace/merge.h"

#define SLOT 4096

/* One test's ring; `fd` is open for changes. */
static struct mktrace *t;
static const char *path;
static int fd;
static struct ring_header head;

static int begin(void **state)
{
	mk_stream a, b;

	(void)state;
	t = mktrace_new();
	a = mk_process(t, 1, 100, "prog");
	b = mk_thread(t, 1, 101, 5, "worker");
	mk_module(t, 1, 2, 0x400000, 0x500000, "/usr/bin/prog");
	for (uint64_t i = 0; i < 30; i++) {
		mk_malloc(t, a, 10 + i * 10, 0x1000 + i * 64, 8, 0x400100);
		mk_free(t, b, 15 + i * 10, 0x1000 + i * 64);
		if (i == 9)
			mk_segment(t, a);
	}
	mk_exit(t, 1, 400, 0);
	path = mktrace_ring(t, SLOT);
	fd = open(path, O_RDWR);
	if (fd < 0 || pread(fd, &head, sizeof(head), 0) != sizeof(head))
		return -1;
	return 0;
}

static int end(void **state)
{
	(void)state;
	close(fd);
	mktrace_free(t);
	return 0;
}

static void put(uint64_t offset, const void *bytes, size_t count)
{
	assert_int_equal(pwrite(fd, bytes, count, (off_t)offset), (ssize_t)count);
}

static void put_word(uint32_t slot, uint64_t word)
{
	put(head.table_offset + slot * sizeof(word), &word, sizeof(word));
}

static uint64_t slot_at(uint32_t slot)
{
	return head.slots_offset + (uint64_t)slot * head.slot_bytes;
}

static struct segment_header slot_header(uint32_t slot)
{
	struct segment_header h;

	assert_int_equal(pread(fd, &h, sizeof(h), (off_t)slot_at(slot)), (ssize_t)sizeof(h));
	return h;
}

/* Events of R; -1: there is no R. */
static int events(struct recording *r)
{
	struct stacks *stacks;
	struct merge *m;
	int count = 0;

	if (!r)
		return -1;
	stacks = stacks_new();
	m = merge_open(r, stacks, NULL);
	while (merge_next(m))
		count++;
	merge_close(m);
	stacks_free(stacks);
	return count;
}

/* Events of the ring as it is now. */
static int count_events(void)
{
	struct recording *r = recording_open(path, NULL);
	int count = events(r);

	recording_close(r);
	return count;
}

TEST(test_ring_full_and_owned_slots_are_segments)
{
	struct recording *r = recording_open(path, NULL);

	assert_non_null(r);
	assert_true(r->is_ring);
	assert_true(r->complete);
	assert_true(r->has_options);
	assert_true(r->options.bare);
	assert_int_equal(r->segment_count, 3);
	assert_int_equal(events(r), 60);
	assert_int_equal(r->image_count, 1);
	assert_string_equal(r->images[0].exe, "prog");
	assert_int_equal(r->images[0].thread_count, 2);
	assert_string_equal(r->damage, "");
	recording_close(r);
	put_word(0, slot_word(SLOT_OWNED, 100, 0));
	assert_int_equal(count_events(), 60);
}

TEST(test_ring_free_slots_are_not_read_whatever_they_hold)
{
	put_word(1, slot_word(SLOT_FREE, 0, 0));
	assert_true(count_events() < 60);
}

TEST(test_ring_slot_that_a_dead_recorder_was_draining_is_kept)
{
	put_word(1, slot_word(SLOT_DRAINING, 100, 1));
	assert_int_equal(count_events(), 60);
}

TEST(test_ring_slot_claimed_without_a_record_is_empty)
{
	struct segment_header h = { 0 };

	put_word(10, slot_word(SLOT_OWNED, 100, 10));
	assert_int_equal(count_events(), 60);
	h.magic = SEGMENT_MAGIC;
	put(slot_at(10), &h, sizeof(h));
	assert_int_equal(count_events(), 60);
}

TEST(test_ring_slot_that_was_not_closed_ends_at_its_last_record)
{
	struct segment_header h = slot_header(0);
	struct recording *r;

	h.last_stamp = 0;
	put(slot_at(0), &h, sizeof(h));
	r = recording_open(path, NULL);
	assert_int_equal(r->segments[0].header.last_stamp, 100);
	recording_close(r);
}

TEST(test_ring_records_behind_committed_are_not_seen)
{
	struct segment_header h = slot_header(0);

	h.committed = 0;
	put(slot_at(0), &h, sizeof(h));
	assert_int_equal(count_events(), 50);
}

TEST(test_ring_damaged_slot_headers_cost_their_slots_only)
{
	struct segment_header good = slot_header(0), bad[4] = { good, good, good, good };

	bad[0].magic = 0;
	bad[1].committed = SLOT;
	bad[2].header_bytes = SLOT + 8;
	bad[3].committed = UINT64_MAX - 8;
	for (int i = 0; i < 4; i++) {
		struct recording *r;

		put(slot_at(0), &bad[i], sizeof(bad[i]));
		r = recording_open(path, NULL);
		assert_int_equal(events(r), 50);
		assert_int_equal(r->damaged_segments, 1);
		assert_non_null(strstr(r->damage, "slot 0"));
		assert_int_equal(r->losses[LOSS_DAMAGED], 1);
		recording_close(r);
	}
}

TEST(test_ring_metadata_behind_a_hole_is_found)
{
	struct recording *r;
	uint32_t zero = 0;

	/* the writer of the first record was killed before it stored the magic */
	put(head.meta_offset, &zero, sizeof(zero));
	r = recording_open(path, NULL);
	assert_non_null(r);
	assert_int_equal(r->image_count, 1);
	assert_false(r->images[0].is_described);
	assert_int_equal(r->images[0].pid, 100);
	assert_int_equal(r->images[0].map_count, 1);
	recording_close(r);
}

TEST(test_ring_metadata_with_a_changed_byte_is_passed_over)
{
	struct recording *r;

	put(head.meta_offset + sizeof(struct meta_header) + 2, "\x55", 1);
	r = recording_open(path, NULL);
	assert_false(r->images[0].is_described);
	recording_close(r);
}

TEST(test_ring_losses_of_its_header_are_the_recordings)
{
	struct recording *r;

	head.losses[LOSS_NO_SLOT] = 17;
	head.losses[LOSS_NESTED] = 3;
	put(0, &head, sizeof(head));
	r = recording_open(path, NULL);
	assert_int_equal(r->losses[LOSS_NO_SLOT], 17);
	assert_int_equal(r->losses[LOSS_NESTED], 3);
	recording_close(r);
}

TEST(test_ring_whose_program_has_not_ended_is_not_complete)
{
	struct mktrace *running = mktrace_new();
	mk_stream s = mk_process(running, 1, 100, "prog");
	struct recording *r;

	mk_malloc(running, s, 10, 0x1000, 8);
	r = recording_open(mktrace_ring(running, SLOT), NULL);
	assert_non_null(r);
	assert_false(r->complete);
	recording_close(r);
	mktrace_free(running);
}

TEST(test_ring_of_a_terabyte_of_holes_is_read_at_once)
{
	struct timespec begun, ended;
	struct segment_header h = slot_header(0);
	uint64_t bytes = (uint64_t)1 << 40;

	/* the table alone is 1.6 GiB of hole */
	head.slot_count = 200u << 20;
	head.slots_offset = head.table_offset + 8 * (uint64_t)head.slot_count;
	head.ring_bytes = head.slots_offset + (uint64_t)head.slot_count * SLOT;
	assert_true(head.ring_bytes < bytes);
	if (ftruncate(fd, (off_t)bytes) != 0)
		SKIP("this file system has no file of 1 TiB");
	put(0, &head, sizeof(head));
	for (uint32_t i = 0; i < 3; i++)
		put_word(i, 0);
	put_word(head.slot_count - 1, slot_word(SLOT_FULL, 100, 1));
	put(slot_at(head.slot_count - 1), &h, sizeof(h));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begun);

	struct recording *r = recording_open(path, NULL);

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
	assert_non_null(r);
	assert_int_equal(r->segment_count, 1);
	assert_true(ended.tv_sec - begun.tv_sec < 5);
	recording_close(r);
}

TEST(test_ring_cut_anywhere_is_an_error_or_says_so)
{
	static const uint64_t steps[] = { 1, 100, sizeof(struct ring_header) - 1,
					  sizeof(struct ring_header), 4096, 4100 };
	uint64_t cuts[64];
	size_t count = 0;

	for (size_t i = 0; i < 6; i++)
		cuts[count++] = steps[i];
	cuts[count++] = head.meta_offset + 333;
	cuts[count++] = head.table_offset;
	cuts[count++] = head.table_offset + 12;
	cuts[count++] = head.slots_offset;
	for (uint64_t i = 1; i < 40; i++)
		cuts[count++] = head.slots_offset + i * 331;
	/* from the longest down, as a file only shrinks */
	while (count--) {
		struct diag d = { 0 };
		struct recording *r;

		assert_int_equal(ftruncate(fd, (off_t)cuts[count]), 0);
		r = recording_open(path, &d);
		if (!r) {
			assert_true(cuts[count] < sizeof(struct ring_header));
			assert_int_equal(d.status, STATUS_IO);
			continue;
		}
		assert_true(events(r) <= 60);
		if (events(r) < 60)
			assert_true(r->damage[0] != '\0');
		recording_close(r);
	}
}

TEST(test_ring_header_with_any_byte_changed_never_crashes)
{
	for (size_t at = 0; at < sizeof(head); at++) {
		struct ring_header bad = head;
		struct diag d = { 0 };
		struct recording *r;

		((uint8_t *)&bad)[at] ^= 0xff;
		put(0, &bad, sizeof(bad));
		r = recording_open(path, &d);
		if (r)
			assert_true(events(r) <= 60);
		else
			assert_true(d.text[0] != '\0');
		recording_close(r);
	}
}

TEST(test_ring_with_random_damage_never_crashes)
{
	unsigned seed = 99;
	size_t bytes = head.slots_offset + 3 * SLOT;
	uint8_t *whole = xmalloc(bytes), *copy = xmalloc(bytes);

	assert_int_equal(pread(fd, whole, bytes, 0), (ssize_t)bytes);
	for (int round = 0; round < 300; round++) {
		struct recording *r;

		memcpy(copy, whole, bytes);
		for (int i = 0; i < 200; i++) {
			size_t area = (size_t)rand_r(&seed) % 4;
			size_t from = area == 0 ? head.meta_offset :
				      area == 1 ? head.table_offset : head.slots_offset;
			size_t span = area == 0 ? 600 : area == 1 ? 64 : 3 * SLOT;

			copy[from + (size_t)rand_r(&seed) % span] = (uint8_t)rand_r(&seed);
		}
		put(0, copy, bytes);
		r = recording_open(path, NULL);
		events(r);
		recording_close(r);
	}
	free(whole);
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, begin, end)
		ROW(test_ring_full_and_owned_slots_are_segments),
		ROW(test_ring_free_slots_are_not_read_whatever_they_hold),
		ROW(test_ring_slot_that_a_dead_recorder_was_draining_is_kept),
		ROW(test_ring_slot_claimed_without_a_record_is_empty),
		ROW(test_ring_slot_that_was_not_closed_ends_at_its_last_record),
		ROW(test_ring_records_behind_committed_are_not_seen),
		ROW(test_ring_damaged_slot_headers_cost_their_slots_only),
		ROW(test_ring_metadata_behind_a_hole_is_found),
		ROW(test_ring_metadata_with_a_changed_byte_is_passed_over),
		ROW(test_ring_losses_of_its_header_are_the_recordings),
		ROW(test_ring_whose_program_has_not_ended_is_not_complete),
		ROW(test_ring_of_a_terabyte_of_holes_is_read_at_once),
		ROW(test_ring_cut_anywhere_is_an_error_or_says_so),
		ROW(test_ring_header_with_any_byte_changed_never_crashes),
		ROW(test_ring_with_random_damage_never_crashes),
#undef ROW
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
