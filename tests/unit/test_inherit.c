/* test_inherit.c - what a forked image has from its parent, and how little that costs. */
#include "model/inherit.h"

#include <sys/mman.h>

#include "fixture/story.h"

#include "test.h"

#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

/* Image 1 forks image 2 at 100; streams 0 and 1. */
static struct story *fork_story(unsigned wants)
{
	struct story *s = story_new(wants);

	story_image(s, 2, 1, 100, 0);
	story_stream(s, 1, 2);
	return s;
}

TEST(test_child_begins_with_the_blocks_of_its_parent)
{
	struct story *s = fork_story(0);
	const struct change *c;
	const struct heap *h;

	story_alloc(s, 0, 10, 0x1000, 100, 7);
	story_alloc(s, 0, 20, 0x2000, 200, 8);
	story_free_block(s, 0, 30, 0x1000);
	c = story_free_block(s, 1, 110, 0x2000);
	assert_true(c->released);
	assert_int_equal(c->old.size, 200);
	assert_int_equal(c->heap->sites[c->old.site].stack, 8);
	h = story_end(s, 2);
	assert_int_equal(h->inherited_blocks, 1);
	assert_int_equal(h->inherited_bytes, 200);
	assert_true(h->inherited_is_exact);
	assert_int_equal(h->total.blocks, 0);
	assert_int_equal(h->freed.blocks, 1);
	assert_int_equal(h->live.bytes, 0);
	assert_int_equal(h->peak.bytes, 200);
	assert_int_equal(h->unmatched_frees, 0);
	assert_int_equal(story_site(h, 8, KIND_HEAP)->peak.bytes, 200);
	assert_null(story_site(h, 7, KIND_HEAP));
	/* the parent still has it */
	assert_int_equal(replay_image_heap(s->replay, 1)->live.bytes, 200);
	story_free(s);
}

TEST(test_child_gets_a_block_that_its_parent_has_freed_since)
{
	struct story *s = fork_story(0);

	story_alloc(s, 0, 10, 0x1000, 100, 7);
	story_free_block(s, 0, 110, 0x1000);
	story_alloc(s, 0, 120, 0x1000, 300, 7);  /* the parent's, born after the fork */
	assert_int_equal(story_free_block(s, 1, 130, 0x1000)->old.size, 100);
	/* only once */
	assert_false(story_free_block(s, 1, 140, 0x1000)->released);
	assert_int_equal(story_end(s, 2)->unmatched_frees, 1);
	story_free(s);
}

TEST(test_child_gets_no_block_that_was_born_after_the_fork)
{
	struct story *s = fork_story(0);

	story_alloc(s, 0, 100, 0x1000, 100, 7);  /* at the moment of the fork: before it */
	story_alloc(s, 0, 101, 0x2000, 100, 7);
	assert_true(story_free_block(s, 1, 110, 0x1000)->released);
	assert_false(story_free_block(s, 1, 111, 0x2000)->released);
	assert_int_equal(story_end(s, 2)->inherited_blocks, 1);
	story_free(s);
}

TEST(test_block_in_a_realloc_of_the_parent_is_still_the_childs)
{
	struct story *s = fork_story(0);

	story_alloc(s, 0, 10, 0x1000, 100, 7);
	story_alloc(s, 0, 20, 0x2000, 100, 7);
	story_realloc_begin(s, 0, 110, 0x1000);
	assert_true(story_free_block(s, 1, 120, 0x1000)->released);
	story_realloc_end(s, 0, 130, 0x3000, 400, 7);
	/* and of one that fails */
	story_realloc_begin(s, 0, 140, 0x2000);
	story_failed(s, 0, 150, FUNC_REALLOC, 1);
	assert_true(story_free_block(s, 1, 160, 0x2000)->released);
	assert_false(story_free_block(s, 1, 170, 0x2000)->released);
	assert_int_equal(story_end(s, 1)->live.bytes, 500);
	story_free(s);
}

