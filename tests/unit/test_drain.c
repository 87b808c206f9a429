/* The drainer against a ring that this test fills as the library would. */
#include "cli/drain.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/session_clock.h"
#include "record_codec.h"
#include "test.h"
#include "trace/meta_fields.h"
#include "trace/recording.h"

#define IMAGE 1

struct scene {
	struct session_file s;
	char path[64];
	int fd;
	struct packed_writer *w;
	struct pack *p;
	struct family *f;
	struct drain *d;
};

static void scene_open(struct scene *sc, uint8_t when_full)
{
	const struct ring_options options = { .when_full = when_full, .depth = 64 };
	struct file_header head = { .clock = CLOCK_KIND_MONOTONIC };
	struct diag d = { 0 };

	memset(sc, 0, sizeof(*sc));
	strcpy(sc->path, "/tmp/test_drain.XXXXXX");
	sc->fd = mkstemp(sc->path);
	assert_true(sc->fd >= 0);
	assert_int_equal(session_file_create(&sc->s, "/tmp", 1 << 20, &options, &d), 0);
	sc->w = packed_writer_open(sc->fd, &head);
	assert_non_null(sc->w);
	sc->p = pack_new(sc->w, 1 << 20);
	sc->f = family_new();
	sc->d = drain_new(&sc->s, sc->p, sc->f);
}

static void scene_close(struct scene *sc)
{
	drain_free(sc->d);
	family_free(sc->f);
	pack_free(sc->p);
	packed_writer_close(sc->w);
	session_file_remove(&sc->s);
	session_file_close(&sc->s);
	close(sc->fd);
	unlink(sc->path);
}

static struct segment_header *slot(struct scene *sc, uint32_t i)
{
	return (struct segment_header *)(sc->s.slots + (size_t)i * sc->s.fixed.slot_bytes);
}

/* Slot I is claimed by IMAGE and holds CALLS records of free. */
static void fill(struct scene *sc, uint32_t i, uint32_t image, uint32_t sequence, unsigned calls)
{
	struct segment_header *h = slot(sc, i);
	struct codec_base base = { .stamp = 100 };
	uint8_t *p = (uint8_t *)(h + 1);

	*h = (struct segment_header){
		.magic = SEGMENT_MAGIC, .version = 1, .header_bytes = sizeof(*h),
		.kind = SEGMENT_EVENTS, .image = image, .pid = (uint32_t)getpid(), .stream = 1,
		.sequence = sequence, .first_stamp = 100,
	};
	for (unsigned n = 0; n < calls; n++) {
		p = put_head(p, &base, EVENT_FREE | TAG_ADDR16, 100 + n);
		p = put_addr(p, &base, 0x1000 + 16 * n);
	}
	h->committed = (uint64_t)(p - (uint8_t *)(h + 1));
	sc->s.words[i] = slot_word(SLOT_OWNED, (uint32_t)getpid(), i);
}

static void close_slot(struct scene *sc, uint32_t i)
{
	slot(sc, i)->last_stamp = 200;
	sc->s.ring->full_slots++;
	sc->s.words[i] = (sc->s.words[i] & ~(uint64_t)3) | SLOT_FULL;
}

static void announce(struct scene *sc, uint32_t image, pid_t pid, uint64_t start)
{
	struct meta_fields f = { 0 };
	const uint64_t fields[] = { image, (uint64_t)pid, 1, 0, 0, 50, start, 0 };

	for (size_t i = 0; i < 8; i++)
		meta_fields_number(&f, fields[i]);
	for (int i = 0; i < 4; i++)
		meta_fields_text(&f, "x");
	assert_int_equal(session_file_append(&sc->s, META_PROCESS, f.bytes, f.count), 0);
	meta_fields_release(&f);
}

static void note(struct scene *sc, const char *text)
{
	struct meta_fields f = { 0 };

	meta_fields_number(&f, IMAGE);
	meta_fields_number(&f, 60);
	meta_fields_text(&f, text);
	assert_int_equal(session_file_append(&sc->s, META_NOTE, f.bytes, f.count), 0);
	meta_fields_release(&f);
}

static struct pack_totals finish(struct scene *sc)
{
	drain_stop(sc->d);
	pack_stop(sc->p);
	assert_int_equal(packed_writer_finish(sc->w), 0);
	return pack_totals(sc->p);
}

static uint64_t start_of(pid_t pid)
{
	uint64_t start;
	char letter;

	assert_true(process_stat(pid, &letter, &start));
	return start;
}

TEST(test_drain_full_slot_is_packed_and_freed)
{
	struct scene sc;

	scene_open(&sc, WHEN_FULL_WAIT);
	sc.s.ring->claim_hint = 1;
	fill(&sc, 0, IMAGE, 0, 10);
	close_slot(&sc, 0);
	assert_int_equal(drain_round(sc.d), 1);
	assert_int_equal(slot_word_state(sc.s.words[0]), SLOT_FREE);
	assert_int_equal(slot(&sc, 0)->committed, 0);
	assert_int_equal(slot(&sc, 0)->magic, 0);
	assert_int_equal(sc.s.ring->full_slots, 0);
	assert_int_equal(sc.s.ring->claim_hint, 0);
	assert_int_equal(finish(&sc).calls, 10);
	scene_close(&sc);
}

