/* test_points.c - blocks by the call stack that allocated them first, counted as DHAT counts. */
#include "model/points.h"

#include <stdlib.h>

#include "fixture/story.h"
#include "test.h"

/* A story whose changes go to the points of image 1 (or IMAGE). */
struct subject {
	struct story *story;
	struct points *points;
	enum points_unit unit;
	uint32_t image;
	uint64_t start;
};

static void feed(struct subject *s, const struct change *change, uint64_t stamp)
{
	for (const struct change *c = change; c; c = c->also) {
		if (!c->heap || c->heap->image->number != s->image)
			continue;
		if (!s->points)
			s->points = points_new(story_replay(s->story), c->heap, c, s->unit, s->start);
		points_step(s->points, c, stamp);
	}
}

static struct subject begin(enum points_unit unit)
{
	return (struct subject){ .story = story_new(0), .unit = unit, .image = 1 };
}

static void alloc(struct subject *s, uint64_t stamp, uint64_t addr, uint64_t size, stack_id stack)
{
	feed(s, story_alloc(s->story, 0, stamp, addr, size, stack), stamp);
}

static void release(struct subject *s, uint64_t stamp, uint64_t addr)
{
	feed(s, story_free_block(s->story, 0, stamp, addr), stamp);
}

static void resize(struct subject *s, uint64_t stamp, uint64_t from, uint64_t to, uint64_t size,
		   stack_id stack)
{
	feed(s, story_realloc_begin(s->story, 0, stamp, from), stamp);
	feed(s, story_realloc_end(s->story, 0, stamp, to, size, stack), stamp);
}

/* The point of STACK after END; all zero where there is none. */
static struct point at_end(struct subject *s, uint64_t end, stack_id stack)
{
	struct point found = { 0 };

	points_end(s->points, end);
	for (size_t i = 0; i < s->points->count; i++)
		if (s->points->heap->sites[i].stack == stack)
			found = s->points->items[i];
	return found;
}

static void finish(struct subject *s)
{
	points_free(s->points);
	story_free(s->story);
}

#define assert_amount(a, n, b) do { \
	assert_int_equal((a).blocks, n); \
	assert_int_equal((a).bytes, b); \
} while (0)

TEST(test_point_has_a_maximum_of_its_own)
{
	struct subject s = begin(POINTS_TICKS);
	struct point pt;

	alloc(&s, 10, 0x1000, 1000, 1);  /* the heap's maximum: 1000 + 30 */
	alloc(&s, 20, 0x2000, 30, 2);
	release(&s, 30, 0x1000);
	alloc(&s, 40, 0x3000, 40, 2);    /* the maximum of stack 2: 30 + 40 */
	release(&s, 50, 0x2000);
	pt = at_end(&s, 100, 2);
	assert_amount(pt.max, 2, 70);
	assert_amount(pt.peak, 1, 30);
	assert_amount(pt.valgrind_max, 1, 30);
	assert_amount(pt.live, 1, 40);
	assert_amount(pt.total, 2, 70);
	assert_amount(s.points->peak, 2, 1030);
	assert_int_equal(s.points->peak_time, 20);
	finish(&s);
}

TEST(test_valgrinds_maximum_is_none_for_a_point_that_grew_below_the_peak)
{
	struct subject s = begin(POINTS_TICKS);
	struct point pt;

	alloc(&s, 10, 0x1000, 1000, 1);
	release(&s, 20, 0x1000);
	alloc(&s, 30, 0x2000, 300, 2);
	pt = at_end(&s, 40, 2);
	assert_amount(pt.max, 1, 300);
	assert_amount(pt.valgrind_max, 0, 0);
	finish(&s);
}

