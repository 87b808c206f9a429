/*
 * test_estimate.c - what a sampled block stands for, and that nothing of it is left
 * when all is released.
 */
#include <math.h>

#include "model/estimate.h"
#include "test.h"

TEST(test_weight_without_sampling_is_the_block_itself)
{
	const struct block b = { .addr = 16, .size = 100 };
	struct amount w = estimate_weight(&b, 0);

	assert_int_equal(w.blocks, 1);
	assert_int_equal(w.bytes, 100);
}

TEST(test_weights_are_the_inverse_of_the_probability_on_average)
{
	static const uint64_t sizes[] = { 0, 1, 64, 4096, 16384, 40000, 1 << 20 };
	const uint64_t mean = 16384;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		double size = sizes[i] ? (double)sizes[i] : 1;
		double expected = -1 / expm1(-size / (double)mean), sum = 0;

		for (uint64_t j = 0; j < 10000; j++) {
			struct block b = { .addr = 0x1000 + j * 48, .size = sizes[i], .birth_stamp = j };
			struct amount w = estimate_weight(&b, mean);

			sum += (double)w.blocks;
			assert_true(w.blocks >= 1 && fabs((double)w.blocks - expected) < 1);
			assert_true(fabs((double)w.bytes - expected * (double)sizes[i]) <= 0.51);
		}
		/* rounding has a deviation of at most 1/2: 0.005 for the mean */
		assert_true(fabs(sum / 10000 - expected) < 0.025);
	}
}

TEST(test_weights_of_nonsense_stay_finite)
{
	const struct block largest = { .addr = 16, .size = BLOCK_SIZE_MAX };
	const struct block none = { .addr = 16 };

	assert_int_equal(estimate_weight(&largest, UINT64_MAX).blocks >= 1, true);
	assert_true(estimate_weight(&none, UINT64_MAX).blocks <= ((uint64_t)1 << 40) + 1);
	assert_int_equal(estimate_weight(&largest, 1).bytes, BLOCK_SIZE_MAX);
}

TEST(test_heap_is_empty_again_when_all_is_released)
{
	struct image image = { .number = 1 };
	struct site_index index = { 0 };
	struct heap_state h = { 0 };
	struct block b = { .cls = CLASS_HEAP, .slack = 8 };

	heap_init(&h, &image, &index, REPLAY_SIZES, 0);
	h.public.sampling_bytes = 4096;
	b.site = heap_site(&h, 1, KIND_HEAP);
	for (uint64_t i = 1; i <= 100; i++) {
		b.addr = i * 16;
		b.size = i * 100;
		b.birth_stamp = i;
		heap_count_acquire(&h, &b, b.size + 8);
	}
	assert_int_equal(h.public.live.bytes, h.public.peak.bytes);
	assert_true(h.public.total.bytes > 100 * 4096 && h.public.total.blocks > 100);
	for (uint64_t i = 1; i <= 100; i++) {
		b.addr = i * 16;
		b.size = i * 100;
		b.birth_stamp = i;
		heap_count_release(&h, &b, 200, true);
	}
	heap_finish(&h);
	assert_int_equal(h.public.live.bytes, 0);
	assert_int_equal(h.public.live.blocks, 0);
	assert_int_equal(h.public.usable_live, 0);
	assert_true(h.public.massif_live_bytes == 0);
	assert_int_equal(h.public.temporary.blocks, 0);
	assert_int_equal(h.public.freed.bytes, h.public.total.bytes);
	assert_int_equal(h.public.sites[0].peak.bytes, h.public.peak.bytes);
	assert_int_equal(h.public.size_count, 100);
	heap_release(&h);
	site_index_release(&index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_weight_without_sampling_is_the_block_itself),
		cmocka_unit_test(test_weights_are_the_inverse_of_the_probability_on_average),
		cmocka_unit_test(test_weights_of_nonsense_stay_finite),
		cmocka_unit_test(test_heap_is_empty_again_when_all_is_released),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
