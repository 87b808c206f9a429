/*
 * test_ring_protocol.c - the two sides of the session ring at work at the same time:
 * writers that claim, write and close as the library does (preload/ring.c), and
 * the recorder's drainer and packer (analyzer/cli). Every record must come out
 * once, in the order of its stream, or be counted as lost. Meant to be built
 * with SAN=thread too: then both sides are watched.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/drain.h"
#include "meta.h"
#include "ring.h"
#include "session.h"
#include "test.h"
#include "trace/meta_fields.h"
#include "trace/merge.h"

/* What preload/session.c has: the writers of this test share one session. */
struct session session;

const char *session_ring_path(void)
{
	return "";
}

/* Soft limit of 16 slots: the writers meet it all the time. */
#define RING_BYTES (1u << 20)
#define BACKLOG_BYTES (2u << 20)
#define WRITERS 4
/* Some 12 slots for each writer. */
#define RECORDS 60000

struct scene {
	struct session_file s;
	char path[64];
	int fd;
	struct packed_writer *w;
	struct pack *p;
	struct family *f;
	struct drain *d;
};

struct writer {
	pthread_t thread;
	struct ring_cursor c;
	struct ring_claimant who;
	uint32_t records;    /* to write */
	uint32_t written, dropped;
	bool dies;           /* leaves its last slot as it is */
	uint32_t *progress;  /* counted on after each record, where not NULL */
	int stop;            /* write_on: enough */
};

static void session_join(const struct session_file *s, uint32_t image)
{
	session = (struct session){
		.ring = s->ring, .slot_words = s->words, .slots = s->slots,
		.slot_count = s->fixed.slot_count, .image = image, .pid = (uint32_t)getpid(),
		.recording = true, .options = s->fixed.options, .meta = s->meta,
		.meta_mapped = s->fixed.meta_bytes,
	};
}

static void scene_open(struct scene *sc, enum when_full when_full)
{
	const struct ring_options options = { .when_full = (uint8_t)when_full, .depth = 64 };
	struct file_header head = { .clock = CLOCK_KIND_MONOTONIC };
	struct diag d = { 0 };

	memset(sc, 0, sizeof(*sc));
	strcpy(sc->path, "/tmp/test_ring_protocol.XXXXXX");
	sc->fd = mkstemp(sc->path);
	assert_true(sc->fd >= 0);
	if (session_file_create(&sc->s, "/tmp", RING_BYTES, &options, &d) != 0)
		fail_msg("%s", d.text);
	sc->w = packed_writer_open(sc->fd, &head);
	assert_non_null(sc->w);
	sc->p = pack_new(sc->w, BACKLOG_BYTES);
	sc->f = family_new();
	sc->d = drain_new(&sc->s, sc->p, sc->f);
	session_join(&sc->s, 1);
}

static void scene_start(struct scene *sc)
{
	assert_int_equal(pack_start(sc->p), 0);
	assert_int_equal(drain_start(sc->d), 0);
}

/* The end of the recorder, and what it wrote. */
static struct recording *scene_finish(struct scene *sc)
{
	struct recording *r;
	struct diag d = { 0 };

