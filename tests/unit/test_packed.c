/*
 * test_packed.c - a packed file that is damaged: whatever was done to it, one
 * clear error or a recording that says what is missing; never more than
 * there was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xmem.h"
#include "fixture/mktrace.h"
#include "test.h"
#include "trace/merge.h"
#include "version.h"

static char path[64];

static int make_path(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/test_packed.XXXXXX");
	fd = mkstemp(path);
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int remove_path(void **state)
{
	(void)state;
	return unlink(path);
}

static void write_file(const void *bytes, size_t count)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, count, f), count);
	fclose(f);
}

/* Two images, threads, three segments and more of events, all kinds of metadata. */
static struct mktrace *story(void)
{
	struct mktrace *t = mktrace_new();
	mk_stream a = mk_process(t, 1, 100, "/usr/bin/prog");
	mk_stream b = mk_thread(t, 1, 101, 5, "worker");
	mk_stream c;

	mk_meta(t, META_SESSION, "vvssvvvs", (uint64_t)1, (uint64_t)2, "prog", "", (uint64_t)100,
		(uint64_t)999, (uint64_t)998, "--ring=16M");
	mk_meta(t, META_CLOCK, "vvvv", (uint64_t)1, (uint64_t)5, (uint64_t)6, (uint64_t)7);
	mk_module(t, 1, 2, 0x400000, 0x500000, "/usr/bin/prog");
	for (uint64_t i = 0; i < 20; i++) {
		mk_malloc(t, a, 10 + i * 10, 0x1000 + i * 64, 8 + i, 0x400100 + i % 3, 0x400200);
		if (i % 4)
			mk_free(t, b, 12 + i * 10, 0x1000 + i * 64);
		if (i % 7 == 6)
			mk_segment(t, a);
	}
	mk_syscall(t, a, 300, SYS_MEM_mmap, MK_ARGS(0, 4096, 3, 34, (uint64_t)-1, 0),
		   0x7f0000000000, 0, 0x400100);
	mk_event_mark(t, a, 310, "half");
	c = mk_fork(t, 2, 102, 1, 320);
	mk_calloc(t, c, 330, 0x1000, 4, 8, 0x400300);
	mk_realloc(t, c, 340, 0x1000, 0x2000, 100, 0x400300);
	mk_note(t, 1, 350, "a note");
	mk_mark(t, 0, 355, "end");
	mk_memory(t, 100, 360, 1 << 20);
	mk_exit(t, 2, 390, 0);
	mk_exit(t, 1, 400, 256);
	return t;
}

/* FNV-1a of what read_all saw. */
static uint32_t seen;

static void see(uint64_t v)
{
	for (int i = 0; i < 8; i++)
		seen = (seen ^ (uint8_t)(v >> 8 * i)) * 16777619u;
}

static void see_text(const char *s)
{
	while (*s)
		see((uint8_t)*s++);
}

/* Everything that can be read is read; the number of events. */
static size_t read_all(struct recording *r)
{
	struct stacks *stacks = stacks_new();
	struct merge *m = merge_open(r, stacks, NULL);
	const struct event *e;
	size_t count = 0;
	uint64_t last = 0;

	seen = 2166136261u;
	while ((e = merge_next(m)) != NULL) {
		see(e->r.stamp);
		see(e->r.kind);
		see(e->r.addr);
		see(e->r.size);
		see(e->stack);
		see(e->image);
		assert_true(e->r.stamp >= last);
		assert_true(e->stack <= stacks_count(stacks));
		last = e->r.stamp;
		count++;
	}
	for (size_t i = 0; i < r->image_count; i++) {
		const struct image *im = &r->images[i];

		see(im->pid);
		see(im->start_stamp);
		see(im->end_stamp);
		see((uint64_t)im->status);
		see_text(im->exe);
		assert_non_null(im->argv);
		assert_null(im->argv[im->argc]);
		assert_ptr_equal(recording_image(r, im->number), im);
		assert_non_null(recording_image_at(r, im->pid, im->start_stamp));
		image_module(r, im, 0x400100, last);
		image_thread(im, 1);
	}
	see((uint64_t)recording_ns(r, last));
	see(r->wall_ns);
	for (size_t i = 0; i < r->note_count; i++)
		see_text(r->notes[i].text);
	merge_close(m);
	stacks_free(stacks);
	return count;
}

TEST(test_packed_whole_file_is_complete_and_undamaged)
{
	struct mktrace *t = story();
	struct recording *r = mktrace_open(t);

	assert_int_equal(read_all(r), 20 + 15 + 2 + 1 + 1 + 2);
	assert_true(r->complete);
	assert_string_equal(r->damage, "");
	assert_int_equal(r->damaged_segments, 0);
	assert_int_equal(r->missing_segments, 0);
	assert_int_equal(r->losses[LOSS_DAMAGED], 0);
	recording_close(r);
	mktrace_free(t);
}

