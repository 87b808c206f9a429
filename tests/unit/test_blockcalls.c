/* test_blockcalls.c - which records of a stream belong together, and what they mean for blocks. */
#include "fixture/story.h"

#include "test.h"

TEST(test_malloc_and_free_give_a_block_and_take_it)
{
	struct story *s = story_new(0);
	const struct change *c = story_alloc(s, 0, 10, 0x1000, 100, 7);
	const struct heap *h;

	assert_true(c->has_call && c->acquired && c->new_peak && !c->released);
	assert_int_equal(c->call.result, 0x1000);
	assert_int_equal(c->call.size, 100);
	assert_int_equal(c->block.size, 100);
	c = story_free_block(s, 0, 20, 0x1000);
	assert_true(c->has_call && c->released && !c->acquired);
	assert_int_equal(c->old.size, 100);
	assert_int_equal(c->call.pointer, 0x1000);
	h = story_end(s, 1);
	assert_int_equal(h->total.blocks, 1);
	assert_int_equal(h->freed.bytes, 100);
	assert_int_equal(h->live.blocks, 0);
	assert_int_equal(h->free_calls, 1);
	assert_int_equal(h->funcs[FUNC_MALLOC].calls, 1);
	assert_int_equal(h->funcs[FUNC_FREE].calls, 1);
	assert_int_equal(h->unmatched_frees, 0);
	story_free(s);
}

TEST(test_free_of_null_is_a_call_and_no_block)
{
	struct story *s = story_new(0);
	const struct change *c = story_null(s, 0, 10, FUNC_FREE);
	const struct heap *h;

	assert_true(c->has_call && !c->released);
	h = story_end(s, 1);
	assert_int_equal(h->funcs[FUNC_FREE].calls, 1);
	assert_int_equal(h->free_calls, 0);
	assert_int_equal(h->freed.blocks, 0);
	story_free(s);
}

TEST(test_realloc_counts_a_block_of_the_new_size_and_ends_the_old)
{
	struct story *s = story_new(0);
	const struct change *c;
	const struct heap *h;

	story_alloc(s, 0, 10, 0x1000, 100, 7);
	c = story_realloc_begin(s, 0, 20, 0x1000);
	assert_true(!c->has_call && !c->released);
	assert_int_equal(c->heap->live.bytes, 100);
	c = story_realloc_end(s, 0, 21, 0x2000, 300, 8);
	assert_true(c->has_call && c->released && c->acquired);
	assert_int_equal(c->call.pointer, 0x1000);
	assert_int_equal(c->call.result, 0x2000);
	assert_int_equal(c->call.stamp, 20);
	assert_int_equal(c->old.addr, 0x1000);
	assert_int_equal(c->heap->sites[c->block.origin].stack, 7);
	assert_int_equal(c->heap->sites[c->block.site].stack, 8);
	h = story_end(s, 1);
	assert_int_equal(h->total.blocks, 2);
	assert_int_equal(h->total.bytes, 400);
	assert_int_equal(h->live.bytes, 300);
	assert_int_equal(h->peak.bytes, 300);
	assert_int_equal(story_site(h, 7, KIND_HEAP)->end.blocks, 0);
	assert_int_equal(story_site(h, 7, KIND_HEAP)->freed.bytes, 100);
	assert_int_equal(story_site(h, 8, KIND_HEAP)->end.bytes, 300);
	assert_int_equal(story_site(h, 8, KIND_HEAP)->reallocs, 1);
	assert_int_equal(story_site(h, 8, KIND_HEAP)->moved.bytes, 100);
	assert_int_equal(h->temporary.blocks, 0);
	story_free(s);
}

TEST(test_realloc_of_null_counts_as_malloc)
{
	struct story *s = story_new(0);
	const struct change *c = story_realloc_end(s, 0, 10, 0x1000, 50, 7);
	const struct heap *h;

	assert_true(c->has_call && c->acquired && !c->released);
	assert_int_equal(c->call.pointer, 0);
	h = story_end(s, 1);
	assert_int_equal(h->total.blocks, 1);
	assert_int_equal(h->funcs[FUNC_REALLOC].calls, 1);
	assert_int_equal(story_site(h, 7, KIND_HEAP)->reallocs, 0);
	story_free(s);
}

