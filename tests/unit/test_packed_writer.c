/*
 * test_packed_writer.c - the writing side of allotrope.data: what is in the file
 * after each step, byte by byte where it matters.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "fixture/mktrace.h"
#include "record_codec.h"
#include "test.h"
#include "trace/meta_fields.h"
#include "trace/packed_writer.h"
#include "version.h"

static const struct file_header head = {
	.clock = CLOCK_KIND_TSC, .stamp_shift = 4, .start_stamp = 100, .wall_ns = 5,
};

static int new_file(void)
{
	int fd = memfd_create("packed", 0);

	assert_true(fd >= 0);
	return fd;
}

static uint64_t bytes_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return (uint64_t)st.st_size;
}

static void read_at(int fd, uint64_t at, void *p, size_t n)
{
	assert_int_equal(pread(fd, p, n, (off_t)at), (ssize_t)n);
}

static struct segment_header events(uint32_t sequence, size_t bytes)
{
	return (struct segment_header){
		.kind = SEGMENT_EVENTS, .image = 1, .pid = 10, .tid = 10,
		.sequence = sequence, .thread = 1, .first_stamp = 100,
		.last_stamp = 200 + sequence, .committed = bytes,
	};
}

TEST(test_packed_writer_header_identifies_the_file)
{
	int fd = new_file();
	struct packed_writer *w = packed_writer_open(fd, &head);
	struct file_header h;

	assert_non_null(w);
	assert_int_equal(packed_writer_bytes(w), sizeof(h));
	read_at(fd, 0, &h, sizeof(h));
	assert_memory_equal(h.magic, "ALLOTRP\n", 8);
	assert_int_equal(h.endian, ENDIAN_MARK);
	assert_int_equal(h.version, FORMAT_VERSION);
	assert_int_equal(h.header_bytes, sizeof(h));
	assert_int_equal(h.stamp_shift, 4);
	assert_int_equal(h.start_stamp, 100);
	assert_int_equal(h.checksum, file_header_checksum(&h));
	packed_writer_close(w);
	close(fd);
}

TEST(test_packed_writer_segment_is_header_and_zstd_frame_with_checksum)
{
	int fd = new_file();
	struct packed_writer *w = packed_writer_open(fd, &head);
	uint8_t payload[5000], packed[6000], out[5000];
	struct segment_header h = events(0, sizeof(payload)), stored;
	int64_t grown;

	memset(payload, 'x', sizeof(payload));
	grown = packed_writer_segment(w, &h, payload, 3);
	assert_true(grown > (int64_t)sizeof(h) && grown < 1000);
	assert_int_equal(bytes_of(fd), 64 + (uint64_t)grown);
	read_at(fd, 64, &stored, sizeof(stored));
	assert_int_equal(stored.checksum, header_checksum(&stored));
	assert_int_equal(stored.stored_bytes, (uint64_t)grown - sizeof(h));
	assert_int_equal(stored.flags, SEGMENT_ZSTD | SEGMENT_CRITICAL);
	read_at(fd, 64 + sizeof(h), packed, stored.stored_bytes);
	assert_int_equal(ZSTD_decompress(out, sizeof(out), packed, stored.stored_bytes),
			 sizeof(out));
	assert_memory_equal(out, payload, sizeof(out));
	/* the frame's last byte is of its checksum */
	packed[stored.stored_bytes - 1] ^= 1;
	assert_true(ZSTD_isError(ZSTD_decompress(out, sizeof(out), packed,
						 stored.stored_bytes)));
	packed_writer_close(w);
	close(fd);
}

TEST(test_packed_writer_level_zero_stores_the_bytes)
{
	int fd = new_file();
	struct packed_writer *w = packed_writer_open(fd, &head);
	struct segment_header h = events(0, 5), stored;
	char back[5];

	assert_int_equal(packed_writer_segment(w, &h, "hello", 0), sizeof(h) + 5);
	read_at(fd, 64, &stored, sizeof(stored));
	assert_int_equal(stored.flags, SEGMENT_CRITICAL);
	read_at(fd, 64 + sizeof(h), back, 5);
	assert_memory_equal(back, "hello", 5);
	packed_writer_close(w);
	close(fd);
}