TEST(test_of_equal_maxima_the_latest_counts)
{
	struct subject s = begin(POINTS_TICKS);
	struct point pt;

	alloc(&s, 10, 0x1000, 100, 1);
	release(&s, 20, 0x1000);
	alloc(&s, 30, 0x2000, 60, 2);
	alloc(&s, 40, 0x3000, 40, 2);
	pt = at_end(&s, 50, 1);
	assert_amount(pt.peak, 0, 0);
	pt = at_end(&s, 50, 2);
	assert_amount(pt.peak, 2, 100);
	assert_int_equal(s.points->peak_time, 40);
	finish(&s);
}

TEST(test_realloc_stays_with_the_first_call_stack)
{
	struct subject s = begin(POINTS_TICKS);
	struct point pt;

	alloc(&s, 10, 0x1000, 1000, 1);
	resize(&s, 20, 0x1000, 0x2000, 5000, 2);
	resize(&s, 30, 0x2000, 0x2000, 200, 3);
	pt = at_end(&s, 50, 1);
	assert_amount(pt.total, 3, 6200);
	assert_amount(pt.live, 1, 200);
	assert_amount(pt.max, 1, 5000);
	assert_int_equal(pt.deaths, 0);
	assert_int_equal(at_end(&s, 50, 2).total.blocks, 0);
	assert_amount(s.points->total, 3, 6200);
	finish(&s);
}

TEST(test_age_counts_from_the_first_allocation)
{
	struct subject s = begin(POINTS_TICKS);
	struct point pt;

	alloc(&s, 10, 0x1000, 1000, 1);
	resize(&s, 20, 0x1000, 0x2000, 5000, 2);
	release(&s, 60, 0x2000);
	alloc(&s, 70, 0x2000, 8, 1);     /* the address again: a block of its own */
	release(&s, 75, 0x2000);
	alloc(&s, 80, 0x3000, 8, 1);
	pt = at_end(&s, 100, 1);
	assert_int_equal(pt.deaths, 2);
	assert_int_equal(pt.death_ages, 50 + 5);
	assert_int_equal(pt.lifetimes, 50 + 5 + 20);
	assert_int_equal(points_duration(s.points), 100);
	finish(&s);
}

TEST(test_block_of_no_bytes_counts_as_one_byte)
{
	struct subject s = begin(POINTS_TICKS);
	struct point pt;

	alloc(&s, 10, 0x1000, 0, 1);
	alloc(&s, 20, 0x2000, 0, 1);
	resize(&s, 30, 0x2000, 0x2000, 10, 1);
	release(&s, 40, 0x1000);
	pt = at_end(&s, 50, 1);
	assert_amount(pt.total, 3, 12);
	assert_amount(pt.live, 1, 10);
	assert_amount(pt.max, 2, 11);
	assert_int_equal(s.points->zero_blocks, 2);
	finish(&s);
}

TEST(test_realloc_to_nothing_is_a_death)
{
	struct subject s = begin(POINTS_TICKS);
	struct point pt;

	alloc(&s, 10, 0x1000, 100, 1);
	feed(&s, story_realloc_begin(s.story, 0, 20, 0x1000), 20);
	feed(&s, story_null(s.story, 0, 21, FUNC_REALLOC), 21);
	pt = at_end(&s, 50, 1);
	assert_int_equal(pt.deaths, 1);
	assert_int_equal(pt.death_ages, 11);
	assert_amount(pt.live, 0, 0);
	finish(&s);
}

TEST(test_failed_realloc_changes_nothing)
{
	struct subject s = begin(POINTS_TICKS);
	struct point pt;

	alloc(&s, 10, 0x1000, 100, 1);
	feed(&s, story_realloc_begin(s.story, 0, 20, 0x1000), 20);
	feed(&s, story_failed(s.story, 0, 21, FUNC_REALLOC, 1 << 30), 21);
	release(&s, 30, 0x1000);
	pt = at_end(&s, 50, 1);
	assert_amount(pt.total, 1, 100);
	assert_int_equal(pt.deaths, 1);
	assert_int_equal(pt.death_ages, 20);
	finish(&s);
}

