/*
 * test_freed_pages.c - looks become figures by site: which releases count, and for how much.
 */
#include "model/freed_pages.h"

#include "fixture/story.h"
#include "test.h"

#define BIG 100000

static struct story *s;
static struct freed_pages f;
static uint64_t stamp;

static int set_up(void **state)
{
	(void)state;
	s = story_new(0);
	s->images[0].page_size = 4096;
	stamp = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	freed_pages_release(&f);
	story_free(s);
	return 0;
}

static void alloc(uint32_t stream, uint64_t addr, uint64_t size, stack_id stack)
{
	story_alloc(s, stream, ++stamp, addr, size, stack);
}

static void fed(uint32_t stream, enum event_kind kind, const struct change *change)
{
	const struct event event = { .stream = stream, .r.kind = (uint8_t)kind };

	freed_pages_add(&f, &event, change);
}

static void release(uint32_t stream, uint64_t addr)
{
	fed(stream, EVENT_FREE, story_free_block(s, stream, ++stamp, addr));
}

static void look(uint32_t stream, uint64_t weight, uint64_t absent, uint64_t flags)
{
	struct event event = {
		.stream = stream, .r.kind = EVENT_EXTENDED, .r.args[0] = EXTENDED_LOOK,
	};
	uint8_t bytes[LOOK_PAYLOAD_MAX], *end = bytes;

	end = varint_put(end, weight);
	end = varint_put(end, absent);
	end = varint_put(end, flags);
	event.r.name = bytes;
	event.r.name_bytes = (uint32_t)(end - bytes);
	freed_pages_add(&f, &event, story_step(s, stream, ++stamp, EVENT_EXTENDED));
}

TEST(test_a_release_and_its_look)
{
	alloc(0, 0x10010, BIG, 3);
	alloc(0, 0x40010, BIG, 3);
	release(0, 0x10010);
	look(0, 1, 40960, 0);
	release(0, 0x40010);
	look(0, 1, 8192, 0);
	assert_int_equal(f.count, 1);
	assert_int_equal(f.rows[0].freed.blocks, 2);
	assert_int_equal(f.rows[0].freed.bytes, 2 * BIG);
	assert_int_equal(f.rows[0].looked, 2);
	assert_int_equal(freed_row_untouched(&f.rows[0]), 49152);
	assert_false(freed_row_is_estimate(&f.rows[0]));
}

TEST(test_small_blocks_do_not_count)
{
	alloc(0, 0x10010, 1000, 3);
	release(0, 0x10010);
	look(0, 1, 500, 0);
	assert_int_equal(f.count, 0);
}

TEST(test_sites_are_apart_and_streams_too)
{
	alloc(0, 0x10010, BIG, 3);
	alloc(0, 0x40010, BIG, 4);
	release(1, 0x10010);
	release(2, 0x40010);
	look(2, 1, 4096, 0);
	look(1, 1, 8192, 0);
	assert_int_equal(f.count, 2);
	assert_int_equal(freed_row_untouched(&f.rows[0]), 8192);
	assert_int_equal(freed_row_untouched(&f.rows[1]), 4096);
}

TEST(test_what_was_passed_over_is_estimated_by_weight)
{
	for (uint64_t i = 0; i < 10; i++) {
		alloc(0, 0x100010 + i * 0x100000, BIG, 3);
		release(0, 0x100010 + i * 0x100000);
		if (i == 0)
			look(0, 1, 50000, 0);
		if (i == 8)
			look(0, 8, 10000, 0);
	}
	assert_int_equal(f.rows[0].recorded, 10);
	assert_int_equal(f.rows[0].looked, 2);
	assert_true(freed_row_is_estimate(&f.rows[0]));
	/* (50000 + 8 * 10000) of nine, taken for ten */
	assert_int_equal(freed_row_untouched(&f.rows[0]), 144444);
	assert_int_equal(f.rows[0].untouched_seen, 60000);
}

TEST(test_nothing_is_known_without_a_look)
{
	alloc(0, 0x10010, BIG, 3);
	release(0, 0x10010);
	assert_int_equal(f.rows[0].looked, 0);
	assert_int_equal(freed_row_untouched(&f.rows[0]), 0);
	assert_true(freed_row_is_estimate(&f.rows[0]));
}

