/* test_stacktimes.c - to which call stack the time of a timed call belongs. */
#include "model/stacktimes.h"

#include "fixture/story.h"
#include "test.h"

/* What the merge would have handed out beside CHANGE. */
static void add(struct stacktimes *t, struct story *s, uint32_t stream, stack_id stack,
		const struct change *change)
{
	struct event event = { .image = 1, .stream = stream, .stack = stack };

	stacktimes_add(t, &s->images[0], &event, change);
}

static void add_timing(struct stacktimes *t, struct story *s, uint32_t stream, uint64_t stamp,
		       uint64_t ticks)
{
	struct event event = { .image = 1, .stream = stream };

	event.r.kind = EVENT_TIMING;
	event.r.duration = ticks;
	stacktimes_add(t, &s->images[0], &event, story_step(s, stream, stamp, EVENT_TIMING));
}

TEST(test_time_belongs_to_the_call_before_it)
{
	struct story *s = story_new(0);
	struct stacktimes t = { 0 };

	add(&t, s, 0, 7, story_alloc(s, 0, 10, 0x1000, 100, 7));
	add_timing(&t, s, 0, 11, 50);
	add(&t, s, 0, 7, story_alloc(s, 0, 20, 0x2000, 100, 7));
	add(&t, s, 0, 8, story_alloc(s, 0, 30, 0x3000, 100, 8));
	add_timing(&t, s, 0, 31, 30);
	add(&t, s, 0, 7, story_alloc(s, 0, 40, 0x4000, 100, 7));
	add_timing(&t, s, 0, 41, 5);
	assert_int_equal(t.count, 2);
	assert_int_equal(t.items[0].stack, 7);
	assert_int_equal(t.items[0].calls, 2);
	assert_int_equal(t.items[0].ticks, 55);
	assert_int_equal(t.items[1].stack, 8);
	assert_int_equal(t.items[1].ticks, 30);
	stacktimes_release(&t);
	story_free(s);
}

TEST(test_streams_do_not_mix)
{
	struct story *s = story_new(0);
	struct stacktimes t = { 0 };

	add(&t, s, 0, 7, story_alloc(s, 0, 10, 0x1000, 100, 7));
	add(&t, s, 40, 8, story_alloc(s, 40, 11, 0x2000, 100, 8));
	add_timing(&t, s, 0, 12, 50);
	assert_int_equal(t.count, 1);
	assert_int_equal(t.items[0].stack, 7);
	stacktimes_release(&t);
	story_free(s);
}

TEST(test_time_of_free_without_its_stack_belongs_to_nobody)
{
	struct story *s = story_new(0);
	struct stacktimes t = { 0 };

	add(&t, s, 0, 7, story_alloc(s, 0, 10, 0x1000, 100, 7));
	add(&t, s, 0, 7, story_free_block(s, 0, 20, 0x1000));
	add_timing(&t, s, 0, 21, 50);
	assert_int_equal(t.count, 0);
	s->images[0].features = FEATURE_FREE_STACKS;
	add(&t, s, 0, 7, story_alloc(s, 0, 30, 0x1000, 100, 7));
	add(&t, s, 0, 7, story_free_block(s, 0, 40, 0x1000));
	add_timing(&t, s, 0, 41, 50);
	assert_int_equal(t.count, 1);
	assert_int_equal(t.items[0].func, FUNC_FREE);
	stacktimes_release(&t);
	story_free(s);
}

TEST(test_estimate_takes_all_calls_to_be_like_those_timed)
{
	struct heap heap = { 0 };
	struct stack_time t = { .func = FUNC_CALLOC, .calls = 2, .ticks = 60 };

	heap.funcs[FUNC_CALLOC] = (struct func_totals){ .calls = 40, .timed_calls = 4 };
	assert_true(stack_time_estimate(&t, &heap) == 600);
	heap.funcs[FUNC_CALLOC].timed_calls = 40;
	assert_true(stack_time_estimate(&t, &heap) == 60);
	heap.funcs[FUNC_CALLOC].timed_calls = 0;
	assert_true(stack_time_estimate(&t, &heap) == 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time_belongs_to_the_call_before_it),
		cmocka_unit_test(test_streams_do_not_mix),
		cmocka_unit_test(test_time_of_free_without_its_stack_belongs_to_nobody),
		cmocka_unit_test(test_estimate_takes_all_calls_to_be_like_those_timed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