TEST(test_time_in_bytes_is_what_came_and_went)
{
	struct subject s = begin(POINTS_BYTES);
	struct point pt;

	alloc(&s, 10, 0x1000, 100, 1);              /* 100 */
	alloc(&s, 20, 0x2000, 50, 2);               /* 150 */
	resize(&s, 30, 0x1000, 0x3000, 130, 2);     /* 180: the difference */
	release(&s, 40, 0x3000);                    /* 310 */
	pt = at_end(&s, 50, 1);
	assert_int_equal(points_duration(s.points), 310);
	assert_int_equal(pt.death_ages, 210);
	assert_int_equal(pt.lifetimes, 210);
	assert_int_equal(at_end(&s, 50, 2).lifetimes, 160);
	finish(&s);
}

TEST(test_time_in_calls_counts_every_call)
{
	struct subject s = begin(POINTS_CALLS);
	struct point pt;

	alloc(&s, 10, 0x1000, 100, 1);                   /* 1 */
	feed(&s, story_null(s.story, 0, 20, FUNC_FREE), 20); /* 2 */
	release(&s, 30, 0x1000);                         /* 3 */
	pt = at_end(&s, 50, 1);
	assert_int_equal(points_duration(s.points), 3);
	assert_int_equal(pt.death_ages, 2);
	finish(&s);
}

TEST(test_what_lived_before_is_live_and_not_in_the_totals)
{
	struct subject s = begin(POINTS_TICKS);
	struct point pt;

	/* not fed: before the window */
	story_alloc(s.story, 0, 10, 0x1000, 100, 1);
	story_alloc(s.story, 0, 11, 0x2000, 20, 1);
	s.start = 50;
	release(&s, 60, 0x1000);
	alloc(&s, 70, 0x3000, 7, 1);
	pt = at_end(&s, 100, 1);
	assert_amount(pt.live, 2, 27);
	assert_amount(pt.total, 1, 7);
	assert_amount(pt.max, 2, 120);
	assert_amount(pt.peak, 2, 120);
	assert_int_equal(pt.deaths, 1);
	assert_int_equal(pt.death_ages, 10);
	assert_int_equal(pt.lifetimes, 10 + 30 + 50);
	finish(&s);
}

TEST(test_first_change_of_a_window_is_not_taken_for_what_lived_before)
{
	struct subject s = begin(POINTS_TICKS);
	struct point pt;

	story_alloc(s.story, 0, 10, 0x1000, 100, 1);
	story_realloc_begin(s.story, 0, 40, 0x1000);
	s.start = 41;
	feed(&s, story_realloc_end(s.story, 0, 50, 0x2000, 300, 2), 50);
	pt = at_end(&s, 100, 1);
	assert_amount(pt.live, 1, 300);
	assert_amount(pt.total, 1, 300);
	finish(&s);
}

TEST(test_forked_child_has_its_parents_blocks)
{
	struct subject s = begin(POINTS_TICKS);
	struct point pt;

	story_image(s.story, 2, 1, 50, 0);
	story_stream(s.story, 3, 2);
	story_alloc(s.story, 0, 10, 0x1000, 100, 1);
	story_alloc(s.story, 0, 20, 0x2000, 30, 1);
	s.image = 2;
	s.start = 50;
	feed(&s, story_free_block(s.story, 3, 60, 0x1000), 60);
	pt = at_end(&s, 100, 1);
	assert_amount(pt.max, 2, 130);
	assert_amount(pt.live, 1, 30);
	assert_amount(pt.total, 0, 0);
	assert_int_equal(pt.deaths, 1);
	finish(&s);
}

