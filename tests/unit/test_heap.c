/* test_heap.c - the sums of an image and its peaks, against figures kept the slow way. */
#include "model/heap.h"

#include <stdlib.h>
#include <string.h>

#include "fixture/story.h"

#include "test.h"

TEST(test_peak_of_equal_bytes_is_the_latest)
{
	struct story *s = story_new(0);
	const struct heap *h;

	story_alloc(s, 0, 10, 0x1000, 400, 7);
	story_free_block(s, 0, 20, 0x1000);
	story_alloc(s, 0, 30, 0x2000, 200, 8);
	story_alloc(s, 0, 40, 0x3000, 200, 9);
	story_free_block(s, 0, 50, 0x2000);
	h = story_end(s, 1);
	assert_int_equal(h->peak.bytes, 400);
	assert_int_equal(h->peak.blocks, 2);
	assert_int_equal(h->peak_stamp, 40);
	assert_int_equal(story_site(h, 7, KIND_HEAP)->peak.bytes, 0);
	assert_int_equal(story_site(h, 8, KIND_HEAP)->peak.bytes, 200);
	assert_int_equal(story_site(h, 9, KIND_HEAP)->peak.bytes, 200);
	story_free(s);
}

/* valgrind --tool=massif 3.19, a program of 1,000 blocks: heap + extra bytes per block */
TEST(test_massif_measure_is_valgrinds)
{
	static const struct { uint64_t size, measure; } cases[] = {
		{ 0, 8 }, { 1, 24 }, { 9, 24 }, { 16, 24 }, { 17, 40 }, { 24, 40 },
		{ 32, 40 }, { 40, 56 }, { 100, 120 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct story *s = story_new(0);

		story_alloc(s, 0, 10, 0x1000, cases[i].size, 7);
		assert_int_equal(story_end(s, 1)->massif_peak_bytes, cases[i].measure);
		story_free(s);
	}
}

/* The same with realloc(malloc(500), 100): 520 a block. */
TEST(test_massif_measure_of_a_shrunk_block_keeps_its_room)
{
	struct story *s = story_new(0);
	const struct heap *h = replay_heap(story_replay(s), 0);

	story_alloc(s, 0, 10, 0x1000, 500, 7);
	assert_int_equal(h->massif_live_bytes, 520);
	story_realloc_begin(s, 0, 20, 0x1000);
	story_realloc_end(s, 0, 21, 0x1000, 100, 7);
	assert_int_equal(h->massif_live_bytes, 520);
	story_realloc_begin(s, 0, 30, 0x1000);
	story_realloc_end(s, 0, 31, 0x1000, 512, 7);
	assert_int_equal(h->massif_live_bytes, 520);
	story_realloc_begin(s, 0, 40, 0x1000);
	story_realloc_end(s, 0, 41, 0x1000, 513, 7);
	assert_int_equal(h->massif_live_bytes, 536);
	story_free_block(s, 0, 50, 0x1000);
	assert_int_equal(h->massif_live_bytes, 0);
	assert_int_equal(h->massif_peak_bytes, 536);
	story_free(s);
}

TEST(test_massif_peak_is_the_state_just_before_the_next_release)
{
	struct story *s = story_new(0);
	const struct heap *h;

	story_alloc(s, 1, 10, 0x1000, 1, 7);
	story_realloc_begin(s, 1, 20, 0x1000);
	story_realloc_end(s, 1, 21, 0x1000, 16, 8);
	story_free_block(s, 1, 30, 0x1000);
	/* as much again is no new peak */
	story_alloc(s, 1, 40, 0x1000, 2, 9);
	h = story_end(s, 1);
	assert_int_equal(h->massif_peak_bytes, 24);
	assert_int_equal(h->massif_peak.bytes, 16);
	assert_int_equal(h->massif_peak_stamp, 21);
	assert_int_equal(story_site(h, 8, KIND_HEAP)->massif_peak.bytes, 16);
	assert_int_equal(story_site(h, 9, KIND_HEAP)->massif_peak.bytes, 0);
	story_free(s);
}

TEST(test_massif_measure_of_a_large_block_is_whole_pages)
{
	struct story *s = story_new(0);

	story_alloc(s, 1, 10, 0x1000, 40000000, 7);
	/* valgrind 3.19: mem_heap_B 40000000, mem_heap_extra_B 1480 */
	assert_int_equal(story_end(s, 1)->massif_peak_bytes, 40001480);
	story_free(s);
}

TEST(test_massif_peak_may_be_another_moment_than_the_peak)
{
	struct story *s = story_new(0);
	const struct heap *h;

	for (uint64_t i = 1; i <= 10; i++)
		story_alloc(s, 0, i, i * 0x1000, 1, 7);  /* 240 by Massif, 10 requested */
	for (uint64_t i = 1; i <= 10; i++)
		story_free_block(s, 0, 20 + i, i * 0x1000);
	story_alloc(s, 0, 40, 0x1000, 64, 8);            /* 72 by Massif, 64 requested */
	h = story_end(s, 1);
	assert_int_equal(h->peak.bytes, 64);
	assert_int_equal(h->massif_peak_bytes, 240);
	assert_int_equal(h->massif_peak.blocks, 10);
	assert_int_equal(h->massif_peak_stamp, 10);
	assert_int_equal(story_site(h, 7, KIND_HEAP)->massif_peak.blocks, 10);
	assert_int_equal(story_site(h, 7, KIND_HEAP)->peak.blocks, 0);
	assert_int_equal(story_site(h, 8, KIND_HEAP)->massif_peak.blocks, 0);
	story_free(s);
}

#define BLOCKS 300
#define STACKS 9

struct slow_block { uint64_t size, room; stack_id stack; };

static uint64_t massif_of(const struct slow_block *b)
{
	return b->size == UINT64_MAX ? 0 : b->room + 8;
}

/* Random events; at each one all sums are made anew. */
TEST(test_site_figures_at_both_peaks_agree_with_a_slow_count)
{
	struct story *s = story_new(REPLAY_SIZES);
	struct slow_block blocks[BLOCKS], peak[BLOCKS], massif_peak[BLOCKS];
	uint64_t most = 0, most_massif = 0, sizes = 0;
	const struct heap *h;

	memset(blocks, 0xff, sizeof(blocks));
	memset(peak, 0xff, sizeof(peak));
	memset(massif_peak, 0xff, sizeof(massif_peak));
	srandom(7);
	for (uint64_t stamp = 1; stamp < 20000; stamp++) {
		size_t i = (size_t)random() % BLOCKS;
		uint64_t size = (uint64_t)random() % 200, live = 0, massif = 0;
		stack_id stack = 1 + (stack_id)(random() % STACKS);
		bool is_release = blocks[i].size != UINT64_MAX, is_realloc = random() % 4 == 0;

		if (is_release && is_realloc) {
			story_realloc_begin(s, 0, stamp, 16 + i * 16);
			story_realloc_end(s, 0, stamp, 16 + i * 16, size, stack);
			blocks[i].size = size;
			blocks[i].stack = stack;
			if (size > blocks[i].room)
				blocks[i].room = (size + 15) / 16 * 16;
		} else if (is_release) {
			story_free_block(s, 0, stamp, 16 + i * 16);
			blocks[i].size = UINT64_MAX;
		} else {
			story_alloc(s, 0, stamp, 16 + i * 16, size, stack);
			blocks[i] = (struct slow_block){ size, (size + 15) / 16 * 16, stack };
		}
		for (size_t k = 0; k < BLOCKS; k++) {
			live += blocks[k].size == UINT64_MAX ? 0 : blocks[k].size;
			massif += massif_of(&blocks[k]);
		}
		if ((!is_release || is_realloc) && live >= most) {
			most = live;
			memcpy(peak, blocks, sizeof(peak));
		}
		if (massif > most_massif) {
			most_massif = massif;
			memcpy(massif_peak, blocks, sizeof(massif_peak));
		}
	}
	h = story_end(s, 1);
	assert_int_equal(h->peak.bytes, most);
	assert_int_equal(h->massif_peak_bytes, most_massif);
	for (stack_id stack = 1; stack <= STACKS; stack++) {
		const struct site *site = story_site(h, stack, KIND_HEAP);
		struct amount at_peak = { 0 }, at_massif = { 0 }, at_end = { 0 };

		for (size_t k = 0; k < BLOCKS; k++) {
			if (peak[k].size != UINT64_MAX && peak[k].stack == stack) {
				at_peak.blocks++;
				at_peak.bytes += peak[k].size;
			}
			if (massif_peak[k].size != UINT64_MAX && massif_peak[k].stack == stack) {
				at_massif.blocks++;
				at_massif.bytes += massif_peak[k].size;
			}
			if (blocks[k].size != UINT64_MAX && blocks[k].stack == stack) {
				at_end.blocks++;
				at_end.bytes += blocks[k].size;
			}
		}
		assert_memory_equal(&site->peak, &at_peak, sizeof(at_peak));
		assert_memory_equal(&site->massif_peak, &at_massif, sizeof(at_massif));
		assert_memory_equal(&site->end, &at_end, sizeof(at_end));
		assert_int_equal(site->total.blocks - site->freed.blocks, site->live.blocks);
		assert_int_equal(site->total.bytes - site->freed.bytes, site->live.bytes);
	}
	for (size_t i = 0; i < h->size_count; i++)
		sizes += h->sizes[i].count;
	assert_int_equal(sizes, h->total.blocks);
	assert_int_equal(h->usable_live >= h->live.bytes, 1);
	story_free(s);
}

TEST(test_site_with_one_size_counts_all_of_its_blocks)
{
	struct story *s = story_new(0);
	const struct site *site;

	for (uint64_t i = 1; i <= 100; i++)
		story_alloc(s, 0, i, i * 32, i % 4 ? 992 : 16, 7);
	for (uint64_t i = 1; i <= 100; i++)
		story_alloc(s, 0, 200 + i, 0x100000 + i * 32, 24, 8);
	site = story_site(story_end(s, 1), 7, KIND_HEAP);
	assert_int_equal(site->main_size, 992);
	assert_in_range(site->main_blocks, 51, 75);
	site = story_site(replay_heap(s->replay, 0), 8, KIND_HEAP);
	assert_int_equal(site->main_size, 24);
	assert_int_equal(site->main_blocks, 100);
	story_free(s);
}

TEST(test_sums_that_only_grow_saturate)
{
	assert_true(sum_saturated(UINT64_MAX, 1) == UINT64_MAX);
	assert_true(sum_saturated(1, 2) == 3);
	assert_true(difference(1, 2) == 0);
	assert_true(difference(5, 2) == 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_peak_of_equal_bytes_is_the_latest),
		cmocka_unit_test(test_massif_measure_is_valgrinds),
		cmocka_unit_test(test_massif_measure_of_a_shrunk_block_keeps_its_room),
		cmocka_unit_test(test_massif_peak_is_the_state_just_before_the_next_release),
		cmocka_unit_test(test_massif_measure_of_a_large_block_is_whole_pages),
		cmocka_unit_test(test_massif_peak_may_be_another_moment_than_the_peak),
		cmocka_unit_test(test_site_figures_at_both_peaks_agree_with_a_slow_count),
		cmocka_unit_test(test_site_with_one_size_counts_all_of_its_blocks),
		cmocka_unit_test(test_sums_that_only_grow_saturate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
