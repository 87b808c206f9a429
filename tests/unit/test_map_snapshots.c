/*
 * test_map_snapshots.c - snapshots put together from their records, whole ones only.
 */
#include "test.h"

#include <string.h>

#include "fixture/mktrace.h"
#include "trace/map_snapshots.h"

#define LINE "10000-20000 rw-p 00000000 00:00 0 \nRss: 8 kB\n"

static void part(struct mktrace *t, uint64_t stamp, uint64_t number, uint64_t is_last, const char *text)
{
	mk_meta(t, META_SMAPS, "vvvsvvs", (uint64_t)100, stamp, (uint64_t)MEMORY_AT_MARK, "here",
		number, is_last, text);
}

TEST(test_parts_are_joined_and_the_image_is_found)
{
	struct mktrace *t = mktrace_new();
	struct map_snapshots *s;
	struct recording *r;

	mk_process(t, 1, 100, "p");
	mk_meta(t, META_PAGES, "vvvvvvvv", (uint64_t)100, (uint64_t)50, (uint64_t)4096, (uint64_t)0,
		(uint64_t)16, (uint64_t)2, (uint64_t)3, (uint64_t)1);
	part(t, 50, 0, 0, "10000-20000 rw-p 0000");
	part(t, 50, 1, 0, "0000 00:00 0 \nRss: 8 kB\n");
	part(t, 50, 2, 1, "");
	r = mktrace_open(t);
	s = map_snapshots_new(r);
	assert_int_equal(s->count, 1);
	assert_int_equal(s->items[0].image, 1);
	assert_string_equal(s->items[0].label, "here");
	assert_int_equal(s->items[0].smaps->count, 1);
	assert_int_equal(s->items[0].smaps->rows[0].rss, 8192);
	assert_true(s->items[0].has_pages);
	/* pages 16, 17 and 21 */
	assert_int_equal(s->items[0].touched_count, 2);
	assert_int_equal(map_snapshot_touched(&s->items[0], 0x10000, 0x20000), 3 * 4096);
	assert_int_equal(map_snapshot_touched(&s->items[0], 0x10800, 0x11800), 4096);
	assert_int_equal(map_snapshot_touched(&s->items[0], 0x12000, 0x15000), 0);
	assert_int_equal(map_snapshot_touched(&s->items[0], 0x15fff, UINT64_MAX), 1);
	map_snapshots_free(s);
	recording_close(r);
	mktrace_free(t);
}

TEST(test_a_snapshot_that_was_cut_off_is_none)
{
	struct mktrace *t = mktrace_new();
	struct map_snapshots *s;
	struct recording *r;

	mk_process(t, 1, 100, "p");
	part(t, 50, 0, 0, LINE);              /* the last part is missing */
	part(t, 60, 1, 1, LINE);              /* the first */
	part(t, 70, 0, 0, LINE);              /* one between */
	part(t, 70, 2, 1, LINE);
	mk_meta(t, META_PAGES, "vvvvvv", (uint64_t)100, (uint64_t)80, (uint64_t)4096, (uint64_t)0,
		(uint64_t)1, (uint64_t)1);    /* pages without a text */
	mk_meta(t, META_PAGES, "vvvvvv", (uint64_t)100, (uint64_t)90, (uint64_t)4096, (uint64_t)0,
		UINT64_MAX, UINT64_MAX);      /* beyond all addresses */
	part(t, 90, 0, 1, LINE);
	r = mktrace_open(t);
	s = map_snapshots_new(r);
	assert_int_equal(s->count, 1);
	assert_int_equal(s->items[0].stamp, 90);
	assert_int_equal(s->items[0].touched_count, 0);
	map_snapshots_free(s);
	recording_close(r);
	mktrace_free(t);
}

TEST(test_own_memory_is_told_once)
{
	struct mktrace *t = mktrace_new();
	struct map_snapshots *s;
	struct recording *r;

	mk_process(t, 1, 100, "p");
	for (uint64_t i = 0; i < 3; i++)
		mk_meta(t, META_OWN_MEMORY, "vvvv", (uint64_t)100, 50 + i, (uint64_t)0x10000,
			(uint64_t)0x4000);
	r = mktrace_open(t);
	s = map_snapshots_new(r);
	assert_int_equal(s->own_count, 1);
	assert_int_equal(map_snapshots_own_bytes(s, 100, 0x12000, 0x20000), 0x2000);
	assert_int_equal(map_snapshots_own_bytes(s, 101, 0x12000, 0x20000), 0);
	map_snapshots_free(s);
	recording_close(r);
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts_are_joined_and_the_image_is_found),
		cmocka_unit_test(test_a_snapshot_that_was_cut_off_is_none),
		cmocka_unit_test(test_own_memory_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
