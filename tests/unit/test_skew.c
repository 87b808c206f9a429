/* test_skew.c - events that come a moment too early wait for their counterpart, and no longer. */
#include "model/skew.h"

#include "fixture/story.h"

#include "test.h"

TEST(test_acquire_of_a_live_address_waits_for_its_release)
{
	struct story *s = story_new(0);
	const struct change *c;
	const struct heap *h;

	story_alloc(s, 0, 10, 0x1000, 100, 7);
	c = story_alloc(s, 1, 100, 0x1000, 30, 8);
	assert_true(c->has_call && !c->acquired);
	c = story_free_block(s, 0, 150, 0x1000);
	assert_true(c->has_call && c->released && c->acquired);
	assert_int_equal(c->old.size, 100);
	assert_int_equal(c->block.size, 30);
	assert_int_equal(c->heap->sites[c->block.site].stack, 8);
	h = story_end(s, 1);
	assert_int_equal(h->overlaps, 0);
	assert_int_equal(h->unmatched_frees, 0);
	assert_int_equal(h->live.bytes, 30);
	assert_int_equal(h->peak.bytes, 100);
	story_free(s);
}

TEST(test_acquire_whose_release_never_comes_is_an_overlap)
{
	struct story *s = story_new(0);
	const struct change *c;

	story_alloc(s, 0, 10, 0x1000, 100, 7);
	story_alloc(s, 1, 100, 0x1000, 30, 8);
	c = story_alloc(s, 0, 100 + SKEW_NS, 0x2000, 1, 7);
	assert_null(c->also);
	assert_int_equal(c->heap->overlaps, 0);
	c = story_alloc(s, 0, 101 + SKEW_NS, 0x3000, 1, 7);
	assert_non_null(c->also);
	assert_true(c->also->released && c->also->acquired && !c->also->has_call);
	assert_int_equal(c->also->old.size, 100);
	assert_int_equal(c->also->block.size, 30);
	assert_int_equal(c->heap->overlaps, 1);
	assert_int_equal(c->heap->live.bytes, 32);
	assert_int_equal(c->heap->freed.blocks, 1);
	story_free(s);
}

TEST(test_release_before_its_acquire_waits_for_it)
{
	struct story *s = story_new(0);
	const struct change *c;
	const struct heap *h;

	c = story_free_block(s, 1, 100, 0x1000);
	assert_true(c->has_call && !c->released);
	c = story_alloc(s, 0, 120, 0x1000, 50, 7);
	assert_true(c->acquired && c->also && c->also->released);
	h = story_end(s, 1);
	assert_int_equal(h->unmatched_frees, 0);
	assert_int_equal(h->total.blocks, 1);
	assert_int_equal(h->live.blocks, 0);
	assert_int_equal(h->peak.bytes, 50);
	story_free(s);
}

TEST(test_release_whose_acquire_comes_too_late_is_unmatched)
{
	struct story *s = story_new(0);
	const struct heap *h;

	story_free_block(s, 1, 100, 0x1000);
	assert_true(story_alloc(s, 0, 101 + SKEW_NS, 0x1000, 50, 7)->acquired);
	h = story_end(s, 1);
	assert_int_equal(h->unmatched_frees, 1);
	assert_int_equal(h->live.blocks, 1);
	story_free(s);
}

TEST(test_realloc_before_the_acquire_of_its_block_still_gets_it)
{
	struct story *s = story_new(0);
	const struct change *c;

	story_realloc_begin(s, 1, 100, 0x1000);
	c = story_alloc(s, 0, 110, 0x1000, 50, 7);
	assert_true(c->acquired);
	assert_null(c->also);
	c = story_realloc_end(s, 1, 400, 0x2000, 80, 8);
	assert_true(c->released && c->acquired);
	assert_int_equal(c->old.size, 50);
	assert_int_equal(story_end(s, 1)->unmatched_frees, 0);
	story_free(s);
}

TEST(test_two_releases_of_an_address_take_both_of_its_blocks)
{
	struct story *s = story_new(0);
	const struct heap *h;

	story_alloc(s, 0, 10, 0x1000, 100, 7);
	story_free_block(s, 1, 100, 0x1000);
	story_free_block(s, 2, 110, 0x1000);
	story_alloc(s, 0, 120, 0x1000, 30, 7);
	h = story_end(s, 1);
	assert_int_equal(h->unmatched_frees, 0);
	assert_int_equal(h->live.blocks, 0);
	assert_int_equal(h->total.blocks, 2);
	story_free(s);
}

TEST(test_skew_queue_gives_up_the_oldest_where_it_is_full)
{
	struct story *s = story_new(0);
	const struct heap *h;

	/* all at the same moment: none has waited too long */
	for (uint64_t i = 1; i <= HELD_MAX + 10; i++)
		story_free_block(s, 0, 10, i * 16);
	h = replay_heap(story_replay(s), 0);
	assert_int_equal(h->unmatched_frees, 10);
	assert_int_equal(h->unmatched_first_addr, 16);
	assert_int_equal(story_end(s, 1)->unmatched_frees, HELD_MAX + 10);
	story_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_acquire_of_a_live_address_waits_for_its_release),
		cmocka_unit_test(test_acquire_whose_release_never_comes_is_an_overlap),
		cmocka_unit_test(test_release_before_its_acquire_waits_for_it),
		cmocka_unit_test(test_release_whose_acquire_comes_too_late_is_unmatched),
		cmocka_unit_test(test_realloc_before_the_acquire_of_its_block_still_gets_it),
		cmocka_unit_test(test_two_releases_of_an_address_take_both_of_its_blocks),
		cmocka_unit_test(test_skew_queue_gives_up_the_oldest_where_it_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