TEST(test_a_look_without_its_release_says_nothing)
{
	alloc(0, 0x10010, BIG, 3);
	look(0, 1, 4096, 0);
	release(0, 0x10010);
	look(0, 1, 4096, 0);
	look(0, 1, 4096, 0);
	/* never acquired */
	release(0, 0x90010);
	look(0, 1, 4096, 0);
	assert_int_equal(f.rows[0].looked, 1);
	assert_int_equal(f.rows[0].untouched_seen, 4096);
}

/* Small blocks are passed over quickly, and still end what a large one left open. */
TEST(test_a_small_release_ends_the_wait_for_a_look)
{
	alloc(0, 0x10010, BIG, 3);
	alloc(0, 0x90010, 100, 3);
	alloc(1, 0xa0010, 100, 3);
	release(0, 0x10010);
	release(1, 0xa0010);
	release(0, 0x90010);
	look(0, 1, 4096, 0);
	assert_int_equal(f.rows[0].freed.blocks, 1);
	assert_int_equal(f.rows[0].looked, 0);
	assert_int_equal(f.open, 0);
}

static void resize(uint64_t old, uint64_t addr, uint64_t size, uint64_t absent)
{
	fed(0, EVENT_REALLOC_BEGIN, story_realloc_begin(s, 0, ++stamp, old));
	look(0, 1, absent, 0);
	fed(0, EVENT_REALLOC_END, story_realloc_end(s, 0, ++stamp, addr, size, 5));
}

TEST(test_a_realloc_that_moves_or_shrinks_gives_up_its_block)
{
	alloc(0, 0x10010, BIG, 3);
	resize(0x10010, 0x80010, 2 * BIG, 20480);
	assert_int_equal(f.count, 1);
	assert_int_equal(f.rows[0].freed.bytes, BIG);
	assert_int_equal(f.rows[0].untouched_seen, 20480);
	resize(0x80010, 0x80010, 10, 40960);
	assert_int_equal(f.count, 2);
	assert_int_equal(f.rows[1].freed.bytes, 2 * BIG);
	assert_int_equal(f.rows[1].untouched_seen, 40960);
}

TEST(test_a_realloc_that_grows_in_place_keeps_it)
{
	alloc(0, 0x10010, BIG, 3);
	resize(0x10010, 0x10010, 2 * BIG, 20480);
	assert_int_equal(f.count, 0);
	/* nor does the next release take its look */
	release(0, 0x10010);
	assert_int_equal(f.rows[0].looked, 0);
}

TEST(test_pages_that_mremap_moved_are_kept)
{
	s->event.r.cls = CLASS_MAPPED;
	alloc(0, 0x10010, BIG, 3);
	s->event.r.cls = CLASS_MAPPED;
	fed(0, EVENT_REALLOC_BEGIN, story_realloc_begin(s, 0, ++stamp, 0x10010));
	look(0, 1, 4096, 0);
	s->event.r.cls = CLASS_MAPPED;
	fed(0, EVENT_REALLOC_END, story_realloc_end(s, 0, ++stamp, 0x90010, 3 * BIG, 5));
	assert_int_equal(f.count, 0);
}

TEST(test_a_realloc_that_failed_gave_up_nothing)
{
	alloc(0, 0x10010, BIG, 3);
	fed(0, EVENT_REALLOC_BEGIN, story_realloc_begin(s, 0, ++stamp, 0x10010));
	look(0, 1, 4096, 0);
	fed(0, EVENT_FAILED, story_failed(s, 0, ++stamp, FUNC_REALLOC, (uint64_t)1 << 40));
	assert_int_equal(f.count, 0);
	release(0, 0x10010);
	look(0, 1, 8192, 0);
	assert_int_equal(f.rows[0].untouched_seen, 8192);
}

TEST(test_a_realloc_to_nothing_frees)
{
	alloc(0, 0x10010, BIG, 3);
	fed(0, EVENT_REALLOC_BEGIN, story_realloc_begin(s, 0, ++stamp, 0x10010));
	look(0, 1, 4096, 0);
	fed(0, EVENT_NULL_CALL, story_null(s, 0, ++stamp, FUNC_REALLOC));
	assert_int_equal(f.rows[0].looked, 1);
	assert_int_equal(f.rows[0].untouched_seen, 4096);
}