TEST(test_packed_writer_segment_without_last_stamp_gets_that_of_its_last_record)
{
	int fd = new_file();
	struct packed_writer *w = packed_writer_open(fd, &head);
	struct segment_header h = events(0, 0), stored;
	struct codec_base base = { .stamp = h.first_stamp };
	uint8_t payload[64], *p = payload;

	for (int i = 1; i <= 3; i++) {
		p = put_head(p, &base, EVENT_TIMING, h.first_stamp + (uint64_t)i * 1000);
		p = varint_put(p, 1);
	}
	h.committed = (uint64_t)(p - payload);
	h.last_stamp = 0;
	packed_writer_segment(w, &h, payload, 1);
	read_at(fd, 64, &stored, sizeof(stored));
	assert_int_equal(stored.last_stamp, h.first_stamp + 3000);
	packed_writer_close(w);
	close(fd);
}

TEST(test_packed_writer_index_lists_all_segments_and_itself_last)
{
	int fd = new_file();
	struct packed_writer *w = packed_writer_open(fd, &head);
	struct segment_header h;
	struct index_entry rows[5];
	uint64_t at;

	for (uint32_t i = 0; i < 2; i++) {
		h = events(i, 1);
		packed_writer_segment(w, &h, "x", 0);
	}
	packed_writer_meta(w, META_NOTE, "\1\2\3abc", 6);
	assert_int_equal(packed_writer_finish(w), 0);
	assert_int_equal(bytes_of(fd), packed_writer_bytes(w));
	read_at(fd, bytes_of(fd) - sizeof(rows), rows, sizeof(rows));
	assert_int_equal(rows[0].kind, SEGMENT_EVENTS);
	assert_int_equal(rows[1].sequence, 1);
	assert_int_equal(rows[2].kind, SEGMENT_META);
	assert_int_equal(rows[3].kind, SEGMENT_END);
	assert_int_equal(rows[4].kind, SEGMENT_INDEX);
	for (int i = 0; i < 5; i++) {
		at = rows[i].offset;
		read_at(fd, at, &h, sizeof(h));
		assert_int_equal(h.magic, SEGMENT_MAGIC);
		assert_int_equal(h.kind, rows[i].kind);
		assert_int_equal(h.checksum, header_checksum(&h));
	}
	assert_int_equal(at + sizeof(h) + sizeof(rows), bytes_of(fd));
	packed_writer_close(w);
	close(fd);
}

TEST(test_packed_writer_segments_after_finish_take_the_place_of_the_index)
{
	int fd = new_file();
	struct packed_writer *w = packed_writer_open(fd, &head);
	struct segment_header h = events(0, 1), symbols = { .kind = SEGMENT_SYMBOLS, .committed = 3 };
	struct index_entry last;
	uint64_t finished;

	packed_writer_segment(w, &h, "x", 0);
	packed_writer_finish(w);
	finished = bytes_of(fd);
	assert_true(packed_writer_segment(w, &symbols, "sym", 0) > 0);
	assert_true(bytes_of(fd) < finished + sizeof(h) + 3);
	assert_int_equal(packed_writer_finish(w), 0);
	assert_int_equal(packed_writer_finish(w), 0);
	/* header, events, END once, symbols, index of four rows */
	assert_int_equal(bytes_of(fd), 64 + (128 + 1) + 128 + (128 + 3) + 128 + 4 * 40);
	read_at(fd, bytes_of(fd) - sizeof(last), &last, sizeof(last));
	assert_int_equal(last.offset, 64 + (128 + 1) + 128 + (128 + 3));
	packed_writer_close(w);
	close(fd);
}

TEST(test_packed_writer_metadata_is_gathered_until_flushed)
{
	int fd = new_file();
	struct packed_writer *w = packed_writer_open(fd, &head);
	struct meta_fields f = { 0 };
	uint64_t written;

	meta_fields_number(&f, 1);
	meta_fields_signed(&f, -5);
	meta_fields_text(&f, "a note");
	assert_int_equal(packed_writer_meta(w, META_NOTE, f.bytes, f.count), 0);
	assert_int_equal(bytes_of(fd), 64);
	assert_int_equal(packed_writer_flush(w), 0);
	written = bytes_of(fd);
	assert_true(written > 64);
	/* nothing gathered, nothing written */
	assert_int_equal(packed_writer_flush(w), 0);
	assert_int_equal(bytes_of(fd), written);
	meta_fields_release(&f);
	packed_writer_close(w);
	close(fd);
}

TEST(test_packed_writer_much_metadata_is_written_by_itself)
{
	int fd = new_file();
	struct packed_writer *w = packed_writer_open(fd, &head);
	char record[1000];

	memset(record, 7, sizeof(record));
	for (int i = 0; i < 200; i++)
		assert_int_equal(packed_writer_meta(w, META_NOTE, record, sizeof(record)), 0);
	assert_true(bytes_of(fd) > 64);
	packed_writer_close(w);
	close(fd);
}

