/* Distinct frames: each once, with its earliest stamp, however many. */
#include "cli/frame_set.h"

#include "test.h"

TEST(test_frame_set_same_frame_counts_once_and_keeps_the_earliest_stamp)
{
	struct frame_set s = { 0 };

	frame_set_add(&s, 1, 0x1000, 50);
	frame_set_add(&s, 1, 0x1000, 20);
	frame_set_add(&s, 1, 0x1000, 70);
	assert_int_equal(s.count, 1);
	for (size_t i = 0; i < s.capacity; i++)
		if (s.entries[i].image)
			assert_int_equal(s.entries[i].stamp, 20);
	frame_set_release(&s);
}

TEST(test_frame_set_images_do_not_share_frames_and_image_0_is_none)
{
	struct frame_set s = { 0 };

	frame_set_add(&s, 1, 0x1000, 1);
	frame_set_add(&s, 2, 0x1000, 1);
	frame_set_add(&s, 0, 0x1000, 1);
	assert_int_equal(s.count, 2);
	frame_set_release(&s);
}

TEST(test_frame_set_grows_without_losing_any)
{
	struct frame_set s = { 0 };

	for (int round = 0; round < 2; round++)
		for (uint64_t i = 0; i < 100000; i++)
			frame_set_add(&s, 1 + (uint32_t)(i % 3), 0x400000 + 16 * (i / 3), i);
	assert_int_equal(s.count, 100000);
	frame_set_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame_set_same_frame_counts_once_and_keeps_the_earliest_stamp),
		cmocka_unit_test(test_frame_set_images_do_not_share_frames_and_image_0_is_none),
		cmocka_unit_test(test_frame_set_grows_without_losing_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