TEST(test_packed_cut_at_every_length_is_an_error_or_says_so)
{
	struct mktrace *t = story();
	size_t bytes;
	uint8_t *whole = mktrace_bytes(t, &bytes);
	size_t most = 0, last = 0;

	for (size_t cut = 0; cut < bytes; cut++) {
		struct diag d = { 0 };
		struct recording *r;

		write_file(whole, cut);
		r = recording_open(path, &d);
		if (!r) {
			assert_true(cut < sizeof(struct file_header));
			assert_int_equal(d.status, STATUS_IO);
			assert_non_null(strstr(d.text, path));
			continue;
		}
		last = read_all(r);
		/* what a longer file has, a shorter one cannot have more of */
		assert_true(last >= most);
		most = last;
		/* only a cut behind END leaves a complete recording; no index is no loss */
		if (!r->complete)
			assert_true(cut < bytes);
		else
			assert_int_equal(last, 41);
		recording_close(r);
	}
	assert_int_equal(last, 41);
	free(whole);
	mktrace_free(t);
}

/*
 * Open the file as it is now; what it says about damage must fit what it
 * delivers. A few bits of a zstd frame mean nothing: then all is as it was.
 */
static void check_damaged(size_t at, uint32_t undamaged)
{
	struct diag d = { 0 };
	struct recording *r = recording_open(path, &d);
	size_t events;

	if (!r) {
		assert_int_equal(d.status, STATUS_IO);
		assert_true(d.text[0] != '\0');
		/* only the file header and critical kinds can forbid all */
		assert_true(at < sizeof(struct file_header));
		return;
	}
	events = read_all(r);
	if (events > 41)
		fail_msg("byte %zu: %zu events", at, events);
	if (r->damage[0] == '\0' && seen != undamaged)
		fail_msg("byte %zu: damage is not told", at);
	if (events < 41 && r->losses[LOSS_DAMAGED] == 0)
		fail_msg("byte %zu: %zu events, no loss", at, events);
	recording_close(r);
}

TEST(test_packed_every_single_changed_byte_is_noticed)
{
	struct mktrace *t = story();
	size_t bytes, index = 0;
	uint8_t *whole = mktrace_bytes(t, &bytes);
	struct recording *r = mktrace_open(t);
	uint32_t undamaged;

	read_all(r);
	undamaged = seen;
	recording_close(r);

	/* the index is not read: it begins where the last 40 bytes say */
	memcpy(&index, whole + bytes - sizeof(struct index_entry), sizeof(uint64_t));
	assert_true(index < bytes);
	for (size_t at = 0; at < index; at++) {
		for (unsigned flip = 0; flip < 2; flip++) {
			uint8_t old = whole[at];

			whole[at] ^= (uint8_t)(flip == 0 ? 0xff : at % 2 ? 1 : 0x80);
			write_file(whole, bytes);
			check_damaged(at, undamaged);
			whole[at] = old;
		}
	}
	free(whole);
	mktrace_free(t);
}

TEST(test_packed_random_damage_never_crashes)
{
	struct mktrace *t = story();
	size_t bytes;
	uint8_t *whole = mktrace_bytes(t, &bytes), *copy = xmalloc(bytes);
	unsigned seed = 12345;

	for (int round = 0; round < 2000; round++) {
		struct diag d = { 0 };
		struct recording *r;
		size_t length = bytes - (rand_r(&seed) % 3 ? 0 : (size_t)rand_r(&seed) % bytes);

		memcpy(copy, whole, bytes);
		for (int i = rand_r(&seed) % 20; i >= 0; i--) {
			size_t at = (size_t)rand_r(&seed) % bytes;
			size_t n = (size_t)rand_r(&seed) % 9 + 1;

			/* most rounds leave the file header alone: else nothing is read */
			if (at < 64 && round % 8)
				continue;
			for (; n && at < bytes; n--, at++)
				copy[at] = (uint8_t)rand_r(&seed);
		}
		write_file(copy, length);
		r = recording_open(path, &d);
		if (r)
			read_all(r);
		recording_close(r);
	}
	free(copy);
	free(whole);
	mktrace_free(t);
}

/* A valid header around bytes that no writer would write. */
static void append_segment(FILE *f, struct segment_header h, const void *payload, size_t bytes)
{
	h.magic = SEGMENT_MAGIC;
	if (!h.version)
		h.version = FORMAT_VERSION;
	if (!h.header_bytes)
		h.header_bytes = sizeof(h);
	h.checksum = header_checksum(&h);
	fwrite(&h, sizeof(h), 1, f);
	fwrite(payload, 1, bytes, f);
}

static FILE *begin_file(void)
{
	struct file_header h = { .endian = ENDIAN_MARK, .version = FORMAT_VERSION,
				 .header_bytes = sizeof(h), .clock = CLOCK_KIND_MONOTONIC };
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	memcpy(h.magic, FILE_MAGIC, sizeof(h.magic));
	h.checksum = file_header_checksum(&h);
	fwrite(&h, sizeof(h), 1, f);
	return f;
}

