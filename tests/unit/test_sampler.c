/* Resident memory: what smaps lines are counted as, and how often samples come. */
#include "cli/sampler.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/session_clock.h"
#include "test.h"
#include "trace/recording.h"

#define RING "/dev/shm/allotrope-1.ring"

static const char smaps[] =
	"555555554000-555555556000 r--p 00000000 fe:00 1234       /usr/bin/cat\n"
	"Size:                  8 kB\nRss:                   4 kB\nSwap:                  0 kB\n"
	"VmFlags: rd mr mw me\n"
	"555555560000-555555581000 rw-p 00000000 00:00 0          [heap]\n"
	"Size:                132 kB\nRss:                  20 kB\nSwap:                 12 kB\n"
	"7ffff0000000-7ffff0021000 rw-p 00000000 00:00 0 \n"
	"Rss:                  16 kB\n"
	"7ffff1000000-7ffff1021000 rw-p 00000000 00:00 0          [anon:name of it]\n"
	"Rss:                   8 kB\n"
	"7ffff2000000-7ffff2021000 rw-s 00000000 00:19 5          " RING "\n"
	"Rss:                  64 kB\n"
	"7ffff3000000-7ffff3021000 rw-s 00000000 00:19 6          /dev/shm/other (deleted)\n"
	"Rss:                  32 kB\n"
	"7ffff4000000-7ffff4021000 r-xp 00000000 00:00 0          [vdso]\n"
	"Rss:                   4 kB\n"
	"7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0          [stack]\n"
	"Rss:                  12 kB\n";

TEST(test_sampler_parts_are_told_apart_by_the_names_of_mappings)
{
	struct memory_parts m;

	memory_parts_parse(&m, smaps, RING);
	assert_int_equal(m.file, 4 << 10);
	assert_int_equal(m.heap, 20 << 10);
	assert_int_equal(m.mapped, (16 + 8) << 10);
	assert_int_equal(m.shmem, 32 << 10);
	assert_int_equal(m.other, (64 + 4) << 10);
	assert_int_equal(m.stack, 12 << 10);
	assert_int_equal(m.rss, 160 << 10);
	assert_int_equal(m.swap, 12 << 10);
	assert_int_equal(m.virtual_bytes, 0x2000 + 7 * 0x21000);
}

/* What the program has only because of us: the library with its .bss, and its own mappings. */
TEST(test_sampler_counts_the_library_as_the_recording)
{
	struct memory_parts m;

	memory_parts_parse(&m,
		"7f0000000000-7f0000002000 rw-p 00000000 00:00 0 \nRss: 8 kB\n"
		"7f0000002000-7f0000028000 r-xp 00000000 fe:00 7    /opt/lib/liballotrope.so\nRss: 100 kB\n"
		"7f0000028000-7f0000029000 rw-p 00026000 fe:00 7    /opt/lib/liballotrope.so\nRss: 4 kB\n"
		"7f0000029000-7f0000040000 rw-p 00000000 00:00 0 \nRss: 60 kB\n"
		"7f0000040000-7f0000041000 rw-p 00000000 00:00 0 \nRss: 4 kB\n"
		"7f0000050000-7f0000051000 rw-p 00000000 00:00 0    [anon:allotrope]\nRss: 1 kB\n", RING);
	assert_int_equal(m.mapped, (8 + 4) << 10);
	assert_int_equal(m.file, 0);
	assert_int_equal(m.other, (100 + 4 + 60 + 1) << 10);
}

TEST(test_sampler_parts_of_nonsense_are_zero)
{
	struct memory_parts m;

	memory_parts_parse(&m, "", RING);
	assert_int_equal(m.rss, 0);
	memory_parts_parse(&m, "zzz\nRss: x kB\n1-\n-\nabc\n9-3 r\nRss:", RING);
	assert_int_equal(m.rss, 0);
}

TEST(test_sampler_own_process_is_sampled_with_parts)
{
	const struct ring_options options = { 0 };
	struct file_header head = { 0 };
	char path[] = "/tmp/test_sampler.XXXXXX";
	int fd = mkstemp(path);
	struct session_file s;
	struct diag d = { 0 };
	struct packed_writer *w;
	struct family *f = family_new();
	struct recording *r;
	struct sampler *sm;
	struct pack *p;
	uint64_t start;
	char letter;

	assert_int_equal(session_file_create(&s, "/tmp", 1 << 20, &options, &d), 0);
	head.clock = s.fixed.clock;
	head.stamp_shift = s.fixed.stamp_shift;
	head.start_stamp = s.fixed.start_stamp;
	w = packed_writer_open(fd, &head);
	p = pack_new(w, 1 << 20);
	assert_true(process_stat(getpid(), &letter, &start));
	family_add(f, 1, getpid(), start);
	sm = sampler_new(&s, f, p, 0);
	assert_true(sampler_tick(sm) <= 50000000);
	usleep(150000);
	sampler_tick(sm);
	assert_true(sampler_peak(sm) > 100000);
	pack_stop(p);
	assert_int_equal(packed_writer_finish(w), 0);
	r = recording_open(path, &d);
	assert_non_null(r);
	assert_true(r->sample_count >= 2);
	assert_int_equal(r->samples[0].pid, getpid());
	assert_false(r->samples[0].has_parts);
	assert_true(r->samples[1].has_parts);
	assert_true(r->samples[1].heap + r->samples[1].mapped > 0);
	assert_int_equal(r->samples[1].rss, r->samples[1].heap + r->samples[1].mapped +
			 r->samples[1].stack + r->samples[1].file + r->samples[1].shmem +
			 r->samples[1].other);
	recording_close(r);
	sampler_free(sm);
	pack_free(p);
	packed_writer_close(w);
	family_free(f);
	session_file_remove(&s);
	session_file_close(&s);
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sampler_parts_are_told_apart_by_the_names_of_mappings),
		cmocka_unit_test(test_sampler_counts_the_library_as_the_recording),
		cmocka_unit_test(test_sampler_parts_of_nonsense_are_zero),
		cmocka_unit_test(test_sampler_own_process_is_sampled_with_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
