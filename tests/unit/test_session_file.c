/* The ring as a file: made, found again, refused. */
#include "cli/session_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ring_layout.h"
#include "test.h"

static const struct ring_options options = { .depth = 99, .when_full = WHEN_FULL_DROP };

TEST(test_session_file_create_makes_a_private_sparse_ring_with_the_options)
{
	struct session_file s;
	struct diag d = { 0 };
	struct stat st;

	assert_int_equal(session_file_create(&s, "/tmp", 4 << 20, &options, &d), 0);
	assert_int_equal(stat(s.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, s.ring->ring_bytes);
	assert_true((uint64_t)st.st_blocks * 512 < 1 << 20);
	assert_true(ring_layout_valid(s.ring, (uint64_t)st.st_size));
	assert_int_equal(s.ring->soft_slots, 64);
	assert_int_equal(s.ring->options.depth, 99);
	assert_int_equal(s.ring->recorder_pid, getpid());
	assert_true(s.ring->heartbeat_ns > 0);
	assert_true(s.ring->start_stamp > 0);
	assert_true(fcntl(s.fd, F_GETFD) & FD_CLOEXEC);
	session_file_remove(&s);
	assert_int_equal(access(s.path, F_OK), -1);
	session_file_close(&s);
}

TEST(test_session_file_two_rings_have_different_names)
{
	struct session_file a, b;
	struct diag d = { 0 };

	assert_int_equal(session_file_create(&a, "/tmp", 1 << 20, &options, &d), 0);
	assert_int_equal(session_file_create(&b, "/tmp", 1 << 20, &options, &d), 0);
	assert_string_not_equal(a.path, b.path);
	session_file_remove(&a);
	session_file_remove(&b);
	session_file_close(&a);
	session_file_close(&b);
}

TEST(test_session_file_open_sees_what_the_maker_writes)
{
	struct session_file a, b;
	struct diag d = { 0 };
	struct meta_header *h;

	assert_int_equal(session_file_create(&a, "/tmp", 1 << 20, &options, &d), 0);
	assert_int_equal(session_file_open(&b, a.path, &d), 0);
	assert_int_equal(session_file_append(&b, META_NOTE, "abcde", 5), 0);
	assert_int_equal(a.ring->meta_tail, META_SPAN(5));
	h = (struct meta_header *)a.meta;
	assert_int_equal(h->magic, META_MAGIC);
	assert_int_equal(h->kind, META_NOTE);
	assert_int_equal(h->checksum, meta_checksum(META_NOTE, 5, (const uint8_t *)"abcde"));
	session_file_remove(&a);
	session_file_close(&b);
	session_file_close(&a);
}

TEST(test_session_file_append_to_a_full_area_fails_and_is_counted)
{
	struct session_file s;
	struct diag d = { 0 };

	assert_int_equal(session_file_create(&s, "/tmp", 1 << 20, &options, &d), 0);
	s.ring->meta_tail = s.fixed.meta_bytes - 8;
	assert_int_equal(session_file_append(&s, META_NOTE, "abcde", 5), -1);
	assert_int_equal(s.ring->losses[LOSS_META_FULL], 1);
	session_file_remove(&s);
	session_file_close(&s);
}

static void write_file(const char *path, const void *bytes, size_t count)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, count), count);
	close(fd);
}

TEST(test_session_file_open_refuses_what_is_no_ring)
{
	char path[] = "/tmp/test_session_file.XXXXXX";
	struct ring_header h;
	struct session_file s;
	struct diag d = { 0 };

	close(mkstemp(path));
	assert_int_equal(session_file_open(&s, path, &d), -1);
	assert_int_equal(d.status, STATUS_IO);
	assert_int_equal(session_file_open(&s, "/tmp", &d), -1);
	assert_int_equal(session_file_open(&s, "/nonexistent", &d), -1);
	ring_layout_fill(&h, 16, 32, 1 << 20);
	ring_layout_clock(&h, false);
	/* the header is right, but the file is shorter than it says */
	write_file(path, &h, sizeof(h));
	assert_int_equal(session_file_open(&s, path, &d), -1);
	unlink(path);
}

TEST(test_session_file_open_follows_no_link)
{
	char name[] = "/tmp/test_session_file.XXXXXX";
	struct session_file s, again;
	struct diag d = { 0 };

	close(mkstemp(name));
	unlink(name);
	assert_int_equal(session_file_create(&s, "/tmp", 1 << 20, &options, &d), 0);
	assert_int_equal(session_file_open(&again, s.path, &d), 0);
	session_file_close(&again);
	assert_int_equal(symlink(s.path, name), 0);
	assert_int_equal(session_file_open(&again, name, &d), -1);
	assert_int_equal(d.status, STATUS_IO);
	unlink(name);
	session_file_remove(&s);
	session_file_close(&s);
}

TEST(test_session_file_limit_on_file_size_makes_a_smaller_ring)
{
	struct rlimit old, small;
	struct session_file s;
	struct diag d = { 0 };

	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	small.rlim_cur = 100 << 20;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(session_file_create(&s, "/tmp", 1 << 20, &options, &d), 0);
	assert_true(s.bytes <= 100 << 20);
	setrlimit(RLIMIT_FSIZE, &old);
	session_file_remove(&s);
	session_file_close(&s);
}

TEST(test_session_file_punch_gives_back_whole_pages_only)
{
	struct session_file s;
	struct diag d = { 0 };

	assert_int_equal(session_file_create(&s, "/tmp", 1 << 20, &options, &d), 0);
	memset(s.meta, 7, 3 * 4096);
	session_file_punch(&s, 100, 2 * 4096 + 5);
	assert_int_equal(s.meta[4095], 7);
	assert_int_equal(s.meta[4096], 0);
	assert_int_equal(s.meta[2 * 4096], 7);
	session_file_remove(&s);
	session_file_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session_file_create_makes_a_private_sparse_ring_with_the_options),
		cmocka_unit_test(test_session_file_two_rings_have_different_names),
		cmocka_unit_test(test_session_file_open_sees_what_the_maker_writes),
		cmocka_unit_test(test_session_file_append_to_a_full_area_fails_and_is_counted),
		cmocka_unit_test(test_session_file_open_refuses_what_is_no_ring),
		cmocka_unit_test(test_session_file_open_follows_no_link),
		cmocka_unit_test(test_session_file_limit_on_file_size_makes_a_smaller_ring),
		cmocka_unit_test(test_session_file_punch_gives_back_whole_pages_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
