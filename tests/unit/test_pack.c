/* The packer: what it counts, what it writes, and what it does when it cannot write. */
#include "cli/pack.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record_codec.h"
#include "test.h"
#include "trace/meta_fields.h"
#include "trace/recording.h"

struct scene {
	char path[64];
	int fd;
	struct packed_writer *w;
	struct pack *p;
};

static void scene_open(struct scene *sc, uint64_t backlog)
{
	struct file_header head = { .clock = CLOCK_KIND_MONOTONIC };

	strcpy(sc->path, "/tmp/test_pack.XXXXXX");
	sc->fd = mkstemp(sc->path);
	assert_true(sc->fd >= 0);
	sc->w = packed_writer_open(sc->fd, &head);
	assert_non_null(sc->w);
	sc->p = pack_new(sc->w, backlog);
}

static void scene_close(struct scene *sc)
{
	pack_free(sc->p);
	packed_writer_close(sc->w);
	close(sc->fd);
	unlink(sc->path);
}

struct segment {
	struct segment_header header;
	uint8_t bytes[60000];
	uint8_t *end;
};

/* PAIRS of malloc and free, each malloc with a call stack of one frame. */
static void segment_fill(struct segment *s, uint32_t sequence, unsigned pairs)
{
	struct codec_base base = { .stamp = 1000 };
	uint8_t *p = s->bytes;

	s->header = (struct segment_header){
		.magic = SEGMENT_MAGIC, .version = 1, .header_bytes = sizeof(s->header),
		.kind = SEGMENT_EVENTS, .image = 3, .stream = 1, .sequence = sequence,
		.first_stamp = 1000,
	};
	for (unsigned i = 0; i < pairs; i++) {
		p = put_head(p, &base, EVENT_ALLOC | TAG_STACK | TAG_ADDR16, 1000 + 2 * i);
		p = put_stack_head(p, i ? 1 : 0, 1);
		p = put_frame_native(p, &base, 0x400000 + i % 7);
		p = varint_put(p, 32);
		p = put_addr(p, &base, 0x10000 + 48 * (uint64_t)rand());
		p = put_head(p, &base, EVENT_FREE, 1001 + 2 * i);
		p = put_addr(p, &base, 0x10000);
	}
	s->end = p;
}

TEST(test_pack_counts_calls_events_and_distinct_frames)
{
	static struct segment s;
	struct scene sc;
	struct pack_totals t;

	scene_open(&sc, 1 << 20);
	segment_fill(&s, 0, 100);
	pack_events(sc.p, &s.header, s.bytes, (uint64_t)(s.end - s.bytes));
	pack_stop(sc.p);
	t = pack_totals(sc.p);
	assert_int_equal(t.calls, 200);
	assert_int_equal(t.events, 200);
	assert_int_equal(t.segments, 1);
	assert_int_equal(t.raw_bytes, s.end - s.bytes);
	assert_int_equal(t.error, 0);
	assert_int_equal(pack_frames(sc.p)->count, 7);
	scene_close(&sc);
}

TEST(test_pack_partial_segment_gets_the_stamp_of_its_last_record)
{
	static struct segment s;
	struct scene sc;
	struct recording *r;
	struct diag d = { 0 };

	scene_open(&sc, 1 << 20);
	segment_fill(&s, 0, 10);
	pack_events(sc.p, &s.header, s.bytes, (uint64_t)(s.end - s.bytes));
	pack_stop(sc.p);
	assert_int_equal(packed_writer_finish(sc.w), 0);
	r = recording_open(sc.path, &d);
	assert_non_null(r);
	assert_int_equal(r->segment_count, 1);
	assert_int_equal(r->segments[0].header.last_stamp, 1019);
	assert_int_equal(r->segments[0].header.events, 20);
	recording_close(r);
	scene_close(&sc);
}

TEST(test_pack_marks_of_the_program_are_repeated_as_metadata)
{
	struct codec_base base = { .stamp = 1000 };
	static struct segment s;
	struct scene sc;
	struct recording *r;
	struct diag d = { 0 };

	scene_open(&sc, 1 << 20);
	segment_fill(&s, 0, 0);
	s.header.pid = 77;
	s.end = put_head(s.bytes, &base, EVENT_MARK, 1005);
	s.end = varint_put(s.end, 4);
	memcpy(s.end, "here", 4);
	s.end += 4;
	pack_events(sc.p, &s.header, s.bytes, (uint64_t)(s.end - s.bytes));
	pack_stop(sc.p);
	assert_int_equal(packed_writer_finish(sc.w), 0);
	r = recording_open(sc.path, &d);
	assert_non_null(r);
	assert_int_equal(r->mark_count, 1);
	assert_string_equal(r->marks[0].name, "here");
	assert_int_equal(r->marks[0].stamp, 1005);
	assert_int_equal(r->marks[0].pid, 77);
	recording_close(r);
	scene_close(&sc);
}

TEST(test_pack_undecodable_records_are_kept_and_counted_as_damage)
{
	static struct segment s;
	struct scene sc;

	scene_open(&sc, 1 << 20);
	segment_fill(&s, 0, 10);
	memset(s.bytes, 0xff, 64);
	pack_events(sc.p, &s.header, s.bytes, (uint64_t)(s.end - s.bytes));
	pack_stop(sc.p);
	assert_int_equal(pack_totals(sc.p).damaged, 1);
	assert_int_equal(pack_totals(sc.p).segments, 1);
	scene_close(&sc);
}

