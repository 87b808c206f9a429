/*
 * test_timeline_data.c - events into evenly spaced rows.
 */
#include "test.h"

#include <stdlib.h>

#include "fixture/mktrace.h"
#include "forms/timeline_data.h"
#include "trace/merge.h"

/* 100 bytes at 1000, 900 more at 2000, freed at 2001, 50 mapped pages at 5000; ends at 10001. */
static struct mktrace *story(void)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p");

	mk_malloc(t, s, 1000, 0x1000, 100);
	mk_malloc(t, s, 2000, 0x2000, 900);
	mk_free(t, s, 2001, 0x2000);
	mk_malloc(t, s, 9000, 0x3000, 0);
	mk_memory(t, 100, 3500, 70000);
	mk_memory(t, 100, 3600, 50000);
	mk_exit(t, 1, 10001, 0);
	return t;
}

static struct timeline *read_story(struct mktrace *t, uint64_t from, uint64_t to, size_t rows,
				   struct recording **r)
{
	static struct timeline timeline;
	struct stacks *stacks = stacks_new();
	struct merge_select select = { 0 };
	struct replay *rp;
	struct merge *m;
	const struct event *e;

	*r = mktrace_open(t);
	rp = replay_new(*r, stacks, 0);
	m = merge_open(*r, stacks, &select);
	timeline = (struct timeline){ 0 };
	timeline_init(&timeline, *r, from, to, rows);
	while ((e = merge_next(m)) != NULL)
		timeline_event(&timeline, e, replay_step(rp, e));
	merge_close(m);
	timeline_finish(&timeline);
	replay_free(rp);
	stacks_free(stacks);
	return &timeline;
}

TEST(test_rows_are_the_state_at_the_end_of_each_step)
{
	struct mktrace *t = story();
	struct recording *r;
	struct timeline *tl = read_story(t, 1, 10001, 10, &r);
	struct timeline_row *rows = tl->series[0].rows;

	assert_int_equal(tl->series_count, 1);
	assert_int_equal(rows[0].live.bytes, 100);
	assert_int_equal(rows[1].live.bytes, 100);
	assert_int_equal(rows[1].most_bytes, 1000);
	assert_int_equal(rows[2].live.bytes, 100);
	assert_int_equal(rows[9].live.bytes, 100);
	assert_int_equal(rows[9].live.blocks, 2);
	assert_int_equal(rows[0].calls, 1);
	assert_int_equal(rows[1].calls, 2);
	assert_int_equal(rows[5].calls, 0);
	timeline_release(tl);
	recording_close(r);
	mktrace_free(t);
}

TEST(test_a_peak_inside_a_step_is_kept_to_the_byte)
{
	struct mktrace *t = story();
	struct recording *r;
	struct timeline *tl = read_story(t, 1, 10001, 2, &r);

	assert_int_equal(tl->series[0].rows[0].live.bytes, 100);
	assert_int_equal(tl->series[0].rows[0].most_bytes, 1000);
	assert_int_equal(tl->series[0].rows[1].most_bytes, 100);
	assert_int_equal(tl->series[0].peak_bytes, 1000);
	assert_int_equal(tl->series[0].peak_stamp, 2000);
	timeline_release(tl);
	recording_close(r);
	mktrace_free(t);
}

TEST(test_resident_memory_is_the_largest_sample_and_lasts)
{
	struct mktrace *t = story();
	struct recording *r;
	struct timeline *tl = read_story(t, 1, 10001, 10, &r);
	struct timeline_row *rows = tl->series[0].rows;

	assert_false(rows[2].has_rss);
	assert_true(rows[3].has_rss);
	assert_int_equal(rows[3].rss_bytes, 70000);
	assert_int_equal(rows[9].rss_bytes, 70000);
	timeline_release(tl);
	recording_close(r);
	mktrace_free(t);
}

TEST(test_a_span_begins_with_what_was_live_before)
{
	struct mktrace *t = story();
	struct recording *r;
	struct timeline *tl = read_story(t, 3001, 10001, 7, &r);

	assert_int_equal(tl->series[0].rows[0].live.bytes, 100);
	assert_int_equal(tl->series[0].rows[0].most_bytes, 100);
	assert_int_equal(tl->series[0].rows[0].calls, 0);
	assert_int_equal(tl->series[0].peak_bytes, 100);
	timeline_release(tl);
	recording_close(r);
	mktrace_free(t);
}

