/*
 * test_memory_sample.c - adding up smaps: a written one, and this process's own.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory_sample.h"
#include "test.h"

static const char smaps[] =
	"55d0c0a00000-55d0c0a21000 rw-p 00000000 00:00 0                          [heap]\n"
	"Size:                132 kB\n"
	"Rss:                  20 kB\n"
	"Swap:                  4 kB\n"
	"7f0000000000-7f0000100000 rw-p 00000000 00:00 0 \n"
	"Size:               1024 kB\n"
	"Rss:                 512 kB\n"
	"7f0000200000-7f0000201000 r-xp 00000000 fd:00 1234                       /usr/lib/a b.so\n"
	"Rss:                   4 kB\n"
	"7f0000300000-7f0000301000 rw-s 00000000 00:01 99                         /memfd:x (deleted)\n"
	"Rss:                   8 kB\n"
	"7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                          [stack]\n"
	"Rss:                  16 kB\n"
	"7ffc00100000-7ffc00102000 r-xp 00000000 00:00 0                          [vdso]\n"
	"Rss:                  12 kB\n"
	"VmFlags: rd ex mr mw me de\n";

TEST(test_memory_sample_adds_each_mapping_to_its_kind)
{
	struct memory_sample m;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], smaps, sizeof(smaps) - 1), sizeof(smaps) - 1);
	close(fds[1]);
	memory_sample_read(&m, fds[0], NULL);
	close(fds[0]);
	assert_int_equal(m.heap, 20 * 1024);
	assert_int_equal(m.mapped, 512 * 1024);
	assert_int_equal(m.file, 4 * 1024);
	assert_int_equal(m.shmem, 8 * 1024);
	assert_int_equal(m.stack, 16 * 1024);
	assert_int_equal(m.other, 12 * 1024);
	assert_int_equal(m.rss, 572 * 1024);
	assert_int_equal(m.virtual_bytes, 1156 * 1024);
	assert_int_equal(m.swap, 4 * 1024);
}

TEST(test_memory_sample_of_this_process_sees_touched_memory_as_mapped)
{
	size_t bytes = 8u << 20;
	struct memory_sample before, after;
	char *p;
	int fd = open("/proc/self/smaps", O_RDONLY);

	memory_sample_read(&before, fd, NULL);
	close(fd);
	p = (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 1, bytes);
	fd = open("/proc/self/smaps", O_RDONLY);
	memory_sample_read(&after, fd, NULL);
	close(fd);
	munmap(p, bytes);
	assert_in_range(after.mapped - before.mapped, bytes, bytes + (1u << 20));
	assert_int_equal(after.rss, after.heap + after.mapped + after.stack + after.file +
				    after.shmem + after.other);
}

TEST(test_memory_sample_text_that_is_no_smaps_adds_nothing)
{
	static char noise[40000];
	struct memory_sample m;
	int fds[2];

	memset(noise, 'x', sizeof(noise));
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], noise, sizeof(noise)), sizeof(noise));
	close(fds[1]);
	memory_sample_read(&m, fds[0], NULL);
	close(fds[0]);
	assert_int_equal(m.rss, 0);
	assert_int_equal(m.virtual_bytes, 0);
}

TEST(test_memory_sample_totals_are_in_bytes)
{
	struct memory_sample m;

	memory_sample_totals(&m, "1000 250 30 4 0 5 0\n");
	assert_int_equal(m.virtual_bytes, 1000 * sysconf(_SC_PAGESIZE));
	assert_int_equal(m.rss, 250 * sysconf(_SC_PAGESIZE));
	memory_sample_totals(&m, "");
	assert_int_equal(m.rss, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_sample_adds_each_mapping_to_its_kind),
		cmocka_unit_test(test_memory_sample_of_this_process_sees_touched_memory_as_mapped),
		cmocka_unit_test(test_memory_sample_text_that_is_no_smaps_adds_nothing),
		cmocka_unit_test(test_memory_sample_totals_are_in_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
