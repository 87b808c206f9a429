/* test_replay.c - events reach the heap of their image, and hostile ones do no harm. */
#include "model/replay.h"

#include <stdlib.h>

#include "fixture/story.h"

#include "test.h"

TEST(test_events_of_two_images_do_not_mix)
{
	struct story *s = story_new(0);

	story_image(s, 5, 0, 0, 0);
	story_stream(s, 3, 5);
	story_alloc(s, 0, 10, 0x1000, 10, 7);
	assert_true(story_alloc(s, 3, 11, 0x1000, 20, 8)->acquired);
	story_free_block(s, 0, 12, 0x1000);
	assert_int_equal(story_end(s, 1)->live.blocks, 0);
	assert_int_equal(replay_image_heap(s->replay, 5)->live.bytes, 20);
	assert_int_equal(replay_image_heap(s->replay, 5)->first_stamp, 11);
	assert_int_equal(replay_heap_count(s->replay), 2);
	assert_null(replay_image_heap(s->replay, 2));
	assert_null(replay_heap(s->replay, 2));
	story_free(s);
}

TEST(test_event_of_an_unknown_image_has_no_heap)
{
	struct story *s = story_new(0);

	story_stream(s, 1, 77);
	assert_null(story_alloc(s, 1, 10, 0x1000, 10, 7)->heap);
	assert_null(story_alloc(s, STREAM_MAX + 1, 10, 0x1000, 10, 7)->heap);
	assert_int_equal(story_end(s, 1)->events, 0);
	story_free(s);
}

TEST(test_default_heap_has_the_largest_peak_and_ties_take_the_first)
{
	struct story *s = story_new(0);

	story_image(s, 2, 0, 0, 0);
	story_image(s, 3, 0, 0, 0);
	story_stream(s, 1, 2);
	story_stream(s, 2, 3);
	story_alloc(s, 0, 10, 0x1000, 10, 7);
	story_alloc(s, 1, 11, 0x1000, 30, 8);
	story_alloc(s, 2, 12, 0x1000, 30, 9);
	story_end(s, 1);
	assert_ptr_equal(replay_default_heap(s->replay), replay_image_heap(s->replay, 2));
	story_free(s);
}

TEST(test_default_heap_is_not_the_child_that_inherited_it_all)
{
	struct story *s = story_new(0);

	story_image(s, 2, 1, 100, 0);
	story_stream(s, 1, 2);
	story_alloc(s, 0, 10, 0x1000, 1000, 7);
	story_alloc(s, 1, 110, 0x2000, 10, 20);
	assert_int_equal(story_end(s, 2)->peak.bytes, 1010);
	assert_ptr_equal(replay_default_heap(s->replay), replay_image_heap(s->replay, 1));
	story_free(s);
}

TEST(test_timing_belongs_to_the_last_call_of_the_stream)
{
	struct story *s = story_new(0);
	const struct heap *h;

	s->event.r.duration = 5;
	story_step(s, 0, 9, EVENT_TIMING);   /* of nothing */
	story_alloc(s, 0, 10, 0x1000, 10, 7);
	story_alloc(s, 1, 11, 0x2000, 10, 7);
	story_free_block(s, 1, 12, 0x2000);
	s->event.r.duration = 40;
	story_step(s, 0, 13, EVENT_TIMING);
	s->event.r.duration = 7;
	story_step(s, 1, 14, EVENT_TIMING);
	h = story_end(s, 1);
	assert_int_equal(h->funcs[FUNC_MALLOC].timed_calls, 1);
	assert_int_equal(h->funcs[FUNC_MALLOC].timed_ticks, 40);
	assert_int_equal(h->funcs[FUNC_FREE].timed_ticks, 7);
	story_free(s);
}

TEST(test_losses_are_summed_by_cause)
{
	struct story *s = story_new(0);

	for (int i = 0; i < 2; i++) {
		s->event.r.number = LOSS_NO_SLOT;
		s->event.r.count = 21;
		story_step(s, 0, 10, EVENT_LOSS);
	}
	s->event.r.number = 200;
	s->event.r.count = 1;
	story_step(s, 0, 10, EVENT_LOSS);
	assert_int_equal(story_end(s, 1)->losses[LOSS_NO_SLOT], 42);
	story_free(s);
}

static void count_block(const struct block *b, void *ctx)
{
	(void)b;
	++*(size_t *)ctx;
}