TEST(test_drain_round_beats_the_heart)
{
	struct scene sc;
	uint64_t before = clock_ns(CLOCK_MONOTONIC);

	scene_open(&sc, WHEN_FULL_WAIT);
	drain_round(sc.d);
	assert_true(sc.s.ring->heartbeat_ns >= before);
	scene_close(&sc);
}

TEST(test_drain_counter_that_a_dead_target_did_not_raise_stays_at_zero)
{
	struct scene sc;

	scene_open(&sc, WHEN_FULL_WAIT);
	fill(&sc, 0, IMAGE, 0, 1);
	close_slot(&sc, 0);
	sc.s.ring->full_slots = 0;
	drain_reap(sc.d);
	assert_int_equal(slot_word_state(sc.s.words[0]), SLOT_FREE);
	assert_int_equal(sc.s.ring->full_slots, 0);
	scene_close(&sc);
}

TEST(test_drain_slot_of_a_running_image_is_left_alone)
{
	struct scene sc;

	scene_open(&sc, WHEN_FULL_WAIT);
	announce(&sc, IMAGE, getpid(), start_of(getpid()));
	fill(&sc, 0, IMAGE, 0, 5);
	for (int i = 0; i < 4; i++) {
		drain_round(sc.d);
		family_poll(sc.f);
		drain_reap(sc.d);
	}
	assert_int_equal(slot_word_state(sc.s.words[0]), SLOT_OWNED);
	scene_close(&sc);
}

TEST(test_drain_slot_of_an_image_replaced_by_exec_is_taken_at_the_second_look)
{
	struct scene sc;

	scene_open(&sc, WHEN_FULL_WAIT);
	announce(&sc, 1, getpid(), start_of(getpid()));
	fill(&sc, 0, 1, 0, 5);
	announce(&sc, 2, getpid(), start_of(getpid()));
	fill(&sc, 1, 2, 0, 3);
	drain_round(sc.d);
	drain_reap(sc.d);
	assert_int_equal(slot_word_state(sc.s.words[0]), SLOT_OWNED);
	drain_reap(sc.d);
	assert_int_equal(slot_word_state(sc.s.words[0]), SLOT_FREE);
	assert_int_equal(slot_word_state(sc.s.words[1]), SLOT_OWNED);
	assert_int_equal(drain_totals(sc.d).partial, 1);
	scene_close(&sc);
}

TEST(test_drain_slot_of_a_killed_process_is_taken)
{
	struct scene sc;
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	scene_open(&sc, WHEN_FULL_WAIT);
	announce(&sc, IMAGE, pid, start_of(pid));
	fill(&sc, 0, IMAGE, 0, 5);
	drain_round(sc.d);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	family_poll(sc.f);
	drain_reap(sc.d);
	drain_reap(sc.d);
	assert_int_equal(slot_word_state(sc.s.words[0]), SLOT_FREE);
	assert_int_equal(finish(&sc).calls, 5);
	scene_close(&sc);
}

TEST(test_drain_slot_whose_header_is_not_yet_written_is_left_alone)
{
	struct scene sc;

	scene_open(&sc, WHEN_FULL_WAIT);
	sc.s.words[0] = slot_word(SLOT_OWNED, 1, 0);
	drain_reap(sc.d);
	drain_reap(sc.d);
	assert_int_equal(slot_word_state(sc.s.words[0]), SLOT_OWNED);
	scene_close(&sc);
}

TEST(test_drain_slot_with_nonsense_is_counted_and_freed)
{
	struct scene sc;

	scene_open(&sc, WHEN_FULL_WAIT);
	fill(&sc, 0, IMAGE, 0, 5);
	slot(&sc, 0)->committed = UINT64_MAX;
	close_slot(&sc, 0);
	fill(&sc, 1, IMAGE, 1, 5);
	slot(&sc, 1)->header_bytes = 7;
	close_slot(&sc, 1);
	drain_round(sc.d);
	assert_int_equal(drain_totals(sc.d).damaged, 2);
	assert_int_equal(slot_word_state(sc.s.words[0]), SLOT_FREE);
	assert_int_equal(finish(&sc).segments, 0);
	scene_close(&sc);
}

TEST(test_drain_stop_copies_a_living_slot_and_leaves_it_to_its_owner)
{
	struct scene sc;

	scene_open(&sc, WHEN_FULL_WAIT);
	fill(&sc, 0, IMAGE, 0, 7);
	assert_int_equal(finish(&sc).calls, 7);
	assert_int_equal(slot_word_state(sc.s.words[0]), SLOT_OWNED);
	assert_int_equal(sc.s.ring->stopping, 1);
	scene_close(&sc);
}