TEST(test_child_may_realloc_an_inherited_block)
{
	struct story *s = fork_story(0);
	const struct change *c;

	story_alloc(s, 0, 10, 0x1000, 100, 7);
	story_realloc_begin(s, 1, 110, 0x1000);
	c = story_failed(s, 1, 111, FUNC_REALLOC, 1);
	assert_int_equal(c->heap->live.bytes, 100);
	story_realloc_begin(s, 1, 120, 0x1000);
	c = story_realloc_end(s, 1, 121, 0x1000, 150, 20);
	assert_true(c->released && c->acquired);
	assert_int_equal(c->heap->live.bytes, 150);
	assert_int_equal(c->heap->live.blocks, 1);
	assert_true(story_free_block(s, 1, 130, 0x1000)->released);
	assert_int_equal(story_end(s, 2)->live.blocks, 0);
	assert_int_equal(replay_image_heap(s->replay, 1)->live.bytes, 100);
	story_free(s);
}

TEST(test_grandchild_inherits_through_its_parent)
{
	struct story *s = fork_story(0);

	story_image(s, 3, 2, 200, 0);
	story_stream(s, 2, 3);
	story_alloc(s, 0, 10, 0x1000, 1, 7);
	story_alloc(s, 0, 20, 0x2000, 2, 7);
	story_alloc(s, 0, 30, 0x3000, 4, 7);
	story_free_block(s, 1, 110, 0x1000);      /* gone before the second fork */
	story_alloc(s, 1, 120, 0x1000, 8, 20);
	story_free_block(s, 0, 130, 0x3000);      /* the grandparent's own affair */
	story_free_block(s, 1, 210, 0x2000);      /* after the second fork */
	assert_int_equal(story_free_block(s, 2, 220, 0x1000)->old.size, 8);
	assert_int_equal(story_free_block(s, 2, 230, 0x2000)->old.size, 2);
	assert_int_equal(story_free_block(s, 2, 240, 0x3000)->old.size, 4);
	assert_int_equal(story_end(s, 3)->live.bytes, 0);
	assert_int_equal(replay_image_heap(s->replay, 3)->inherited_bytes, 14);
	assert_int_equal(replay_image_heap(s->replay, 3)->unmatched_frees, 0);
	story_free(s);
}

static void add_bytes(const struct block *b, void *ctx)
{
	*(uint64_t *)ctx += b->size;
}

TEST(test_live_blocks_of_a_child_include_the_inherited_ones)
{
	struct story *s = fork_story(REPLAY_BLOCKS);
	uint64_t bytes = 0;

	s->segments[0].header.last_stamp = 150;
	s->segments[1].header.last_stamp = 160;
	story_image(s, 3, 0, 0, 0);
	story_stream(s, 2, 3);
	story_alloc(s, 0, 10, 0x1000, 1, 7);
	story_alloc(s, 0, 20, 0x2000, 2, 7);
	story_alloc(s, 0, 30, 0x3000, 4, 7);
	story_alloc(s, 0, 110, 0x4000, 8, 7);     /* not inherited */
	story_free_block(s, 0, 120, 0x2000);      /* inherited, though the parent freed it */
	story_alloc(s, 1, 130, 0x4000, 16, 20);
	story_free_block(s, 1, 160, 0x3000);
	story_alloc(s, 2, 1000, 0x1000, 32, 30);  /* both have ended */
	replay_each_live(s->replay, story_end(s, 2), add_bytes, &bytes);
	assert_int_equal(bytes, 1 + 2 + 16);
	assert_int_equal(replay_image_heap(s->replay, 2)->live.bytes, bytes);
	story_free(s);
}

