/*
 * test_rss_moment.c - the heap at the moment of the most resident memory, and which events
 * need not be shown to find it.
 */
#include "forms/rss_moment.h"

#include "test.h"

static struct image images[] = { { .number = 3, .pid = 30 }, { .number = 7, .pid = 70 } };
static struct memory_sample samples[] = {
	{ .stamp = 100, .image = 7, .rss = 5000, .has_parts = true },
	{ .stamp = 200, .image = 3, .rss = 9000, .has_parts = true },
	{ .stamp = 300, .image = 3, .rss = 8000, .has_parts = true },
};
static struct recording recording = {
	.images = images, .image_count = 2, .samples = samples, .sample_count = 3,
};
static struct heap heaps[] = { { .image = &images[0] }, { .image = &images[1] } };

/* An event of image HEAP at STAMP, after which LIVE bytes are live: SIZE of them just acquired. */
static uint64_t shown(struct rss_moments *m, int heap, uint64_t stamp, uint64_t live, uint64_t size)
{
	const struct event event = { .image = images[heap].number, .r.stamp = stamp };
	const struct change change = {
		.heap = &heaps[heap], .kind = KIND_HEAP, .acquired = true, .block.size = size,
	};

	heaps[heap].live = (struct amount){ live / size, live };
	return rss_moments_watch(m, &event, &change);
}

TEST(test_the_heap_is_the_one_before_the_first_event_after_the_sample)
{
	struct rss_moments *m = rss_moments_new(&recording, 0, UINT64_MAX);
	const struct rss_moment *moment;

	assert_int_equal(shown(m, 0, 50, 10, 10), 100);
	assert_int_equal(shown(m, 1, 100, 20, 10), 100);
	/* of an image whose own moment is to come */
	assert_int_equal(shown(m, 0, 150, 20, 10), 100);
	assert_int_equal(shown(m, 1, 160, 30, 10), 200);
	assert_int_equal(shown(m, 1, 250, 90, 10), 200);
	assert_int_equal(shown(m, 0, 200, 30, 10), 200);
	assert_true(shown(m, 0, 201, 40, 10) == UINT64_MAX);
	assert_true(shown(m, 0, 400, 70, 10) == UINT64_MAX);
	moment = rss_moments_of(m, &images[0], &heaps[0]);
	assert_int_equal(moment->stamp, 200);
	assert_int_equal(moment->live.bytes, 30);
	moment = rss_moments_of(m, &images[1], &heaps[1]);
	assert_int_equal(moment->stamp, 100);
	assert_int_equal(moment->live.bytes, 20);
	rss_moments_free(m);
}

TEST(test_moments_may_come_in_another_order_than_their_events)
{
	struct rss_moments *m = rss_moments_new(&recording, 0, UINT64_MAX);

	/* image 7 does nothing after its moment: it waits for ever, image 3 does not */
	assert_int_equal(shown(m, 0, 210, 40, 10), 100);
	assert_int_equal(rss_moments_of(m, &images[0], &heaps[0])->live.bytes, 30);
	heaps[1].live.bytes = 77;
	assert_int_equal(rss_moments_of(m, &images[1], &heaps[1])->live.bytes, 77);
	rss_moments_free(m);
}

TEST(test_without_a_sample_no_event_says_anything)
{
	struct rss_moments *m = rss_moments_new(&recording, 400, UINT64_MAX);

	assert_true(shown(m, 0, 450, 40, 10) == UINT64_MAX);
	assert_false(rss_moments_of(m, &images[0], &heaps[0])->is_known);
	rss_moments_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_heap_is_the_one_before_the_first_event_after_the_sample),
		cmocka_unit_test(test_moments_may_come_in_another_order_than_their_events),
		cmocka_unit_test(test_without_a_sample_no_event_says_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