TEST(test_realloc_that_waits_for_its_address_keeps_its_age)
{
	struct subject s = begin(POINTS_TICKS);
	struct point pt;

	alloc(&s, 10, 0x1000, 100, 1);
	alloc(&s, 20, 0x2000, 30, 2);
	/* clocks of two cores: the release of 0x2000 is read after the realloc that got it */
	feed(&s, story_realloc_begin(s.story, 0, 100, 0x1000), 100);
	feed(&s, story_realloc_end(s.story, 0, 110, 0x2000, 300, 3), 110);
	feed(&s, story_free_block(s.story, 1, 120, 0x2000), 120);
	feed(&s, story_free_block(s.story, 0, 5000, 0x2000), 5000);
	pt = at_end(&s, 6000, 1);
	assert_amount(pt.total, 2, 400);
	assert_amount(pt.live, 0, 0);
	assert_int_equal(pt.deaths, 1);
	assert_int_equal(pt.death_ages, 4990);
	assert_int_equal(at_end(&s, 6000, 2).deaths, 1);
	finish(&s);
}

/* Against a list of blocks that is searched: the plainest way to count the same. */
TEST(test_points_agree_with_plain_counting)
{
	enum { PLACES = 40, STACKS = 5, STEPS = 4000 };
	struct { uint64_t size, birth; unsigned stack; } blocks[PLACES] = { { 0 } };
	uint64_t max[STACKS] = { 0 }, deaths[STACKS] = { 0 }, ages[STACKS] = { 0 };
	struct subject s = begin(POINTS_TICKS);

	srand(7);
	for (unsigned i = 0; i < STEPS; i++) {
		unsigned place = (unsigned)rand() % PLACES, stack = (unsigned)rand() % STACKS;
		uint64_t size = (uint64_t)rand() % 500 + 1, addr = 0x1000 + place * 0x100;
		uint64_t now = 10 + i;

		if (!blocks[place].size) {
			alloc(&s, now, addr, size, stack + 1);
			blocks[place].size = size;
			blocks[place].stack = stack;
			blocks[place].birth = now;
		} else if (rand() % 3) {
			release(&s, now, addr);
			deaths[blocks[place].stack]++;
			ages[blocks[place].stack] += now - blocks[place].birth;
			blocks[place].size = 0;
		} else {
			resize(&s, now, addr, addr, size, stack + 1);
			blocks[place].size = size;
		}
		for (unsigned k = 0; k < STACKS; k++) {
			uint64_t live = 0;

			for (unsigned b = 0; b < PLACES; b++)
				live += blocks[b].stack == k ? blocks[b].size : 0;
			max[k] = live > max[k] ? live : max[k];
		}
	}
	for (unsigned k = 0; k < STACKS; k++) {
		struct point pt = at_end(&s, STEPS + 100, k + 1);

		assert_int_equal(pt.max.bytes, max[k]);
		assert_int_equal(pt.deaths, deaths[k]);
		assert_int_equal(pt.death_ages, ages[k]);
	}
	finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_point_has_a_maximum_of_its_own),
		cmocka_unit_test(test_valgrinds_maximum_is_none_for_a_point_that_grew_below_the_peak),
		cmocka_unit_test(test_of_equal_maxima_the_latest_counts),
		cmocka_unit_test(test_realloc_stays_with_the_first_call_stack),
		cmocka_unit_test(test_age_counts_from_the_first_allocation),
		cmocka_unit_test(test_block_of_no_bytes_counts_as_one_byte),
		cmocka_unit_test(test_realloc_to_nothing_is_a_death),
		cmocka_unit_test(test_failed_realloc_changes_nothing),
		cmocka_unit_test(test_time_in_bytes_is_what_came_and_went),
		cmocka_unit_test(test_time_in_calls_counts_every_call),
		cmocka_unit_test(test_what_lived_before_is_live_and_not_in_the_totals),
		cmocka_unit_test(test_first_change_of_a_window_is_not_taken_for_what_lived_before),
		cmocka_unit_test(test_forked_child_has_its_parents_blocks),
		cmocka_unit_test(test_realloc_that_waits_for_its_address_keeps_its_age),
		cmocka_unit_test(test_points_agree_with_plain_counting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
