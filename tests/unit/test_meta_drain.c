/* Metadata out of a ring that this test writes as the library would. */
#include "cli/meta_drain.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"
#include "trace/meta_fields.h"
#include "trace/recording.h"

struct scene {
	char path[64];
	int fd;
	struct session_file s;
	struct packed_writer *w;
	struct pack *p;
	struct family *f;
	struct meta_drain d;
};

static void scene_open(struct scene *sc)
{
	const struct ring_options options = { 0 };
	struct file_header head = { .clock = CLOCK_KIND_MONOTONIC };
	struct diag d = { 0 };

	memset(sc, 0, sizeof(*sc));
	strcpy(sc->path, "/tmp/test_meta_drain.XXXXXX");
	sc->fd = mkstemp(sc->path);
	assert_true(sc->fd >= 0);
	assert_int_equal(session_file_create(&sc->s, "/tmp", 1 << 20, &options, &d), 0);
	sc->w = packed_writer_open(sc->fd, &head);
	sc->p = pack_new(sc->w, 1 << 20);
	sc->f = family_new();
	meta_drain_init(&sc->d, &sc->s, sc->p, sc->f);
}

static void scene_close(struct scene *sc)
{
	meta_drain_release(&sc->d);
	family_free(sc->f);
	pack_free(sc->p);
	packed_writer_close(sc->w);
	session_file_remove(&sc->s);
	session_file_close(&sc->s);
	close(sc->fd);
	unlink(sc->path);
}

static void note(struct scene *sc, const char *text)
{
	struct meta_fields f = { 0 };

	meta_fields_number(&f, 0);
	meta_fields_number(&f, 60);
	meta_fields_text(&f, text);
	assert_int_equal(session_file_append(&sc->s, META_NOTE, f.bytes, f.count), 0);
	meta_fields_release(&f);
}

/* The notes that reach the file, as one text. */
static void assert_notes(struct scene *sc, const char *expected)
{
	char text[256] = "";
	struct diag d = { 0 };
	struct recording *r;

	pack_stop(sc->p);
	assert_int_equal(packed_writer_finish(sc->w), 0);
	r = recording_open(sc->path, &d);
	assert_non_null(r);
	for (size_t i = 0; i < r->note_count; i++) {
		strcat(text, r->notes[i].text);
		strcat(text, " ");
	}
	assert_string_equal(text, expected);
	recording_close(r);
}

TEST(test_meta_drain_records_are_taken_once_and_in_order)
{
	struct scene sc;

	scene_open(&sc);
	assert_int_equal(meta_drain_take(&sc.d), 0);
	note(&sc, "one");
	note(&sc, "two");
	assert_int_equal(meta_drain_take(&sc.d), 2);
	assert_int_equal(meta_drain_take(&sc.d), 0);
	note(&sc, "three");
	meta_drain_finish(&sc.d);
	meta_drain_finish(&sc.d);
	assert_int_equal(sc.d.records, 3);
	assert_notes(&sc, "one two three ");
	scene_close(&sc);
}

TEST(test_meta_drain_hole_is_waited_for_then_passed_and_taken_when_it_is_filled)
{
	struct scene sc;
	uint64_t hole;
	uint8_t saved[4];

	scene_open(&sc);
	note(&sc, "first");
	hole = sc.s.ring->meta_tail;
	note(&sc, "late");
	note(&sc, "last");
	/* the writer of the second one has not stored its magic */
	memcpy(saved, sc.s.meta + hole, 4);
	memset(sc.s.meta + hole, 0, 4);
	assert_int_equal(meta_drain_take(&sc.d), 1);
	usleep(30000);
	assert_int_equal(meta_drain_take(&sc.d), 1);
	assert_int_equal(sc.d.hole_records, 1);
	memcpy(sc.s.meta + hole, saved, 4);
	meta_drain_finish(&sc.d);
	assert_int_equal(sc.d.records, 3);
	assert_int_equal(sc.d.hole_records, 0);
	assert_notes(&sc, "first last late ");
	scene_close(&sc);
}

TEST(test_meta_drain_hole_of_a_killed_writer_costs_only_itself)
{
	struct scene sc;
	uint64_t hole;

	scene_open(&sc);
	note(&sc, "first");
	hole = sc.s.ring->meta_tail;
	note(&sc, "torn");
	memset(sc.s.meta + hole + 20, 0xee, 4);
	note(&sc, "last");
	/* handed out, never written */
	sc.s.ring->meta_tail += 64;
	meta_drain_finish(&sc.d);
	assert_int_equal(sc.d.records, 2);
	assert_notes(&sc, "first last ");
	scene_close(&sc);
}

TEST(test_meta_drain_nonsense_in_the_ring_header_ends)
{
	struct scene sc;

	scene_open(&sc);
	note(&sc, "first");
	sc.s.ring->meta_tail = UINT64_MAX;
	assert_int_equal(meta_drain_take(&sc.d), 1);
	((struct meta_header *)(sc.s.meta + META_SPAN(8)))->magic = META_MAGIC;
	((struct meta_header *)(sc.s.meta + META_SPAN(8)))->bytes = UINT32_MAX;
	meta_drain_finish(&sc.d);
	assert_int_equal(sc.d.records, 1);
	scene_close(&sc);
}

TEST(test_meta_drain_space_is_given_back_only_when_the_output_has_it)
{
	static char text[3000];
	struct scene sc;

	memset(text, 'x', sizeof(text) - 1);
	scene_open(&sc);
	for (int i = 0; i < 400; i++)
		note(&sc, text);
	meta_drain_take(&sc.d);
	note(&sc, "more");
	meta_drain_take(&sc.d);
	/* nothing was packed yet: all must still be there */
	assert_int_not_equal(((struct meta_header *)sc.s.meta)->magic, 0);
	assert_int_not_equal(sc.s.meta[8192], 0);
	pack_stop(sc.p);
	note(&sc, "and more");
	meta_drain_take(&sc.d);
	assert_int_equal(sc.s.meta[8192], 0);
	scene_close(&sc);
}

TEST(test_meta_drain_processes_become_known)
{
	struct meta_fields f = { 0 };
	struct scene sc;
	uint64_t start;
	char letter;

	scene_open(&sc);
	assert_true(process_stat(getpid(), &letter, &start));
	/* image pid ppid parent_image how stamp start_time */
	meta_fields_number(&f, 1);
	meta_fields_number(&f, (uint64_t)getpid());
	meta_fields_number(&f, 1);
	meta_fields_number(&f, 0);
	meta_fields_number(&f, PROCESS_STARTED);
	meta_fields_number(&f, 50);
	meta_fields_number(&f, start);
	assert_int_equal(session_file_append(&sc.s, META_PROCESS, f.bytes, f.count), 0);
	/* a torn one is ignored */
	assert_int_equal(session_file_append(&sc.s, META_PROCESS, f.bytes, 2), 0);
	meta_fields_release(&f);
	assert_int_equal(meta_drain_take(&sc.d), 2);
	assert_int_equal(family_running(sc.f, NULL, 0), 1);
	assert_int_equal(family_image_count(sc.f), 1);
	scene_close(&sc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meta_drain_records_are_taken_once_and_in_order),
		cmocka_unit_test(test_meta_drain_hole_is_waited_for_then_passed_and_taken_when_it_is_filled),
		cmocka_unit_test(test_meta_drain_hole_of_a_killed_writer_costs_only_itself),
		cmocka_unit_test(test_meta_drain_nonsense_in_the_ring_header_ends),
		cmocka_unit_test(test_meta_drain_space_is_given_back_only_when_the_output_has_it),
		cmocka_unit_test(test_meta_drain_processes_become_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