	drain_stop(sc->d);
	pack_stop(sc->p);
	assert_int_equal(packed_writer_finish(sc->w), 0);
	assert_int_equal(drain_totals(sc->d).damaged, 0);
	assert_int_equal(pack_totals(sc->p).damaged, 0);
	r = recording_open(sc->path, &d);
	if (!r)
		fail_msg("%s", d.text);
	assert_string_equal(r->damage, "");
	return r;
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

/* ---- writing ---- */

/* Record number I of its stream: a block of I bytes. Its address jumps, so that lengths vary. */
static void write_record(struct writer *w, uint32_t i)
{
	struct ring_cursor *c = &w->c;
	uint64_t stamp = (uint64_t)i * 8 + w->who.stream, addr = (uint64_t)i * i * 16 + 16;
	uint8_t *p;

	if (ring_room(c) < RECORD_MAX) {
		ring_close(c);
		if (!ring_claim(c, &w->who, stamp)) {
			w->who.lost++;
			/* now and then the recorder gets a chance */
			if (__atomic_fetch_add(&w->dropped, 1, __ATOMIC_RELAXED) % 64 == 0)
				usleep(50);
			return;
		}
	}
	p = put_head(c->cursor, &c->base, EVENT_ALLOC | addr_flag(&c->base, addr), stamp);
	p = varint_put(p, i);
	ring_publish(c, put_addr(p, &c->base, addr));
	w->written++;
	if (w->progress)
		__atomic_store_n(w->progress, w->written, __ATOMIC_RELEASE);
}

static void *write_all(void *arg)
{
	struct writer *w = arg;

	for (uint32_t i = 1; i <= w->records; i++)
		write_record(w, i);
	if (!w->dies)
		ring_close(&w->c);
	return NULL;
}

static void writers_start(struct writer *w, uint32_t count, uint32_t first_stream)
{
	for (uint32_t i = 0; i < count; i++) {
		w[i] = (struct writer){ .who = { .stream = first_stream + i, .thread = first_stream + i + 1 },
					.records = RECORDS, .dies = i % 2 };
		assert_int_equal(pthread_create(&w[i].thread, NULL, write_all, &w[i]), 0);
	}
}

static void writers_join(struct writer *w, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		pthread_join(w[i].thread, NULL);
}

/* ---- reading ---- */

/* What came out of one stream. */
struct arrived {
	uint32_t records;
	uint32_t first, last; /* numbers of the first and the last one; 0: none */
	uint32_t gaps;      /* numbers left out before it */
};

/* Read all of IMAGE; streams are numbered from 0. Each record is what was written, in order. */
static void read_arrived(struct recording *r, uint32_t image, struct arrived *a, uint32_t count)
{
	const struct merge_select select = { .image = image };
	struct stacks *stacks = stacks_new();
	struct merge *m = merge_open(r, stacks, &select);
	const struct event *e;

	memset(a, 0, count * sizeof(*a));
	while ((e = merge_next(m)) != NULL) {
		uint64_t i = e->r.size, stream = e->r.stamp - i * 8;

		if (e->r.kind != EVENT_ALLOC || stream >= count || i <= a[stream].last ||
		    e->r.addr != i * i * 16 + 16 || e->r.thread != stream + 1)
			fail_msg("image %u: stamp %llu, record %llu of thread %u does not follow",
				 image, (unsigned long long)e->r.stamp, (unsigned long long)i,
				 e->r.thread);
		if (a[stream].records++ == 0)
			a[stream].first = (uint32_t)i;
		a[stream].gaps += (uint32_t)i - a[stream].last - 1;
		a[stream].last = (uint32_t)i;
	}
	merge_close(m);
	stacks_free(stacks);
}

/* Losses that the segment headers of STREAM tell. */
static uint32_t lost_of(const struct recording *r, uint32_t stream)
{
	uint32_t lost = 0;

	for (size_t i = 0; i < r->segment_count; i++)
		if (r->segments[i].header.stream == stream)
			lost += r->segments[i].header.lost;
	return lost;
}

/* ---- threads ---- */

TEST(test_ring_waiting_threads_lose_nothing_though_half_die_owning_a_slot)
{
	struct writer w[2 * WRITERS];
	struct arrived a[2 * WRITERS];
	struct recording *r;
	struct scene sc;

	scene_open(&sc, WHEN_FULL_WAIT);
	scene_start(&sc);
	writers_start(w, WRITERS, 0);
	writers_join(w, WRITERS);
	/* a second generation works among the slots that the dead ones left */
	writers_start(w + WRITERS, WRITERS, WRITERS);
	writers_join(w + WRITERS, WRITERS);
	r = scene_finish(&sc);
	read_arrived(r, 1, a, 2 * WRITERS);
	for (uint32_t i = 0; i < 2 * WRITERS; i++) {
		assert_int_equal(w[i].dropped, 0);
		assert_int_equal(a[i].records, RECORDS);
		assert_int_equal(a[i].gaps, 0);
		assert_int_equal(lost_of(r, i), 0);
	}
	assert_int_equal(r->missing_segments, 0);
	assert_int_equal(drain_totals(sc.d).partial, WRITERS);
	assert_int_equal(sc.s.ring->full_slots, 0);
	recording_close(r);
	scene_close(&sc);
}

/* Together they write twice what the ring holds. */
static bool has_dropped(struct writer *w)
{
	for (uint32_t i = 0; i < WRITERS; i++)
		if (__atomic_load_n(&w[i].dropped, __ATOMIC_RELAXED))
			return true;
	return false;
}

TEST(test_ring_dropping_threads_count_each_record_that_does_not_arrive)
{
	struct writer w[WRITERS];
	struct arrived a[WRITERS];
	struct recording *r;
	struct scene sc;

	scene_open(&sc, WHEN_FULL_DROP);
	writers_start(w, WRITERS, 0);
	/* the recorder comes late: the ring has been full by then */
	while (!has_dropped(w))
		usleep(100);
	scene_start(&sc);
	writers_join(w, WRITERS);
	r = scene_finish(&sc);
	read_arrived(r, 1, a, WRITERS);
	for (uint32_t i = 0; i < WRITERS; i++) {
		assert_int_equal(w[i].written + w[i].dropped, RECORDS);
		assert_int_equal(a[i].records, w[i].written);
		/* all but those after the last segment stand in the headers */
		assert_int_equal(a[i].gaps, lost_of(r, i));
		assert_int_equal(a[i].gaps + w[i].who.lost, w[i].dropped);
	}
	assert_int_equal(r->missing_segments, 0);
	recording_close(r);
	scene_close(&sc);
}

TEST(test_ring_flight_recorder_keeps_the_last_records_and_counts_the_overwritten)
{
	struct writer w[WRITERS];
	struct arrived a[WRITERS];
	uint64_t arrived = 0, ends = 0;
	struct recording *r;
	struct scene sc;

	scene_open(&sc, WHEN_FULL_OVERWRITE);
	scene_start(&sc);
	writers_start(w, WRITERS, 0);
	writers_join(w, WRITERS);
	r = scene_finish(&sc);
	read_arrived(r, 1, a, WRITERS);
	for (uint32_t i = 0; i < WRITERS; i++) {
		assert_int_equal(w[i].dropped, 0);
		arrived += a[i].records;
		ends += a[i].last == RECORDS;
		/* the oldest go first: what is left of a stream is its end */
		if (a[i].records) {
			assert_int_equal(a[i].last, RECORDS);
			assert_int_equal(a[i].gaps, a[i].first - 1);
		}
	}
	assert_true(ends > 0 && arrived < WRITERS * RECORDS);
	assert_int_equal(arrived + sc.s.ring->losses[LOSS_OVERWRITTEN], WRITERS * RECORDS);
	recording_close(r);
	scene_close(&sc);
}

static void *write_on(void *arg)
{
	struct writer *w = arg;

	for (uint32_t i = 1; !__atomic_load_n(&w->stop, __ATOMIC_RELAXED); i++)
		write_record(w, i);
	return NULL;
}

TEST(test_ring_recorder_that_stops_first_has_all_that_was_written_until_then)
{
	uint32_t progress[WRITERS] = { 0 }, before[WRITERS];
	struct writer w[WRITERS];
	struct arrived a[WRITERS];
	struct recording *r;
	struct scene sc;

	scene_open(&sc, WHEN_FULL_WAIT);
	scene_start(&sc);
	for (uint32_t i = 0; i < WRITERS; i++) {
		w[i] = (struct writer){ .who = { .stream = i, .thread = i + 1 },
					.progress = &progress[i] };
		pthread_create(&w[i].thread, NULL, write_on, &w[i]);
	}
	for (uint32_t i = 0; i < WRITERS; i++) {
		while (__atomic_load_n(&progress[i], __ATOMIC_ACQUIRE) < RECORDS / 2)
			usleep(100);
	}
	for (uint32_t i = 0; i < WRITERS; i++)
		before[i] = __atomic_load_n(&progress[i], __ATOMIC_ACQUIRE);
	r = scene_finish(&sc);
	for (uint32_t i = 0; i < WRITERS; i++) {
		__atomic_store_n(&w[i].stop, 1, __ATOMIC_RELAXED);
		pthread_join(w[i].thread, NULL);
	}
	read_arrived(r, 1, a, WRITERS);
	for (uint32_t i = 0; i < WRITERS; i++) {
		assert_in_range(a[i].records, before[i], w[i].written);
		/* nobody waits for a recorder that stops, but what is dropped is counted */
		assert_int_equal(a[i].gaps, lost_of(r, i));
	}
	recording_close(r);
	scene_close(&sc);
}

#define NOTES 2000

static void *write_notes(void *arg)
{
	char text[64];

	for (int i = 0; i < NOTES; i++) {
		snprintf(text, sizeof(text), "note %d of writer %d", i, (int)(intptr_t)arg);
		meta_note(text);
	}
	return NULL;
}

TEST(test_ring_metadata_of_racing_threads_arrives_whole_and_once)
{
	static uint8_t seen[WRITERS + 1][NOTES];
	pthread_t threads[WRITERS];
	struct recording *r;
	struct scene sc;

	scene_open(&sc, WHEN_FULL_WAIT);
	meta_notes_release();
	scene_start(&sc);
	for (intptr_t i = 0; i < WRITERS; i++)
		pthread_create(&threads[i], NULL, write_notes, (void *)i);
	/* the recorder writes there too */
	for (int i = 0; i < NOTES; i++) {
		struct meta_fields f = { 0 };
		char text[64];

		snprintf(text, sizeof(text), "note %d of writer %d", i, WRITERS);
		meta_fields_number(&f, 1);
		meta_fields_number(&f, 60);
		meta_fields_text(&f, text);
		assert_int_equal(session_file_append(&sc.s, META_NOTE, f.bytes, f.count), 0);
		meta_fields_release(&f);
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	r = scene_finish(&sc);
	assert_int_equal(drain_totals(sc.d).holes, 0);
	assert_int_equal(r->note_count, (WRITERS + 1) * NOTES);
	for (size_t i = 0; i < r->note_count; i++) {
		int number, writer;

		assert_int_equal(sscanf(r->notes[i].text, "note %d of writer %d", &number, &writer), 2);
		assert_int_equal(seen[writer][number]++, 0);
	}
	recording_close(r);
	scene_close(&sc);
}

/* ---- processes ---- */

#define PROCESSES 5
/* Before it is killed. */
#define RECORDS_AT_LEAST 20000

/* Writes without end; PROGRESS counts what was published. */
static void child_write(const char *ring, uint32_t image, uint32_t *progress)
{
	struct session_file s;
	struct diag d = { 0 };
	struct writer w = { .who = { .thread = 1 }, .progress = progress };

	if (session_file_open(&s, ring, &d) != 0)
		_exit(1);
	session_join(&s, image);
	for (uint32_t i = 1;; i++)
		write_record(&w, i);
}

static void announce(struct scene *sc, uint32_t image, pid_t pid)
{
	struct meta_fields f = { 0 };
	uint64_t start;
	char letter;

	assert_true(process_stat(pid, &letter, &start));

	const uint64_t fields[] = { image, (uint64_t)pid, 1, 0, 0, 1, start, 0 };

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		meta_fields_number(&f, fields[i]);
	for (int i = 0; i < 4; i++)
		meta_fields_text(&f, "x");
	assert_int_equal(session_file_append(&sc->s, META_PROCESS, f.bytes, f.count), 0);
	meta_fields_release(&f);
}

/* Free, or claimed by a process that was killed before the slot said whose it is. */
static bool slots_are_free(const struct scene *sc)
{
	for (uint32_t i = 0; i < 2 * sc->s.fixed.soft_slots; i++) {
		uint64_t word = __atomic_load_n(&sc->s.words[i], __ATOMIC_ACQUIRE);
		off_t at = (off_t)(sc->s.fixed.slots_offset + (uint64_t)i * sc->s.fixed.slot_bytes);
		struct segment_header h;

		if (slot_word_state(word) == SLOT_FREE)
			continue;
		if (slot_word_state(word) != SLOT_OWNED ||
		    pread(sc->s.fd, &h, sizeof(h), at) != (ssize_t)sizeof(h) ||
		    (h.magic && h.image) || h.committed)
			return false;
	}
	return true;
}

TEST(test_ring_processes_killed_while_writing_lose_no_published_record)
{
	pid_t pids[PROCESSES];
	struct recording *r;
	uint32_t *progress;
	struct scene sc;

	progress = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(progress, MAP_FAILED);
	scene_open(&sc, WHEN_FULL_WAIT);
	for (uint32_t i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			child_write(sc.s.path, i + 1, &progress[i]);
		announce(&sc, i + 1, pids[i]);
	}
	scene_start(&sc);
	/* whom the recorder never saw alive, it does not call dead */
	while (family_image_count(sc.f) < PROCESSES)
		usleep(100);
	for (uint32_t i = 0; i < PROCESSES; i++) {
		while (__atomic_load_n(&progress[i], __ATOMIC_ACQUIRE) < RECORDS_AT_LEAST)
			usleep(100);
		kill(pids[i], SIGKILL);
		assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
		family_poll(sc.f);
	}
	/* it takes two looks at the slots of the dead, 50 ms apart */
	for (int i = 0; i < 60000 && !slots_are_free(&sc); i++)
		usleep(1000);
	assert_true(slots_are_free(&sc));
	r = scene_finish(&sc);
	for (uint32_t i = 0; i < PROCESSES; i++) {
		struct arrived a;

		read_arrived(r, i + 1, &a, 1);
		assert_int_equal(a.gaps, 0);
		/* killed between the record and its count: one more */
		assert_in_range(a.records, progress[i], progress[i] + 1);
	}
	assert_int_equal(r->missing_segments, 0);
	recording_close(r);
	scene_close(&sc);
	munmap(progress, 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ring_waiting_threads_lose_nothing_though_half_die_owning_a_slot),
		cmocka_unit_test(test_ring_dropping_threads_count_each_record_that_does_not_arrive),
		cmocka_unit_test(test_ring_flight_recorder_keeps_the_last_records_and_counts_the_overwritten),
		cmocka_unit_test(test_ring_recorder_that_stops_first_has_all_that_was_written_until_then),
		cmocka_unit_test(test_ring_metadata_of_racing_threads_arrives_whole_and_once),
		cmocka_unit_test(test_ring_processes_killed_while_writing_lose_no_published_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