TEST(test_an_ended_program_has_no_memory)
{
	struct mktrace *t = story();
	struct recording *r;
	struct timeline *tl = read_story(t, 1, 20001, 20, &r);

	assert_int_equal(tl->series[0].rows[9].live.bytes, 100);
	assert_int_equal(tl->series[0].rows[12].live.bytes, 0);
	assert_false(tl->series[0].rows[12].has_rss);
	timeline_release(tl);
	recording_close(r);
	mktrace_free(t);
}

TEST(test_sizes_fall_into_cells_that_keep_a_real_size)
{
	struct mktrace *t = story();
	struct recording *r;
	struct timeline *tl = read_story(t, 1, 10001, 10, &r);
	uint64_t calls = 0, sizes = 0;

	assert_non_null(tl->cells);
	for (size_t i = 0; i < SIZE_COLUMNS * SIZE_ROWS; i++) {
		calls += tl->cells[i].calls;
		sizes += tl->cells[i].calls ? tl->cells[i].size : 0;
	}
	assert_int_equal(calls, 3);
	assert_int_equal(sizes, 1000);
	timeline_release(tl);
	recording_close(r);
	mktrace_free(t);
}

/* A drawing that says "at most" must not miss what came and went between two of its columns. */
TEST(test_break_and_mappings_have_their_most_within_a_step)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p");
	const uint64_t start = 0x555555560000, map = 0x7f0000000000;
	struct timeline_row *rows;
	struct recording *r;
	struct timeline *tl;

	mk_syscall_inside(t, s, 2100, SYS_MEM_brk, MK_ARGS(start + 0x5000), (int64_t)(start + 0x5000),
			  FUNC_MALLOC, MK_STACK());
	mk_syscall_inside(t, s, 2110, SYS_MEM_mmap, MK_ARGS(0, 0x3000, 3, 0x22, UINT64_MAX, 0), (int64_t)map,
			  FUNC_MALLOC, MK_STACK());
	mk_syscall(t, s, 2120, SYS_MEM_mmap, MK_ARGS(0, 0x2000, 3, 0x22, UINT64_MAX, 0),
		   (int64_t)(map + 0x10000), 0);
	mk_syscall_inside(t, s, 2130, SYS_MEM_brk, MK_ARGS(start + 0x1000), (int64_t)(start + 0x1000),
			  FUNC_FREE, MK_STACK());
	mk_syscall_inside(t, s, 2140, SYS_MEM_munmap, MK_ARGS(map, 0x3000), 0, FUNC_FREE, MK_STACK());
	mk_syscall(t, s, 2150, SYS_MEM_munmap, MK_ARGS(map + 0x10000, 0x2000), 0, 0);
	mk_malloc(t, s, 9000, 0x3000, 0);
	mk_exit(t, 1, 10001, 0);
	tl = read_story(t, 1, 10001, 10, &r);
	rows = tl->series[0].rows;
	assert_int_equal(rows[2].break_bytes, 0x1000);
	assert_int_equal(rows[2].most_break, 0x5000);
	assert_int_equal(rows[2].malloc_mapped_bytes, 0);
	assert_int_equal(rows[2].most_malloc_mapped, 0x3000);
	assert_int_equal(rows[2].mapped_bytes, 0);
	assert_int_equal(rows[2].most_mapped, 0x2000);
	assert_int_equal(rows[3].most_break, 0x1000);
	assert_int_equal(rows[3].most_malloc_mapped, 0);
	timeline_release(tl);
	recording_close(r);
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_the_state_at_the_end_of_each_step),
		cmocka_unit_test(test_a_peak_inside_a_step_is_kept_to_the_byte),
		cmocka_unit_test(test_resident_memory_is_the_largest_sample_and_lasts),
		cmocka_unit_test(test_a_span_begins_with_what_was_live_before),
		cmocka_unit_test(test_an_ended_program_has_no_memory),
		cmocka_unit_test(test_sizes_fall_into_cells_that_keep_a_real_size),
		cmocka_unit_test(test_break_and_mappings_have_their_most_within_a_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
