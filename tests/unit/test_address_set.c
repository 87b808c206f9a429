/*
 * test_address_set.c - the set of sampled blocks: what is added is found and taken
 * once, by one thread and by several.
 */
#include <pthread.h>
#include <string.h>

#include "address_set.h"
#include "test.h"

static struct address_set set;

static const void *address(uint64_t i)
{
	return (const void *)(0x7f0000000000u + i * 16);
}

static int make(void **state)
{
	(void)state;
	return address_set_make(&set) ? 0 : -1;
}

TEST(test_an_address_is_held_from_add_to_take_and_taken_once)
{
	assert_false(address_set_may_hold(&set, address(5)));
	assert_false(address_set_take(&set, address(5)));
	assert_true(address_set_add(&set, address(5)));
	assert_true(address_set_may_hold(&set, address(5)));
	assert_false(address_set_take(&set, address(5 + ADDRESS_FILTER_BYTES * 2)));
	assert_true(address_set_take(&set, address(5)));
	assert_false(address_set_may_hold(&set, address(5)));
	assert_false(address_set_take(&set, address(5)));
}

TEST(test_null_is_never_in_the_set)
{
	/* also where the filter has a count in the same place */
	assert_true(address_set_add(&set, (const void *)(uint64_t)0x1000010));
	assert_false(address_set_take(&set, NULL));
	assert_true(address_set_take(&set, (const void *)(uint64_t)0x1000010));
}

TEST(test_half_of_the_slots_can_be_used_and_a_full_window_refuses)
{
	uint32_t added = 0, refused = 0;

	for (uint64_t i = 0; i < ADDRESS_SET_SLOTS * 2; i++) {
		bool done = address_set_add(&set, address(i * 3));

		added += done;
		refused += !done;
		if (i < ADDRESS_SET_SLOTS / 2)
			assert_true(refused < 8);
	}
	assert_true(added > ADDRESS_SET_SLOTS * 9 / 10 && refused > 0);
	for (uint64_t i = 0; i < ADDRESS_SET_SLOTS * 2; i++)
		added -= address_set_take(&set, address(i * 3));
	assert_int_equal(added, 0);
}

TEST(test_a_count_of_the_filter_that_overflows_stays)
{
	/* the same place of the filter: 16 bits above the index change together with it */
	uint64_t base = 0x10000000;

	for (uint64_t i = 0; i < 300; i++)
		assert_true(address_set_add(&set, (void *)(base ^ i << 20 ^ (i & 0xffff) << 4)));
	for (uint64_t i = 0; i < 300; i++)
		assert_true(address_set_take(&set, (void *)(base ^ i << 20 ^ (i & 0xffff) << 4)));
	assert_true(address_set_may_hold(&set, (void *)base));
	memset(set.filter, 0, ADDRESS_FILTER_BYTES);
}

static void *add_and_take(void *arg)
{
	uint64_t first = *(uint64_t *)arg * 1000;

	for (int round = 0; round < 200; round++) {
		for (uint64_t i = first; i < first + 1000; i++)
			if (!address_set_add(&set, address(i)))
				return arg;
		for (uint64_t i = first; i < first + 1000; i++)
			if (!address_set_may_hold(&set, address(i)) ||
			    !address_set_take(&set, address(i)))
				return arg;
	}
	return NULL;
}

TEST(test_threads_do_not_disturb_each_other)
{
	uint64_t numbers[4] = { 0, 1, 2, 3 };
	pthread_t threads[4];
	void *failed;

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_and_take, &numbers[i]), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	for (uint32_t i = 0; i < ADDRESS_FILTER_BYTES; i++)
		assert_int_equal(set.filter[i], 0);
	for (uint32_t i = 0; i < ADDRESS_SET_SLOTS; i++)
		assert_true(set.slots[i] == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_address_is_held_from_add_to_take_and_taken_once),
		cmocka_unit_test(test_null_is_never_in_the_set),
		cmocka_unit_test(test_half_of_the_slots_can_be_used_and_a_full_window_refuses),
		cmocka_unit_test(test_a_count_of_the_filter_that_overflows_stays),
		cmocka_unit_test(test_threads_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests(tests, make, NULL);
}