TEST(test_mappings_are_inherited_too)
{
	struct story *s = fork_story(0);
	const struct heap *h;

	story_syscall(s, 0, 10, SYS_MEM_mmap, STORY_ARGS(0, 8192, 3, ANONYMOUS), 0x70000, 0, 7);
	story_syscall(s, 0, 20, SYS_MEM_munmap, STORY_ARGS(0x70000, 4096), 0, 0, 7);
	story_syscall(s, 1, 110, SYS_MEM_munmap, STORY_ARGS(0x71000, 4096), 0, 0, 20);
	h = story_end(s, 2);
	assert_int_equal(h->inherited_mapped.bytes, 4096);
	assert_int_equal(h->inherited_mapped.blocks, 1);
	assert_int_equal(h->mapped_live.bytes, 0);
	assert_int_equal(h->mapped_live.blocks, 0);
	assert_int_equal(h->mapped_peak.bytes, 4096);
	assert_int_equal(h->mapped_total.blocks, 0);
	assert_int_equal(story_site(h, 7, KIND_MAPPING)->peak.bytes, 4096);
	assert_int_equal(replay_image_heap(s->replay, 1)->mapped_live.bytes, 4096);
	story_free(s);
}

TEST(test_fork_of_a_parent_with_two_threads_is_not_exact)
{
	struct story *s = fork_story(0);

	s->images[0].thread_count = 2;
	story_alloc(s, 0, 10, 0x1000, 1, 7);
	story_free_block(s, 1, 110, 0x1000);
	assert_false(story_end(s, 2)->inherited_is_exact);
	story_free(s);
}

TEST(test_child_without_events_costs_nothing)
{
	struct story *s = fork_story(0);

	s->images[1].segment_count = 0;
	story_alloc(s, 0, 10, 0x1000, 1, 7);
	story_free_block(s, 0, 110, 0x1000);
	assert_int_equal(story_end(s, 2)->site_count, 0);
	assert_int_equal(replay_image_heap(s->replay, 2)->inherited_blocks, 0);
	story_free(s);
}

TEST(test_parent_forgets_when_its_last_child_has_ended)
{
	struct story *s = fork_story(0);
	const struct inheritance *in;

	s->segments[1].header.last_stamp = 150;
	story_alloc(s, 0, 10, 0x1000, 1, 7);
	story_alloc(s, 0, 20, 0x2000, 1, 7);
	story_free_block(s, 0, 110, 0x1000);
	in = ((struct heap_state *)replay_heap(story_replay(s), 0))->inheritance;
	assert_int_equal(in->dead_count, 1);
	story_free_block(s, 0, 151, 0x2000);
	assert_int_equal(in->dead_count, 0);
	assert_int_equal(in->children, 0);
	story_free(s);
}

TEST(test_images_that_are_each_others_parents_do_no_harm)
{
	struct story *s = story_new(0);

	story_image(s, 2, 3, 100, 0);
	story_image(s, 3, 2, 100, 0);
	story_image(s, 4, 4, 100, 0);
	story_stream(s, 1, 2);
	story_stream(s, 2, 3);
	story_stream(s, 3, 4);
	story_alloc(s, 1, 110, 0x1000, 1, 7);
	story_free_block(s, 2, 120, 0x1000);
	story_free_block(s, 3, 130, 0x1000);
	assert_int_equal(story_end(s, 3)->unmatched_frees, 1);
	story_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_child_begins_with_the_blocks_of_its_parent),
		cmocka_unit_test(test_child_gets_a_block_that_its_parent_has_freed_since),
		cmocka_unit_test(test_child_gets_no_block_that_was_born_after_the_fork),
		cmocka_unit_test(test_block_in_a_realloc_of_the_parent_is_still_the_childs),
		cmocka_unit_test(test_child_may_realloc_an_inherited_block),
		cmocka_unit_test(test_grandchild_inherits_through_its_parent),
		cmocka_unit_test(test_live_blocks_of_a_child_include_the_inherited_ones),
		cmocka_unit_test(test_mappings_are_inherited_too),
		cmocka_unit_test(test_fork_of_a_parent_with_two_threads_is_not_exact),
		cmocka_unit_test(test_child_without_events_costs_nothing),
		cmocka_unit_test(test_parent_forgets_when_its_last_child_has_ended),
		cmocka_unit_test(test_images_that_are_each_others_parents_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