TEST(test_failed_realloc_leaves_the_old_block_alive)
{
	struct story *s = story_new(0);
	const struct change *c;
	const struct heap *h;

	story_alloc(s, 0, 10, 0x1000, 100, 7);
	story_realloc_begin(s, 0, 20, 0x1000);
	c = story_failed(s, 0, 21, FUNC_REALLOC, UINT64_MAX);
	assert_true(c->has_call && !c->released && !c->acquired);
	assert_int_equal(c->call.error, 12);
	assert_int_equal(c->call.pointer, 0x1000);
	assert_true(story_free_block(s, 0, 30, 0x1000)->released);
	h = story_end(s, 1);
	assert_int_equal(h->funcs[FUNC_REALLOC].failed, 1);
	assert_int_equal(h->total.blocks, 1);
	assert_int_equal(h->unmatched_frees, 0);
	story_free(s);
}

TEST(test_realloc_to_zero_bytes_that_frees_ends_the_block)
{
	struct story *s = story_new(0);
	const struct change *c;
	const struct heap *h;

	story_alloc(s, 0, 10, 0x1000, 100, 7);
	story_realloc_begin(s, 0, 20, 0x1000);
	c = story_null(s, 0, 21, FUNC_REALLOC);
	assert_true(c->has_call && c->released);
	assert_int_equal(c->call.pointer, 0x1000);
	h = story_end(s, 1);
	assert_int_equal(h->live.blocks, 0);
	assert_int_equal(h->freed.blocks, 1);
	assert_int_equal(h->free_calls, 0);
	story_free(s);
}

TEST(test_address_of_a_realloc_under_way_may_be_given_to_another_thread)
{
	struct story *s = story_new(0);
	const struct heap *h;

	story_alloc(s, 0, 10, 0x1000, 100, 7);
	story_realloc_begin(s, 0, 20, 0x1000);
	/* the old block counts until the realloc has ended: a peak falls between */
	assert_true(story_alloc(s, 1, 21, 0x1000, 40, 9)->acquired);
	story_free_block(s, 1, 22, 0x1000);
	story_realloc_end(s, 0, 23, 0x2000, 110, 8);
	h = story_end(s, 1);
	assert_int_equal(h->peak.bytes, 140);
	assert_int_equal(h->overlaps, 0);
	assert_int_equal(h->unmatched_frees, 0);
	assert_int_equal(h->live.bytes, 110);
	story_free(s);
}

TEST(test_realloc_whose_end_was_lost_keeps_its_block)
{
	struct story *s = story_new(0);
	const struct heap *h;

	story_alloc(s, 0, 10, 0x1000, 100, 7);
	story_realloc_begin(s, 0, 20, 0x1000);
	story_alloc(s, 0, 30, 0x3000, 1, 7);
	assert_true(story_free_block(s, 0, 40, 0x1000)->released);
	story_realloc_begin(s, 0, 50, 0x3000);
	h = story_end(s, 1);
	assert_int_equal(h->end.blocks, 1);
	assert_int_equal(h->unmatched_frees, 0);
	story_free(s);
}

TEST(test_reallocs_of_two_threads_in_one_stream_do_not_mix)
{
	struct story *s = story_new(0);
	const struct change *c;

	story_alloc(s, 0, 10, 0x1000, 100, 7);
	story_alloc(s, 0, 11, 0x2000, 200, 7);
	s->event.r.thread = 5;
	story_realloc_begin(s, 0, 20, 0x1000);
	s->event.r.thread = 6;
	story_realloc_begin(s, 0, 21, 0x2000);
	s->event.r.thread = 5;
	c = story_realloc_end(s, 0, 22, 0x3000, 101, 7);
	assert_int_equal(c->old.addr, 0x1000);
	s->event.r.thread = 6;
	c = story_realloc_end(s, 0, 23, 0x4000, 202, 7);
	assert_int_equal(c->old.addr, 0x2000);
	assert_int_equal(c->heap->live.bytes, 303);
	story_free(s);
}