TEST(test_packed_impossible_lengths_with_valid_checksums_are_refused)
{
	static const struct segment_header bad[] = {
		{ .kind = SEGMENT_EVENTS, .committed = UINT64_MAX, .stored_bytes = 4 },
		{ .kind = SEGMENT_EVENTS, .committed = 4, .stored_bytes = UINT64_MAX },
		{ .kind = SEGMENT_EVENTS, .committed = 1ull << 40, .stored_bytes = 4,
		  .flags = SEGMENT_ZSTD },
		{ .kind = SEGMENT_META, .committed = 60 << 20, .stored_bytes = 4,
		  .flags = SEGMENT_ZSTD },
		{ .kind = SEGMENT_SYMBOLS, .committed = 1ull << 31, .stored_bytes = 4,
		  .flags = SEGMENT_ZSTD },
		{ .kind = SEGMENT_EVENTS, .committed = 5, .stored_bytes = 4 },
		{ .kind = SEGMENT_EVENTS, .committed = 4, .stored_bytes = 4,
		  .header_bytes = 4096 },
		{ .kind = SEGMENT_EVENTS, .committed = 4, .stored_bytes = 4,
		  .header_bytes = 8 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		FILE *f = begin_file();
		struct diag d = { 0 };
		struct recording *r;

		append_segment(f, bad[i], "abcd", 4);
		fclose(f);
		r = recording_open(path, &d);
		assert_non_null(r);
		assert_int_equal(read_all(r), 0);
		assert_true(r->damage[0] != '\0');
		recording_close(r);
	}
}

TEST(test_packed_unknown_kind_is_skipped_unless_it_is_critical)
{
	struct segment_header future = { .kind = 77, .committed = 4, .stored_bytes = 4 };
	struct diag d = { 0 };
	struct recording *r;
	FILE *f = begin_file();

	append_segment(f, future, "abcd", 4);
	append_segment(f, (struct segment_header){ .kind = SEGMENT_END }, "", 0);
	fclose(f);
	r = recording_open(path, &d);
	assert_non_null(r);
	assert_true(r->complete);
	assert_string_equal(r->damage, "");
	recording_close(r);

	f = begin_file();
	future.flags = SEGMENT_CRITICAL;
	append_segment(f, future, "abcd", 4);
	fclose(f);
	assert_null(recording_open(path, &d));
	assert_non_null(strstr(d.text, "segment kind 77"));
	assert_non_null(strstr(d.text, "newer"));
}

TEST(test_packed_segments_behind_a_damaged_place_are_found)
{
	struct mktrace *t = story();
	struct diag d = { 0 };
	size_t bytes;
	uint8_t *whole = mktrace_bytes(t, &bytes);
	struct recording *r;

	/* the first segment's header */
	memset(whole + 64, 0, 100);
	write_file(whole, bytes);
	r = recording_open(path, &d);
	assert_non_null(r);
	assert_true(read_all(r) > 20);
	assert_true(r->complete);
	assert_non_null(strstr(r->damage, "offset 64"));
	recording_close(r);
	free(whole);
	mktrace_free(t);
}

/* The search reads 4 KiB, then 256 KiB at a time: a header may lie across the edge. */
TEST(test_packed_segment_behind_a_gap_of_any_length_is_found)
{
	static const size_t edges[] = { 136, 4096, 4096 + 256 * 1024 };
	static uint8_t garbage[300 * 1024];

	for (size_t i = 0; i < 3 * 270; i++) {
		size_t gap = edges[i / 270] - 135 + i % 270;
		struct diag d = { 0 };
		struct recording *r;
		FILE *f;

		/* of the largest edge some will do */
		if (i / 270 == 2 && i % 9)
			continue;
		f = begin_file();
		assert_int_equal(fwrite(garbage, 1, gap, f), gap);
		append_segment(f, (struct segment_header){ .kind = SEGMENT_END }, "", 0);
		fclose(f);
		r = recording_open(path, &d);
		assert_non_null(r);
		if (!r->complete || r->damaged_bytes != gap)
			fail_msg("a gap of %zu bytes: %s", gap, r->damage);
		recording_close(r);
	}
}

TEST(test_packed_longer_headers_of_a_later_minor_version_are_read)
{
	struct segment_header h = { .kind = SEGMENT_END, .header_bytes = 136 };
	struct diag d = { 0 };
	struct recording *r;
	FILE *f = begin_file();

	append_segment(f, h, "12345678", 8);
	fclose(f);
	r = recording_open(path, &d);
	assert_non_null(r);
	assert_true(r->complete);
	assert_string_equal(r->damage, "");
	recording_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packed_whole_file_is_complete_and_undamaged),
		cmocka_unit_test(test_packed_cut_at_every_length_is_an_error_or_says_so),
		cmocka_unit_test(test_packed_every_single_changed_byte_is_noticed),
		cmocka_unit_test(test_packed_random_damage_never_crashes),
		cmocka_unit_test(test_packed_impossible_lengths_with_valid_checksums_are_refused),
		cmocka_unit_test(test_packed_unknown_kind_is_skipped_unless_it_is_critical),
		cmocka_unit_test(test_packed_segments_behind_a_damaged_place_are_found),
		cmocka_unit_test(test_packed_segment_behind_a_gap_of_any_length_is_found),
		cmocka_unit_test(test_packed_longer_headers_of_a_later_minor_version_are_read),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
