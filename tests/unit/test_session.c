/*
 * test_session.c - making and joining a ring by the environment. Each case runs in
 * a child of its own: a process opens one session in its life.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring_layout.h"
#include "session.h"
#include "test.h"

static char folder[] = "/tmp/allotrope-session-XXXXXX";
static char path[256];

/* What a case found out in its child. */
struct answer {
	bool opened;
	uint32_t image;
	uint32_t slot_count;
	uint64_t meta_mapped;
	int first_free_descriptor;
	char ring_path[256];
	char exported[256];
};

struct question {
	char *env[8];
	rlim_t address_space; /* 0: as it is */
	rlim_t file_size;     /* 0: as it is */
};

static void limit(int resource, rlim_t value)
{
	struct rlimit r = { value, value };

	if (value)
		setrlimit(resource, &r);
}

static void answer_in_child(const struct question *q, int out)
{
	struct answer a = { 0 };
	int null;

	limit(RLIMIT_AS, q->address_space);
	limit(RLIMIT_FSIZE, q->file_size);
	clearenv();
	a.opened = session_open(q->env);
	a.image = session.image;
	a.slot_count = session.slot_count;
	a.meta_mapped = session.meta_mapped;
	snprintf(a.ring_path, sizeof(a.ring_path), "%s", session_ring_path());
	null = open("/dev/null", O_RDONLY);
	a.first_free_descriptor = null;
	environ = (char *[]){ "HOME=/", NULL };
	session_export();
	snprintf(a.exported, sizeof(a.exported), "%s", getenv(ENV_RING) ? getenv(ENV_RING) : "");
	if (a.opened) {
		session_resume();
		a.opened = *session_live && !session_is_forked();
		/* a child of a child knows that it is one */
		if (fork() == 0)
			_exit(session_is_forked() && session_adopt_fork() ? 0 : 1);
		wait(&null);
		a.opened = a.opened && WIFEXITED(null) && WEXITSTATUS(null) == 0;
	}
	_exit(write(out, &a, sizeof(a)) == sizeof(a) ? 0 : 1);
}

static struct answer ask(const struct question *q)
{
	struct answer a = { 0 };
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0)
		answer_in_child(q, fds[1]);
	close(fds[1]);
	assert_int_equal(read(fds[0], &a, sizeof(a)), sizeof(a));
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return a;
}

static char *format(const char *name, const char *value)
{
	static char texts[4][600];
	static unsigned next;
	char *text = texts[next++ % 4];

	snprintf(text, sizeof(texts[0]), "%s=%s", name, value);
	return text;
}

/* A ring as `record` makes it, in PATH. */
static struct ring_header ring_file(const char *name, enum follow_mode follow)
{
	struct ring_header h;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	ring_layout_fill(&h, 16, 16 + RING_EXTRA_SLOTS, 1 << 20);
	ring_layout_clock(&h, false);
	h.options.follow = (uint8_t)follow;
	fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)h.ring_bytes), 0);
	assert_int_equal(pwrite(fd, &h, sizeof(h), 0), sizeof(h));
	close(fd);
	return h;
}

static void header_change(const struct ring_header *h)
{
	int fd = open(path, O_WRONLY);

	assert_int_equal(pwrite(fd, h, sizeof(*h), 0), sizeof(*h));
	close(fd);
}

