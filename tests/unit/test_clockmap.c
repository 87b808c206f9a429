/*
 * test_clockmap.c - the length of a tick, from whatever the recording knows.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fixture/mktrace.h"
#include "test.h"
#include "trace/meta_fields.h"
#include "trace/packed_writer.h"

struct sample {
	uint64_t stamp, monotonic_ns, realtime_ns;
};

static const struct file_header counter = { .clock = CLOCK_KIND_TSC, .stamp_shift = 4,
					    .start_stamp = 1000000 };

/* ns_per_tick of a recording with HEAD and COUNT clock records. */
static double tick(const struct file_header *head, const struct sample *samples,
		   size_t count, bool *is_estimate)
{
	char path[] = "/tmp/test_clockmap.XXXXXX";
	int fd = mkstemp(path);
	struct packed_writer *w = packed_writer_open(fd, head);
	struct meta_fields f = { 0 };
	struct recording *r;
	double result;

	assert_non_null(w);
	for (size_t i = 0; i < count; i++) {
		meta_fields_number(&f, 1 + i % 2);
		meta_fields_number(&f, samples[i].stamp);
		meta_fields_number(&f, samples[i].monotonic_ns);
		meta_fields_number(&f, samples[i].realtime_ns);
		packed_writer_meta(w, META_CLOCK, f.bytes, f.count);
		meta_fields_release(&f);
	}
	packed_writer_finish(w);
	packed_writer_close(w);
	close(fd);
	r = recording_open(path, NULL);
	unlink(path);
	assert_non_null(r);
	result = r->ns_per_tick;
	*is_estimate = r->clock_is_estimate;
	recording_close(r);
	return result;
}

static void assert_near(double a, double b)
{
	if (fabs(a - b) > 1e-9 * fabs(b))
		fail_msg("%.12g is not %.12g", a, b);
}

TEST(test_clockmap_monotonic_clock_needs_no_sample)
{
	struct file_header head = { .clock = CLOCK_KIND_MONOTONIC, .stamp_shift = 3 };
	bool is_estimate;

	assert_near(tick(&head, NULL, 0, &is_estimate), 8);
	assert_false(is_estimate);
}

TEST(test_clockmap_frequency_of_the_header_is_taken)
{
	struct file_header head = counter;
	bool is_estimate;

	head.ticks_per_second = 200000000;
	assert_near(tick(&head, NULL, 0, &is_estimate), 5);
	assert_false(is_estimate);
}

TEST(test_clockmap_samples_furthest_apart_decide)
{
	/* of two processes, not in order, the middle one off by a microsecond */
	const struct sample samples[] = {
		{ 1500000, 53126000, 0 }, { 3000000, 60625000, 0 }, { 1000000, 50625000, 0 },
	};
	bool is_estimate;

	assert_near(tick(&counter, samples, 3, &is_estimate), 5);
	assert_false(is_estimate);
}

TEST(test_clockmap_one_sample_and_the_headers_time_of_day_are_enough)
{
	const struct sample sample = { 3000000, 777, 5010000000 };
	struct file_header head = counter;
	bool is_estimate;

	head.wall_ns = 5000000000;
	assert_near(tick(&head, &sample, 1, &is_estimate), 5);
	assert_false(is_estimate);
}

TEST(test_clockmap_samples_too_close_are_an_estimate)
{
	const struct sample samples[] = { { 1000000, 50000000, 0 }, { 1000100, 50000500, 0 } };
	bool is_estimate;

	assert_near(tick(&counter, samples, 2, &is_estimate), 5);
	assert_true(is_estimate);
}

TEST(test_clockmap_no_sample_or_nonsense_is_an_estimate_in_a_sane_range)
{
	const struct sample bad[][2] = {
		{ { 1000000, 50000000, 0 }, { 2000000, 40000000, 0 } },
		{ { 1000000, 1, 0 }, { 1000001, UINT64_MAX, 0 } },
		{ { 1, 1, 0 }, { UINT64_MAX, 2, 0 } },
		{ { 0, 0, 0 }, { 0, 0, 0 } },
	};
	bool is_estimate;

	for (size_t i = 0; i < 4; i++) {
		double ns = tick(&counter, bad[i], 2, &is_estimate);

		assert_true(is_estimate);
		assert_true(ns > 1 && ns < 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clockmap_monotonic_clock_needs_no_sample),
		cmocka_unit_test(test_clockmap_frequency_of_the_header_is_taken),
		cmocka_unit_test(test_clockmap_samples_furthest_apart_decide),
		cmocka_unit_test(test_clockmap_one_sample_and_the_headers_time_of_day_are_enough),
		cmocka_unit_test(test_clockmap_samples_too_close_are_an_estimate),
		cmocka_unit_test(test_clockmap_no_sample_or_nonsense_is_an_estimate_in_a_sane_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
