/*
 * test_recording.c - opening: what is no recording, what holds together, and the
 * questions asked of an open one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture/mktrace.h"
#include "test.h"
#include "trace/merge.h"
#include "version.h"

static char dir[64];

static const char *in_dir(const char *name)
{
	static char path[160];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_recording.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	static const char *const names[] = { "empty", "text", "fifo", "other", "short" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(in_dir(names[i]));
	return rmdir(dir);
}

static const char *write_bytes(const char *name, const void *bytes, size_t count)
{
	const char *path = in_dir(name);
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	fwrite(bytes, 1, count, f);
	fclose(f);
	return path;
}

/* The refusal of PATH has status 3, names the file and holds WORDS. */
static void assert_refused(const char *path, const char *words)
{
	struct diag d = { 0 };

	assert_null(recording_open(path, &d));
	assert_int_equal(d.status, STATUS_IO);
	if (!strstr(d.text, path) || !strstr(d.text, words))
		fail_msg("'%s' lacks '%s'", d.text, words);
}

TEST(test_recording_what_is_no_recording_is_refused_in_words)
{
	assert_refused(in_dir("missing"), "No such file or directory");
	assert_refused(dir, "Is a directory");
	assert_refused(write_bytes("empty", "", 0), "empty");
	assert_refused(write_bytes("text", "hello, I am a text\n", 19), "not an allotrope recording");
	assert_refused(write_bytes("short", "ALLOTRP\n\r", 9), "inside its header");
	assert_refused("/dev/null", "not a regular file");
}

TEST(test_recording_fifo_is_refused_without_waiting_for_a_writer)
{
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	alarm(60);
	assert_refused(in_dir("fifo"), "not a regular file");
	alarm(0);
}

TEST(test_recording_other_version_says_which_and_what_to_do)
{
	struct file_header h = { .endian = ENDIAN_MARK, .version = FORMAT_VERSION + 1,
				 .header_bytes = sizeof(h) };

	memcpy(h.magic, FILE_MAGIC, sizeof(h.magic));
	h.checksum = file_header_checksum(&h);
	assert_refused(write_bytes("other", &h, sizeof(h)), "format version 2");
	assert_refused(write_bytes("other", &h, sizeof(h)), "newer allotrope");
	h.version = 0;
	assert_refused(write_bytes("other", &h, sizeof(h)), "record it again");
	h.version = FORMAT_VERSION;
	h.endian = __builtin_bswap32(ENDIAN_MARK);
	assert_refused(write_bytes("other", &h, sizeof(h)), "byte order");
	h.endian = 7;
	assert_refused(write_bytes("other", &h, sizeof(h)), "damaged");
}

TEST(test_recording_unfinished_file_opens_and_is_not_complete)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "prog");
	struct diag d = { 0 };

	mk_malloc(t, s, 10, 0x1000, 8);

	struct recording *r = recording_open(mktrace_unfinished(t), &d);

	assert_non_null(r);
	assert_false(r->complete);
	assert_string_equal(r->damage, "");
	assert_int_equal(r->segment_count, 1);
	recording_close(r);
	mktrace_free(t);
}

TEST(test_recording_lost_segments_are_counted)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "prog");

	mk_malloc(t, s, 10, 0x1000, 8);
	mk_lose_segments(t, s, 3);
	mk_malloc(t, s, 20, 0x2000, 8);

	struct recording *r = mktrace_open(t);

	assert_int_equal(r->missing_segments, 3);
	assert_int_equal(r->losses[LOSS_DAMAGED], 3);
	assert_int_equal(r->damaged_segments, 0);
	recording_close(r);
	mktrace_free(t);
}

TEST(test_recording_segments_stand_by_image_stream_and_sequence)
{
	struct mktrace *t = mktrace_new();
	mk_stream a = mk_process(t, 2, 100, "prog");
	mk_stream b = mk_process(t, 1, 99, "shell");

	for (uint64_t i = 0; i < 3; i++) {
		mk_malloc(t, a, 10 + i, 0x1000 + i * 64, 8);
		mk_segment(t, a);
		mk_malloc(t, b, 10 + i, 0x1000 + i * 64, 8);
		mk_segment(t, b);
	}

	struct recording *r = mktrace_open(t);

	assert_int_equal(r->segment_count, 6);
	for (uint32_t i = 0; i < 6; i++) {
		assert_int_equal(r->segments[i].header.image, i < 3 ? 1 : 2);
		assert_int_equal(r->segments[i].header.sequence, i % 3);
	}
	assert_int_equal(recording_image(r, 1)->segment_count, 3);
	recording_close(r);
	mktrace_free(t);
}

TEST(test_recording_read_gives_the_payload_again_and_again)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "prog");

	for (uint64_t i = 0; i < 1000; i++)
		mk_malloc(t, s, 10 + i, 0x1000 + i * 64, 8);

	struct recording *r = mktrace_open(t);
	uint8_t *buffer = NULL;
	size_t capacity = 0;

	for (int i = 0; i < 2; i++)
		assert_int_equal(recording_read(r, &r->segments[0], &buffer, &capacity),
				 r->segments[0].header.committed);
	assert_true(r->raw_bytes == r->segments[0].header.committed);
	free(buffer);
	recording_close(r);
	mktrace_free(t);
}

