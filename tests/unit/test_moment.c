/*
 * test_moment.c - moments as words.
 */
#include "unit/form_subject.h"

#include "cli/moment.h"

static struct mktrace *story(void)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p");

	mk_malloc(t, s, 1000, 0x1000, 8);
	mk_mark(t, 0, 2001, "from outside");
	mk_event_mark(t, s, 3001, "from inside");
	mk_event_mark(t, s, 4001, "from inside");
	mk_free(t, s, 5000, 0x1000);
	return t;
}

static uint64_t stamp_of(const char *text)
{
	struct mktrace *t = story();
	struct recording *r = mktrace_open(t);
	struct diag d = { 0 };
	uint64_t stamp = 0;

	if (moment_parse(text, r, 777, &stamp, &d) != 0)
		fail_msg("%s", d.text);
	recording_close(r);
	mktrace_free(t);
	return stamp;
}

static void check_refused(const char *text, const char *expected)
{
	struct mktrace *t = story();
	struct recording *r = mktrace_open(t);
	struct diag d = { 0 };
	uint64_t stamp;

	assert_int_equal(moment_parse(text, r, 0, &stamp, &d), -1);
	assert_int_equal(d.status, STATUS_USAGE);
	if (!strstr(d.text, expected))
		fail_msg("'%s' is not in '%s'", expected, d.text);
	recording_close(r);
	mktrace_free(t);
}

TEST(test_time_counts_from_the_start)
{
	assert_int_equal(stamp_of("2us"), 2001);
	assert_int_equal(stamp_of("start"), 1);
	assert_int_equal(stamp_of("0"), 1);
}

TEST(test_peak_and_end_are_moments)
{
	assert_int_equal(stamp_of("peak"), 777);
	assert_in_range(stamp_of("end"), 5000, UINT64_MAX);
	assert_true(moment_needs_peak("peak"));
	assert_false(moment_needs_peak("end"));
	assert_false(moment_needs_peak(NULL));
}

TEST(test_mark_may_come_from_outside_and_from_the_program)
{
	assert_int_equal(stamp_of("mark:from outside"), 2001);
	/* the first of two */
	assert_int_equal(stamp_of("mark:from inside"), 3001);
}

TEST(test_other_words_name_what_there_is)
{
	check_refused("mark:never", "no mark 'never': the recording has from outside, from inside");
	check_refused("tomorrow", "'tomorrow' is no moment");
	check_refused("", "'' is no moment");
	check_refused("-1s", "'-1s' is no moment");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time_counts_from_the_start),
		cmocka_unit_test(test_peak_and_end_are_moments),
		cmocka_unit_test(test_mark_may_come_from_outside_and_from_the_program),
		cmocka_unit_test(test_other_words_name_what_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