TEST(test_session_bare_run_makes_a_private_ring_and_tells_its_children)
{
	struct question q = { .env = { format("ALLOTROPE_OUT", folder), "ALLOTROPE_SIZE=2M" } };
	struct ring_header h;
	struct answer a;
	struct stat info;
	char name[256];
	int fd;

	snprintf(name, sizeof(name), "%s/bare.%%p", folder);
	q.env[0] = format("ALLOTROPE_OUT", name);
	a = ask(&q);
	assert_true(a.opened);
	assert_int_equal(a.image, 1);
	assert_int_equal(a.slot_count, 32);
	assert_string_equal(a.exported, a.ring_path);
	assert_null(strchr(a.ring_path, '%'));
	assert_int_equal(stat(a.ring_path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	fd = open(a.ring_path, O_RDONLY);
	assert_int_equal(read(fd, &h, sizeof(h)), sizeof(h));
	close(fd);
	assert_true(ring_layout_valid(&h, (uint64_t)info.st_size));
	assert_int_equal(h.options.bare, 1);
	assert_int_equal(h.next_image, 2); /* itself and its child */
	assert_true(h.wall_ns > 0);
	unlink(a.ring_path);
}

TEST(test_session_bare_run_never_writes_over_a_file)
{
	struct question q = { .env = { NULL, "ALLOTROPE_SIZE=1M" } };
	struct answer a;
	char name[256], expected[300];
	int fd;

	snprintf(name, sizeof(name), "%s/taken", folder);
	fd = open(name, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, "precious", 8), 8);
	close(fd);
	q.env[0] = format("ALLOTROPE_OUT", name);
	a = ask(&q);
	assert_true(a.opened);
	snprintf(expected, sizeof(expected), "%s.1", name);
	assert_string_equal(a.ring_path, expected);
	unlink(a.ring_path);
	unlink(name);
}

TEST(test_session_ring_of_a_recorder_is_joined_without_a_descriptor)
{
	struct ring_header h = ring_file("ring", FOLLOW_TREE);
	struct question q = { .env = { format(ENV_RING, path) } };
	int expected = open("/dev/null", O_RDONLY) + 1;
	struct answer a = ask(&q);

	assert_true(a.opened);
	assert_int_equal(a.image, 1);
	assert_int_equal(a.slot_count, h.slot_count);
	/* the pipe's writing end is the only one more */
	assert_true(a.first_free_descriptor <= expected + 2);
	assert_string_equal(a.exported, "");
	close(expected - 1);
	unlink(path);
}

TEST(test_session_unusable_ring_means_no_recording_and_no_bare_run)
{
	struct ring_header good = ring_file("bad", FOLLOW_TREE), bad;
	struct question q = { .env = { format(ENV_RING, path) } };
	char target[sizeof(path)];

	bad = good;
	bad.version++;
	header_change(&bad);
	assert_false(ask(&q).opened);
	bad = good;
	bad.slot_count *= 2;
	header_change(&bad);
	assert_false(ask(&q).opened);
	bad = good;
	bad.stopping = 1;
	header_change(&bad);
	assert_false(ask(&q).opened);
	header_change(&good);
	assert_true(ask(&q).opened);
	assert_int_equal(truncate(path, 100), 0);
	assert_false(ask(&q).opened);
	snprintf(target, sizeof(target), "%s/link-target", folder);
	assert_int_equal(rename(path, target), 0);
	assert_int_equal(symlink(target, path), 0);
	assert_false(ask(&q).opened);
	unlink(path);
	unlink(target);
	assert_false(ask(&q).opened);
	q.env[0] = format(ENV_RING, folder);
	assert_false(ask(&q).opened);
	q.env[0] = format(ENV_RING, "/dev/zero");
	assert_false(ask(&q).opened);
}

TEST(test_session_follow_no_records_the_first_process_only)
{
	struct ring_header h = ring_file("alone", FOLLOW_NO);
	struct question q = { .env = { format(ENV_RING, path) } };

	h.root_pid = (uint32_t)getpid();
	header_change(&h);
	assert_false(ask(&q).opened);
	unlink(path);
}

/* AddressSanitizer has terabytes mapped already: no limit leaves room there. */
TEST(test_session_limited_address_space_gets_a_smaller_mapping)
{
#ifndef __SANITIZE_ADDRESS__
	struct ring_header h = ring_file("limited", FOLLOW_TREE);
	struct question q = { .env = { format(ENV_RING, path) }, .address_space = 512u << 20 };
	struct answer a = ask(&q);

	assert_true(a.opened);
	assert_true(a.slot_count < h.slot_count);
	assert_true((uint64_t)a.slot_count * h.slot_bytes <= (512u << 20) / 32);
	assert_true(a.slot_count >= 16);
	unlink(path);
#endif
}

TEST(test_session_limited_file_size_makes_a_smaller_ring_or_none)
{
	char name[256];
	struct question q = { .file_size = 512u << 20 };
	struct answer a;
	struct stat info;

	snprintf(name, sizeof(name), "%s/fsize", folder);
	q.env[0] = format("ALLOTROPE_OUT", name);
	a = ask(&q);
	assert_true(a.opened);
	assert_int_equal(stat(name, &info), 0);
	assert_true(info.st_size <= 512 << 20);
	unlink(name);
	q.file_size = 1 << 20;
	assert_false(ask(&q).opened);
	assert_int_not_equal(access(name, F_OK), 0);
}

static int folder_make(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session_bare_run_makes_a_private_ring_and_tells_its_children),
		cmocka_unit_test(test_session_bare_run_never_writes_over_a_file),
		cmocka_unit_test(test_session_ring_of_a_recorder_is_joined_without_a_descriptor),
		cmocka_unit_test(test_session_unusable_ring_means_no_recording_and_no_bare_run),
		cmocka_unit_test(test_session_follow_no_records_the_first_process_only),
		cmocka_unit_test(test_session_limited_address_space_gets_a_smaller_mapping),
		cmocka_unit_test(test_session_limited_file_size_makes_a_smaller_ring_or_none),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