TEST(test_blocks_of_an_ended_image_are_kept_only_on_request)
{
	for (unsigned wants = 0; wants <= REPLAY_BLOCKS; wants += REPLAY_BLOCKS) {
		struct story *s = story_new(wants);
		size_t count = 0;

		s->segments[0].header.last_stamp = 20;
		story_image(s, 2, 0, 0, 0);
		story_stream(s, 1, 2);
		story_alloc(s, 0, 10, 0x1000, 10, 7);
		story_alloc(s, 0, 20, 0x2000, 10, 7);
		story_alloc(s, 1, 21, 0x1000, 10, 8);
		replay_each_live(s->replay, story_end(s, 1), count_block, &count);
		assert_int_equal(count, wants ? 2 : 0);
		/* the figures do not depend on it */
		assert_int_equal(replay_heap(s->replay, 0)->end.blocks, 2);
		count = 0;
		replay_each_live(s->replay, replay_heap(s->replay, 1), count_block, &count);
		assert_int_equal(count, 1);
		story_free(s);
	}
}

TEST(test_live_blocks_and_mappings_are_visited_once)
{
	struct story *s = story_new(0);
	size_t count = 0;

	for (uint64_t i = 1; i <= 10; i++)
		story_alloc(s, 0, i, i * 0x100, i, 7);
	story_free_block(s, 0, 20, 0x300);
	story_syscall(s, 0, 30, SYS_MEM_mmap, STORY_ARGS(0, 4096, 3, 0x22), 0x70000, 0, 7);
	replay_each_live(s->replay, replay_heap(s->replay, 0), count_block, &count);
	assert_int_equal(count, 9);
	count = 0;
	replay_each_mapping(s->replay, replay_heap(s->replay, 0), count_block, &count);
	assert_int_equal(count, 1);
	story_free(s);
}

/* Any records in any order, with addresses and sizes that meet. Run under ASan and UBSan. */
TEST(test_random_records_keep_the_sums_right)
{
	static const uint64_t numbers[] = {
		0, 1, 16, 32, 4096, 8192, 0x70000, 0x71000, 0x7fffffffffff, INT64_MAX,
		UINT64_MAX - 4095, UINT64_MAX - 1, UINT64_MAX,
	};
	const size_t count = sizeof(numbers) / sizeof(numbers[0]);
	struct story *s = story_new(REPLAY_SIZES);
	uint64_t stamp = 0;

	story_image(s, 2, 1, 30000, 90000);
	story_image(s, 3, 2, 60000, 0);
	for (uint32_t i = 0; i < 6; i++)
		story_stream(s, i, 1 + i % 3);
	srandom(3);
	for (int i = 0; i < 60000; i++) {
		struct record *r = &s->event.r;

		stamp += (uint64_t)random() % 4;
		*r = (struct record){
			.addr = numbers[(size_t)random() % count],
			.size = numbers[(size_t)random() % count],
			.nmemb = numbers[(size_t)random() % count],
			.usable = numbers[(size_t)random() % count],
			.result = (int64_t)numbers[(size_t)random() % count],
			.count = numbers[(size_t)random() % count],
			.duration = numbers[(size_t)random() % count],
			.func = (uint8_t)(random() % FUNC_COUNT),
			.cls = (uint8_t)(random() % CLASS_COUNT),
			.number = (uint8_t)(random() % 6),
			.flags = (uint8_t)(random() % 8),
			.thread = (uint32_t)random() % 2,
		};
		for (int a = 0; a < 6; a++)
			r->args[a] = numbers[(size_t)random() % count];
		s->event.stack = (stack_id)(random() % 5);
		story_step(s, (uint32_t)random() % 6, stamp,
			   (enum event_kind)(1 + random() % 15));
	}
	story_end(s, 1);
	for (size_t i = 0; i < 3; i++) {
		const struct heap *h = replay_heap(s->replay, i);
		struct amount live = { 0 }, mapped = { 0 };

		assert_int_equal(h->inherited_blocks + h->total.blocks - h->freed.blocks,
				 h->live.blocks);
		for (size_t k = 0; k < h->site_count; k++) {
			struct amount *sum = h->sites[k].kind == KIND_HEAP ? &live : &mapped;

			sum->blocks += h->sites[k].live.blocks;
			sum->bytes += h->sites[k].live.bytes;
		}
		assert_memory_equal(&live, &h->live, sizeof(live));
		assert_memory_equal(&mapped, &h->mapped_live, sizeof(mapped));
	}
	story_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events_of_two_images_do_not_mix),
		cmocka_unit_test(test_event_of_an_unknown_image_has_no_heap),
		cmocka_unit_test(test_default_heap_has_the_largest_peak_and_ties_take_the_first),
		cmocka_unit_test(test_default_heap_is_not_the_child_that_inherited_it_all),
		cmocka_unit_test(test_timing_belongs_to_the_last_call_of_the_stream),
		cmocka_unit_test(test_losses_are_summed_by_cause),
		cmocka_unit_test(test_blocks_of_an_ended_image_are_kept_only_on_request),
		cmocka_unit_test(test_live_blocks_and_mappings_are_visited_once),
		cmocka_unit_test(test_random_records_keep_the_sums_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