TEST(test_recording_stamps_and_nanoseconds_convert_both_ways)
{
	struct recording r = { .ns_per_tick = 5.25, .start_stamp = 1000 };

	assert_int_equal(recording_ns(&r, 1000), 0);
	assert_int_equal(recording_ns(&r, 1004), 21);
	assert_int_equal(recording_ns(&r, 996), -21);
	assert_int_equal(recording_stamp(&r, 21), 1004);
	assert_int_equal(recording_stamp(&r, -21), 996);
	/* no stamp is so strange that it breaks the arithmetic */
	assert_int_equal(recording_stamp(&r, INT64_MIN), 0);
	assert_true(recording_ns(&r, UINT64_MAX) == 4000000000000000000);
	r.ns_per_tick = 1e-3;
	assert_true(recording_stamp(&r, INT64_MAX) == UINT64_MAX);
}

TEST(test_recording_two_files_of_one_recording_count_what_is_in_both_once)
{
	struct mktrace *packed = mktrace_new(), *ring = mktrace_new();
	struct diag d = { 0 };

	for (int i = 0; i < 2; i++) {
		struct mktrace *t = i ? ring : packed;
		mk_stream s = mk_process(t, 1, 100, "prog");

		mk_module(t, 1, 2, 0x400000, 0x500000, "/usr/bin/prog");
		mk_note(t, 1, 3, "once");
		mk_malloc(t, s, 10, 0x1000, 8);
		mk_segment(t, s);
		/* the recorder died with this one drained and this one not */
		mk_malloc(t, s, 20, 0x2000, 8);
		mk_segment(t, s);
		if (i == 1) {
			mk_malloc(t, s, 30, 0x3000, 8);
			mk_exit(t, 1, 40, 0);
		}
	}

	const char *paths[] = { mktrace_unfinished(packed), mktrace_ring(ring, 4096) };
	struct recording *r = recording_open_many(paths, 2, &d);
	struct stacks *stacks = stacks_new();
	struct merge *m;
	int events = 0;

	assert_non_null(r);
	assert_false(r->is_ring);
	assert_int_equal(r->segment_count, 3);
	assert_int_equal(r->image_count, 1);
	assert_int_equal(r->images[0].map_count, 1);
	assert_int_equal(r->note_count, 1);
	assert_true(r->images[0].has_exit);
	m = merge_open(r, stacks, NULL);
	while (merge_next(m))
		events++;
	assert_int_equal(events, 3);
	merge_close(m);
	stacks_free(stacks);
	recording_close(r);
	mktrace_free(packed);
	mktrace_free(ring);
}

static void count_kind(enum meta_kind kind, const uint8_t *payload, size_t bytes, void *ctx)
{
	(void)payload;
	assert_true(bytes > 0);
	((size_t *)ctx)[kind]++;
}

/* Found by fuzz_packed and fuzz_ring, under UBSan: sorts and looks into tables that are not there. */
TEST(test_recording_two_files_without_metadata_open_and_tell_their_damage)
{
	struct mktrace *t = mktrace_new();
	const char *path = mktrace_unfinished(t);
	struct diag d = { 0 };
	struct recording *r;
	FILE *f = fopen(path, "ab");

	assert_non_null(f);
	fputs("no segment", f);
	fclose(f);
	r = recording_open_many((const char *const[]){ path, path }, 2, &d);
	assert_non_null(r);
	assert_int_equal(r->image_count, 0);
	assert_int_equal(r->damaged_segments, 2);
	assert_non_null(strstr(r->damage, "no segment where one should be"));
	recording_close(r);
	mktrace_free(t);
}

TEST(test_recording_each_meta_visits_every_record)
{
	struct mktrace *t = mktrace_new();
	size_t counts[META_KIND_COUNT] = { 0 };

	mk_process(t, 1, 100, "prog");
	mk_note(t, 1, 3, "one");
	mk_note(t, 1, 2, "two");

	struct recording *r = mktrace_open(t);

	recording_each_meta(r, count_kind, counts);
	assert_int_equal(counts[META_PROCESS], 1);
	assert_int_equal(counts[META_THREAD_START], 1);
	assert_int_equal(counts[META_NOTE], 2);
	/* by stamp */
	assert_string_equal(r->notes[0].text, "two");
	recording_close(r);
	mktrace_free(t);
}

TEST(test_time_between_stamps_is_never_negative_and_has_an_end)
{
	struct recording r = { .start_stamp = UINT64_MAX / 2, .ns_per_tick = 2 };

	assert_int_equal(recording_span_ns(&r, r.start_stamp + 5, r.start_stamp + 15), 20);
	assert_int_equal(recording_span_ns(&r, r.start_stamp - 5, r.start_stamp + 5), 20);
	assert_int_equal(recording_span_ns(&r, r.start_stamp + 15, r.start_stamp + 5), 0);
	assert_int_equal(recording_span_ns(&r, 0, UINT64_MAX), 8000000000000000000);
	assert_int_equal(recording_span_ns(&r, UINT64_MAX, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recording_what_is_no_recording_is_refused_in_words),
		cmocka_unit_test(test_recording_fifo_is_refused_without_waiting_for_a_writer),
		cmocka_unit_test(test_recording_other_version_says_which_and_what_to_do),
		cmocka_unit_test(test_recording_unfinished_file_opens_and_is_not_complete),
		cmocka_unit_test(test_recording_lost_segments_are_counted),
		cmocka_unit_test(test_recording_segments_stand_by_image_stream_and_sequence),
		cmocka_unit_test(test_recording_read_gives_the_payload_again_and_again),
		cmocka_unit_test(test_recording_stamps_and_nanoseconds_convert_both_ways),
		cmocka_unit_test(test_recording_two_files_of_one_recording_count_what_is_in_both_once),
		cmocka_unit_test(test_recording_two_files_without_metadata_open_and_tell_their_damage),
		cmocka_unit_test(test_recording_each_meta_visits_every_record),
		cmocka_unit_test(test_time_between_stamps_is_never_negative_and_has_an_end),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