TEST(test_packed_writer_no_room_takes_back_the_part_that_was_written)
{
	struct rlimit old, small;
	char path[] = "/tmp/packed.XXXXXX";
	int fd = mkstemp(path);
	struct packed_writer *w;
	struct segment_header h = events(0, 4096), small_one = events(1, 1);
	char payload[4096];

	assert_true(fd >= 0);
	unlink(path);
	memset(payload, 'p', sizeof(payload));
	w = packed_writer_open(fd, &head);
	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	small.rlim_cur = 2000;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	errno = 0;
	assert_int_equal(packed_writer_segment(w, &h, payload, 0), -1);
	assert_int_equal(errno, EFBIG);
	assert_int_equal(bytes_of(fd), 64);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(packed_writer_segment(w, &small_one, "x", 0), 129);
	assert_int_equal(packed_writer_finish(w), 0);
	packed_writer_close(w);
	close(fd);
}

TEST(test_packed_writer_descriptor_that_cannot_be_written_is_refused)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	errno = 0;
	assert_null(packed_writer_open(fds[1], &head));
	assert_int_not_equal(errno, 0);
	close(fds[0]);
	close(fds[1]);
	packed_writer_close(NULL);
}

/* The bytes of all lines "    OFFSET: HEX ..." of docs/format.md. */
static size_t documented(uint8_t *bytes, size_t room)
{
	FILE *f = fopen("docs/format.md", "r");
	char line[256];
	size_t used = 0;

	if (!f)
		SKIP("docs/format.md is not here: run this in the top folder");
	while (fgets(line, sizeof(line), f)) {
		unsigned offset;
		int at = 0, n;

		if (sscanf(line, "    %8x:%n", &offset, &at) != 1 || at != 13)
			continue;
		assert_int_equal(offset, used);
		for (unsigned byte; sscanf(line + at, "%2x%n", &byte, &n) == 1; at += n) {
			assert_true(used < room);
			bytes[used++] = (uint8_t)byte;
		}
	}
	fclose(f);
	return used;
}

TEST(test_packed_writer_writes_the_example_of_the_format_document)
{
	const struct file_header first = { .clock = CLOCK_KIND_TSC, .stamp_shift = 4,
					   .start_stamp = 1000,
					   .wall_ns = 0x18a0000000000000 };
	struct segment_header h = { .kind = SEGMENT_EVENTS, .image = 1, .pid = 100,
				    .tid = 100, .thread = 1, .first_stamp = 1100,
				    .last_stamp = 1149, .events = 2 };
	struct codec_base base = { .stamp = 1100 };
	const uint64_t addr = 0x55d0c0a2a2a0;
	uint8_t payload[64], *p = payload, text[2048], file[2048];
	int fd = new_file();
	struct packed_writer *w = packed_writer_open(fd, &first);
	size_t bytes;

	p = put_head(p, &base, EVENT_ALLOC | TAG_STACK | addr_flag(&base, addr), 1103);
	p = put_stack_head(p, 0, 2);
	p = put_frame_native(p, &base, 0x401136);
	p = put_frame_native(p, &base, 0x401152);
	p = varint_put(p, 32);
	p = put_addr(p, &base, addr);
	p = put_head(p, &base, EVENT_FREE | addr_flag(&base, addr), 1149);
	p = put_addr(p, &base, addr);
	h.committed = (uint64_t)(p - payload);
	packed_writer_segment(w, &h, payload, 0);
	packed_writer_finish(w);
	bytes = documented(text, sizeof(text));
	assert_int_equal(bytes, bytes_of(fd));
	read_at(fd, 0, file, bytes);
	assert_memory_equal(file, text, bytes);
	packed_writer_close(w);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packed_writer_header_identifies_the_file),
		cmocka_unit_test(test_packed_writer_segment_is_header_and_zstd_frame_with_checksum),
		cmocka_unit_test(test_packed_writer_level_zero_stores_the_bytes),
		cmocka_unit_test(test_packed_writer_segment_without_last_stamp_gets_that_of_its_last_record),
		cmocka_unit_test(test_packed_writer_index_lists_all_segments_and_itself_last),
		cmocka_unit_test(test_packed_writer_segments_after_finish_take_the_place_of_the_index),
		cmocka_unit_test(test_packed_writer_metadata_is_gathered_until_flushed),
		cmocka_unit_test(test_packed_writer_much_metadata_is_written_by_itself),
		cmocka_unit_test(test_packed_writer_no_room_takes_back_the_part_that_was_written),
		cmocka_unit_test(test_packed_writer_descriptor_that_cannot_be_written_is_refused),
		cmocka_unit_test(test_packed_writer_writes_the_example_of_the_format_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