TEST(test_what_is_kept_counts_by_the_snapshot_at_the_end)
{
	struct address_range touched[] = { { 0x10000, 0x12000 }, { 0x40000, 0x41000 } };
	struct map_snapshot items[] = {
		{ .image = 1, .moment = MEMORY_AT_EXIT, .touched = touched, .touched_count = 2,
		  .has_pages = true },
		{ .image = 2, .moment = MEMORY_AT_EXIT, .has_pages = true },
	};
	struct map_snapshots snapshots = { .items = items, .count = 2 };

	f.has_kept = true;
	fed(0, EVENT_ALLOC, story_alloc(s, 0, ++stamp, 0x10010, BIG, 3));
	fed(0, EVENT_ALLOC, story_alloc(s, 0, ++stamp, 0x40010, BIG, 4));
	fed(0, EVENT_ALLOC, story_alloc(s, 0, ++stamp, 0x80010, 100, 4));
	release(0, 0x40010);
	/* one more at a place that was used before */
	fed(0, EVENT_ALLOC, story_alloc(s, 0, ++stamp, 0x40010, 2 * BIG, 4));
	freed_pages_add_kept(&f, &snapshots);
	assert_int_equal(f.count, 2);
	assert_int_equal(f.rows[0].freed.bytes, 3 * BIG);
	assert_int_equal(f.rows[0].looked, 1);
	assert_int_equal(f.rows[0].untouched_seen, 2 * BIG - 0xff0);
	assert_int_equal(f.rows[1].freed.bytes, BIG);
	assert_int_equal(freed_row_untouched(&f.rows[1]), BIG - 0x1ff0);
}

TEST(test_what_is_kept_is_not_known_without_all_pages)
{
	struct map_snapshot item = {
		.image = 1, .moment = MEMORY_AT_EXIT, .has_pages = true, .pages_are_cut = true,
	};
	struct map_snapshots snapshots = { .items = &item, .count = 1 };

	f.has_kept = true;
	fed(0, EVENT_ALLOC, story_alloc(s, 0, ++stamp, 0x10010, BIG, 3));
	freed_pages_add_kept(&f, &snapshots);
	assert_int_equal(f.count, 0);
}

TEST(test_absent_bytes_behind_the_requested_end_were_not_asked_for)
{
	/* 0x10010 + 65536 ends at 0x20010; the mapping goes on to 0x21000 */
	struct block b = { .addr = 0x10010, .size = 65536, .slack = 0xff0 };
	struct look l = { 1, 65536 + 0xff0, LOOK_LAST_ABSENT };

	assert_int_equal(freed_untouched(&b, &l, 4096), 65536);
	l.absent = 4096 * 3 + 0x1000;
	assert_int_equal(freed_untouched(&b, &l, 4096), 4096 * 3 + 0x10);
	/* the last page is there: all that is absent was asked for */
	l.flags = 0;
	l.absent = 4096 * 3;
	assert_int_equal(freed_untouched(&b, &l, 4096), 4096 * 3);
	/* more pages behind the end than one: whichever were absent, so many were of the block */
	b.slack = 0x1ff0;
	assert_int_equal(freed_untouched(&b, &l, 4096), 4096 * 3 - 0x1ff0);
	/* what is damaged stays within the block */
	l.absent = UINT64_MAX;
	assert_int_equal(freed_untouched(&b, &l, 4096), 65536);
	l.flags = LOOK_PARTIAL;
	assert_int_equal(freed_untouched(&b, &l, 4096), 65536);
	b.size = 0;
	assert_int_equal(freed_untouched(&b, &l, 4096), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(test_a_release_and_its_look),
		CASE(test_small_blocks_do_not_count),
		CASE(test_sites_are_apart_and_streams_too),
		CASE(test_what_was_passed_over_is_estimated_by_weight),
		CASE(test_nothing_is_known_without_a_look),
		CASE(test_a_look_without_its_release_says_nothing),
		CASE(test_a_small_release_ends_the_wait_for_a_look),
		CASE(test_a_realloc_that_moves_or_shrinks_gives_up_its_block),
		CASE(test_a_realloc_that_grows_in_place_keeps_it),
		CASE(test_pages_that_mremap_moved_are_kept),
		CASE(test_a_realloc_that_failed_gave_up_nothing),
		CASE(test_a_realloc_to_nothing_frees),
		CASE(test_what_is_kept_counts_by_the_snapshot_at_the_end),
		CASE(test_what_is_kept_is_not_known_without_all_pages),
		CASE(test_absent_bytes_behind_the_requested_end_were_not_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
