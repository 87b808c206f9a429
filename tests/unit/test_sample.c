/*
 * test_sample.c - which blocks are recorded: as often as their size says, each with
 * its release, and a counted loss where the set has no room.
 */
#include <math.h>
#include <string.h>

#include "address_set.h"
#include "sample.h"
#include "session.h"
#include "test.h"
#include "own_ring.h"

#define MEAN 4096

static void begin(bool is_fast)
{
	own_ring_make(4, 8, WHEN_FULL_DROP, false);
	session.options.sample_bytes = MEAN;
	sample_init();
	sampling.is_fast = is_fast;
	thread = (struct thread){ .func = FUNC_MALLOC };
}

static void end(void)
{
	memset(sampling.live.filter, 0, ADDRESS_FILTER_BYTES);
	memset(sampling.live.slots, 0, ADDRESS_SET_SLOTS * sizeof(uint64_t));
	sampling.mean = 0;
	thread = (struct thread){ 0 };
	own_ring_drop();
}

static const void *address(uint64_t i)
{
	return (const void *)(0x10000 + i * 16);
}

static void count_one_size(uint64_t size, uint64_t calls)
{
	double p = -expm1(-(double)(size ? size : 1) / MEAN), taken = 0;

	sample_prepare(&thread);
	for (uint64_t i = 0; i < calls; i++) {
		bool takes = sample_takes(&thread, address(i % 1000), size);

		taken += takes;
		assert_int_equal(sample_gives_back(&thread, address(i % 1000)), takes);
	}
	assert_true(fabs(taken / (double)calls - p) <= 5 * sqrt(p * (1 - p) / (double)calls) + 1e-9);
}

TEST(test_blocks_are_taken_as_often_as_their_size_says_and_given_back_once)
{
	static const uint64_t sizes[] = { 0, 1, 100, 4096, 20000, 1 << 20 };

	for (int fast = 0; fast < 2; fast++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			begin(fast);
			count_one_size(sizes[i], 400000);
			assert_int_equal(session.ring->losses[LOSS_SAMPLES], 0);
			end();
		}
	}
}

TEST(test_fast_way_counts_in_the_budget_that_the_hooks_read)
{
	uint64_t budget;

	begin(true);
	assert_false(sample_skips(FUNC_MALLOC, 1));
	sample_prepare(&thread);
	budget = thread.budget;
	assert_true(budget > 0);
	assert_false(sample_skips(FUNC_MALLOC, budget));
	assert_int_equal(sample_skips(FUNC_MALLOC, 0), budget > 1);
	assert_int_equal(thread.budget, budget > 1 ? budget - 1 : budget);
	assert_true(sample_takes(&thread, address(1), UINT64_MAX));
	assert_false(sample_skips_resize(FUNC_REALLOC, address(1), 0));
	sample_fork(&thread);
	assert_false(sample_skips(FUNC_MALLOC, 0));
	end();
	/* without sampling the door is shut */
	assert_false(sample_skips(FUNC_MALLOC, 0));
}

TEST(test_sample_without_room_in_the_set_is_a_counted_loss)
{
	uint64_t lost = 0;

	begin(false);
	sample_prepare(&thread);
	for (uint64_t i = 0; i < ADDRESS_SET_SLOTS + 1000; i++)
		lost += !sample_takes(&thread, address(i), UINT64_MAX / 2);
	assert_true(lost >= 1000);
	assert_int_equal(session.ring->losses[LOSS_SAMPLES], lost);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks_are_taken_as_often_as_their_size_says_and_given_back_once),
		cmocka_unit_test(test_fast_way_counts_in_the_budget_that_the_hooks_read),
		cmocka_unit_test(test_sample_without_room_in_the_set_is_a_counted_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