TEST(test_drain_flight_recorder_keeps_full_slots_until_the_end)
{
	struct scene sc;

	scene_open(&sc, WHEN_FULL_OVERWRITE);
	fill(&sc, 0, IMAGE, 0, 7);
	close_slot(&sc, 0);
	drain_round(sc.d);
	drain_reap(sc.d);
	assert_int_equal(slot_word_state(sc.s.words[0]), SLOT_FULL);
	assert_int_equal(finish(&sc).calls, 7);
	scene_close(&sc);
}

TEST(test_drain_full_backlog_leaves_slots_where_they_are)
{
	static uint8_t big[1 << 20];
	const struct segment_header h = { .magic = SEGMENT_MAGIC };
	struct scene sc;

	scene_open(&sc, WHEN_FULL_WAIT);
	pack_events(sc.p, &h, big, sizeof(big));
	fill(&sc, 0, IMAGE, 0, 7);
	close_slot(&sc, 0);
	assert_true(pack_is_full(sc.p));
	/* the round helps the packer, but looks at the slots before */
	drain_round(sc.d);
	assert_int_equal(slot_word_state(sc.s.words[0]), SLOT_FULL);
	drain_round(sc.d);
	assert_int_equal(slot_word_state(sc.s.words[0]), SLOT_FREE);
	scene_close(&sc);
}

TEST(test_drain_result_opens_as_a_recording)
{
	struct scene sc;
	struct recording *r;
	struct diag d = { 0 };

	scene_open(&sc, WHEN_FULL_WAIT);
	announce(&sc, IMAGE, getpid(), start_of(getpid()));
	note(&sc, "a note");
	for (uint32_t i = 0; i < 5; i++) {
		fill(&sc, i, IMAGE, i, 100);
		close_slot(&sc, i);
	}
	assert_int_equal(drain_start(sc.d), 0);
	assert_int_equal(pack_start(sc.p), 0);
	usleep(20000);
	assert_int_equal(finish(&sc).calls, 500);
	r = recording_open(sc.path, &d);
	assert_non_null(r);
	assert_true(r->complete);
	assert_int_equal(r->segment_count, 5);
	assert_int_equal(r->image_count, 1);
	assert_int_equal(r->note_count, 1);
	assert_string_equal(r->damage, "");
	recording_close(r);
	scene_close(&sc);
}

TEST(test_drain_what_is_taken_and_not_written_can_be_told_afterwards)
{
	struct scene sc;
	struct recording *r;
	struct diag d = { 0 };
	const char *paths[2];

	scene_open(&sc, WHEN_FULL_WAIT);
	paths[0] = sc.path;
	paths[1] = sc.s.path;
	announce(&sc, IMAGE, getpid(), start_of(getpid()));
	for (uint32_t i = 0; i < 3; i++) {
		fill(&sc, i, IMAGE, i, 100);
		close_slot(&sc, i);
	}
	assert_int_equal(drain_round(sc.d), 1 + 3);
	/* nothing follows them, so that there is no gap */
	fill(&sc, 0, IMAGE + 1, 0, 100);
	r = recording_open_many(paths, 2, &d);
	assert_int_equal(r->unwritten_segments, 3);
	assert_int_equal(r->unwritten_bytes, sc.s.ring->taken_bytes);
	assert_int_equal(r->missing_segments, 0);
	recording_close(r);
	/* the living slot is in the file then, and in the ring still */
	assert_int_equal(finish(&sc).segments, 4);
	r = recording_open_many(paths, 2, &d);
	assert_int_equal(r->segment_count, 4);
	assert_int_equal(r->unwritten_segments, 0);
	assert_int_equal(r->unwritten_bytes, 0);
	recording_close(r);
	scene_close(&sc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drain_full_slot_is_packed_and_freed),
		cmocka_unit_test(test_drain_round_beats_the_heart),
		cmocka_unit_test(test_drain_counter_that_a_dead_target_did_not_raise_stays_at_zero),
		cmocka_unit_test(test_drain_slot_of_a_running_image_is_left_alone),
		cmocka_unit_test(test_drain_slot_of_an_image_replaced_by_exec_is_taken_at_the_second_look),
		cmocka_unit_test(test_drain_slot_of_a_killed_process_is_taken),
		cmocka_unit_test(test_drain_slot_whose_header_is_not_yet_written_is_left_alone),
		cmocka_unit_test(test_drain_slot_with_nonsense_is_counted_and_freed),
		cmocka_unit_test(test_drain_stop_copies_a_living_slot_and_leaves_it_to_its_owner),
		cmocka_unit_test(test_drain_flight_recorder_keeps_full_slots_until_the_end),
		cmocka_unit_test(test_drain_full_backlog_leaves_slots_where_they_are),
		cmocka_unit_test(test_drain_result_opens_as_a_recording),
		cmocka_unit_test(test_drain_what_is_taken_and_not_written_can_be_told_afterwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