TEST(test_block_freed_before_the_next_acquire_of_its_stream_is_temporary)
{
	struct story *s = story_new(0);
	const struct heap *h;

	story_alloc(s, 0, 10, 0x1000, 10, 7);
	story_alloc(s, 1, 11, 0x2000, 20, 7);   /* another thread */
	story_free_block(s, 0, 12, 0x1000);     /* temporary */
	story_alloc(s, 1, 13, 0x3000, 30, 7);
	story_free_block(s, 1, 14, 0x2000);     /* not: 0x3000 came between */
	story_free_block(s, 0, 15, 0x3000);     /* not: freed by another thread */
	h = story_end(s, 1);
	assert_int_equal(h->temporary.blocks, 1);
	assert_int_equal(h->temporary.bytes, 10);
	assert_int_equal(story_site(h, 7, KIND_HEAP)->temporary.blocks, 1);
	story_free(s);
}

TEST(test_calloc_counts_the_product_and_saturates)
{
	struct story *s = story_new(0);
	const struct heap *h;

	s->event.stack = 7;
	s->event.r = (struct record){ .func = FUNC_CALLOC, .addr = 0x1000, .size = 7,
				      .nmemb = 3, .usable = 24 };
	story_step(s, 0, 10, EVENT_CALLOC);
	s->event.r = (struct record){ .func = FUNC_CALLOC, .addr = 0x2000,
				      .size = UINT64_MAX, .nmemb = UINT64_MAX };
	story_step(s, 0, 11, EVENT_CALLOC);
	h = story_end(s, 1);
	assert_int_equal(h->total.bytes, 21 + BLOCK_SIZE_MAX);
	story_free_block(s, 0, 12, 0x2000);
	assert_int_equal(h->live.bytes, 21);
	story_free(s);
}

TEST(test_free_of_an_unknown_block_is_counted_with_its_first_place)
{
	struct story *s = story_new(0);
	const struct heap *h;

	story_free_block(s, 0, 10, 0x1000);
	story_free_block(s, 0, 11, 0x2000);
	story_realloc_begin(s, 0, 12, 0x3000);
	story_realloc_end(s, 0, 13, 0x4000, 10, 7);
	h = story_end(s, 1);
	assert_int_equal(h->unmatched_frees, 3);
	assert_int_equal(h->unmatched_first_addr, 0x1000);
	assert_int_equal(h->unmatched_first_stamp, 10);
	assert_int_equal(h->free_calls, 2);
	assert_int_equal(h->freed.blocks, 0);
	assert_int_equal(h->live.bytes, 10);
	story_free(s);
}

TEST(test_acquire_of_address_zero_is_a_call_without_a_block)
{
	struct story *s = story_new(0);
	const struct change *c = story_alloc(s, 0, 10, 0, 100, 7);

	assert_true(c->has_call && !c->acquired);
	assert_int_equal(c->heap->total.blocks, 0);
	story_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_malloc_and_free_give_a_block_and_take_it),
		cmocka_unit_test(test_free_of_null_is_a_call_and_no_block),
		cmocka_unit_test(test_realloc_counts_a_block_of_the_new_size_and_ends_the_old),
		cmocka_unit_test(test_realloc_of_null_counts_as_malloc),
		cmocka_unit_test(test_failed_realloc_leaves_the_old_block_alive),
		cmocka_unit_test(test_realloc_to_zero_bytes_that_frees_ends_the_block),
		cmocka_unit_test(test_address_of_a_realloc_under_way_may_be_given_to_another_thread),
		cmocka_unit_test(test_realloc_whose_end_was_lost_keeps_its_block),
		cmocka_unit_test(test_reallocs_of_two_threads_in_one_stream_do_not_mix),
		cmocka_unit_test(test_block_freed_before_the_next_acquire_of_its_stream_is_temporary),
		cmocka_unit_test(test_calloc_counts_the_product_and_saturates),
		cmocka_unit_test(test_free_of_an_unknown_block_is_counted_with_its_first_place),
		cmocka_unit_test(test_acquire_of_address_zero_is_a_call_without_a_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