TEST(test_pack_full_disk_is_a_counted_loss_and_nobody_waits)
{
	static struct segment s;
	struct rlimit old, small = { 8192, RLIM_INFINITY };
	struct scene sc;
	struct pack_totals t;

	scene_open(&sc, 1 << 20);
	getrlimit(RLIMIT_FSIZE, &old);
	small.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (uint32_t i = 0; i < 4; i++) {
		segment_fill(&s, i, 2000);
		pack_events(sc.p, &s.header, s.bytes, (uint64_t)(s.end - s.bytes));
	}
	pack_stop(sc.p);
	setrlimit(RLIMIT_FSIZE, &old);
	t = pack_totals(sc.p);
	assert_int_equal(t.error, EFBIG);
	assert_int_equal(t.events + t.lost_events, 4 * 4000);
	assert_true(t.lost_events > 0);
	scene_close(&sc);
}

TEST(test_pack_help_begins_at_half_and_ends_at_a_quarter)
{
	static struct segment s;
	struct scene sc;
	unsigned helped = 0;

	segment_fill(&s, 0, 2000);
	scene_open(&sc, 8 * sizeof(s.bytes));
	assert_false(pack_help(sc.p));
	for (uint32_t i = 0; !pack_is_full(sc.p); i++) {
		segment_fill(&s, i, 2000);
		pack_events(sc.p, &s.header, s.bytes, (uint64_t)(s.end - s.bytes));
	}
	while (pack_help(sc.p))
		helped++;
	assert_true(helped > 0);
	assert_false(pack_is_full(sc.p));
	pack_stop(sc.p);
	scene_close(&sc);
}

TEST(test_pack_first_metadata_reaches_the_file_at_once)
{
	struct meta_fields f = { 0 };
	struct scene sc;

	scene_open(&sc, 1 << 20);
	assert_int_equal(pack_start(sc.p), 0);
	meta_fields_number(&f, 0);
	meta_fields_number(&f, 5);
	meta_fields_text(&f, "here");
	assert_int_equal(pack_meta(sc.p, META_MARK_AT, f.bytes, f.count), 1);
	for (int i = 0; i < 30000 && pack_meta_written(sc.p) < 1; i++)
		usleep(1000);
	assert_int_equal(pack_meta_written(sc.p), 1);
	pack_stop(sc.p);
	meta_fields_release(&f);
	scene_close(&sc);
}

/* The nice value of the one thread beside this one. */
static int other_nice(void)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *e;
	int value = -100;

	while ((e = readdir(tasks)))
		if (atoi(e->d_name) && atoi(e->d_name) != getpid())
			value = getpriority(PRIO_PROCESS, (id_t)atoi(e->d_name));
	closedir(tasks);
	return value;
}

/* Being root is not enough in a container. */
static bool may_raise_a_priority(void)
{
	int mine = getpriority(PRIO_PROCESS, 0), status = -1;
	pid_t child = fork();

	if (child == 0)
		_exit(setpriority(PRIO_PROCESS, 0, mine + 1) || setpriority(PRIO_PROCESS, 0, mine));
	waitpid(child, &status, 0);
	return status == 0;
}

/* Helps until the thread has the nice value NICE; gives up after about a minute. */
static void help_until(struct pack *p, int nice)
{
	for (int i = 0; i < 60000 && other_nice() != nice; i++)
		if (!pack_help(p))
			usleep(1000);
	assert_int_equal(other_nice(), nice);
}

/* Somebody who holds the writer at the lowest priority would keep the one who helps from it. */
TEST(test_pack_thread_has_the_lowest_priority_but_not_while_others_wait_for_it)
{
	int mine = getpriority(PRIO_PROCESS, 0), low = mine + 19 > 19 ? 19 : mine + 19;
	static struct segment s;
	struct scene sc;

	segment_fill(&s, 0, 2000);
	scene_open(&sc, 64 * sizeof(s.bytes));
	assert_int_equal(pack_start(sc.p), 0);
	help_until(sc.p, low);
	for (uint32_t i = 0; !pack_is_full(sc.p); i++) {
		segment_fill(&s, i, 2000);
		pack_events(sc.p, &s.header, s.bytes, (uint64_t)(s.end - s.bytes));
	}
	pack_help(sc.p);
	assert_int_equal(other_nice(), may_raise_a_priority() ? mine : low);
	help_until(sc.p, low);
	pack_stop(sc.p);
	assert_int_equal(pack_totals(sc.p).damaged, 0);
	scene_close(&sc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pack_counts_calls_events_and_distinct_frames),
		cmocka_unit_test(test_pack_partial_segment_gets_the_stamp_of_its_last_record),
		cmocka_unit_test(test_pack_marks_of_the_program_are_repeated_as_metadata),
		cmocka_unit_test(test_pack_undecodable_records_are_kept_and_counted_as_damage),
		cmocka_unit_test(test_pack_full_disk_is_a_counted_loss_and_nobody_waits),
		cmocka_unit_test(test_pack_help_begins_at_half_and_ends_at_a_quarter),
		cmocka_unit_test(test_pack_first_metadata_reaches_the_file_at_once),
		cmocka_unit_test(test_pack_thread_has_the_lowest_priority_but_not_while_others_wait_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
