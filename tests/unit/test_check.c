/* test_check.c - the gate: what holds, what fails, what cannot be checked. */
#include "unit/form_subject.h"

#define MAIN 0x400000

static struct mktrace *story(void)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/prog");

	mk_module(t, 1, 1, MAIN, MAIN + 0x1000, "/bin/prog");
	mk_malloc(t, s, 1000, 0x1000, 1000, MAIN + 1, MAIN + 9);
	mk_malloc(t, s, 2000, 0x2000, 2000, MAIN + 2, MAIN + 9);
	mk_free(t, s, 3000, 0x1000);
	return t;
}

/* Run "check OPTIONS" over PATH: the status; *TEXT (may be NULL) gets the report, the caller's. */
static int check(const char *path, const char *options, char **text)
{
	char name[] = "/tmp/test_check.XXXXXX";
	char *args[20] = { (char *)"check", (char *)"-o", name };
	char *copy = xstrdup(options), *rest = copy, *word;
	int count = 3, fd = mkstemp(name), status;

	assert_true(fd >= 0);
	close(fd);
	while ((word = strsep(&rest, " ")) != NULL && count < 18)
		args[count++] = word;
	args[count++] = (char *)path;
	status = command_run_form(form_find("check"), count, args);
	if (text)
		*text = read_all(name);
	unlink(name);
	free(copy);
	return status;
}

static void reports(const char *path, const char *options, int status, const char *expected)
{
	char *text;

	assert_int_equal(check(path, options, &text), status);
	if (strncmp(text, expected, strlen(expected)) != 0)
		fail_msg("%s: expected\n%s\ngot\n%s", options, expected, text);
	free(text);
}

TEST(test_limits_that_hold_are_one_line)
{
	struct mktrace *t = story();

	reports(mktrace_file(t), "--max-peak=3000 --max-end=2K --max-blocks=2", STATUS_OK,
		"ok: prog: peak_bytes 2.9 KiB of 2.9 KiB, end_bytes 2.0 KiB of 2.0 KiB, blocks 2 of 2\n");
	mktrace_free(t);
}

TEST(test_each_limit_that_does_not_hold_is_a_line)
{
	struct mktrace *t = story();

	reports(mktrace_file(t), "--max-peak=2K --max-end=1999 --max-blocks=2", STATUS_CONDITION,
		"failed: prog: bytes at the peak: 3,000 (2.9 KiB), --max-peak allows 2,048 (2.0 KiB): "
		"46.5 % more\n"
		"failed: prog: bytes live at the end: 2,000 (2.0 KiB), --max-end allows 1,999 (2.0 KiB): "
		"1 more\n");
	mktrace_free(t);
}

TEST(test_lost_events_fail)
{
	struct mktrace *t = story();
	mk_stream s = mk_thread(t, 1, 102, 7000, "late");

	mk_loss(t, s, 8000, LOSS_NO_SLOT, 1234);
	reports(mktrace_file(t), "--max-peak=1M", STATUS_CONDITION,
		"failed: the recording is not complete: 1,234 events lost: the ring was full and the "
		"recorder did not keep up\n");
	mktrace_free(t);
	t = story();
	reports(mktrace_unfinished(t), "--max-peak=1M", STATUS_CONDITION,
		"failed: the recording is not complete: it is being made, or was cut short\n");
	mktrace_free(t);
}

static const char *baseline_path(void)
{
	static char name[64];

	snprintf(name, sizeof(name), "/tmp/test_check.%d.baseline", (int)getpid());
	return name;
}

static void write_text(const char *text)
{
	FILE *f = fopen(baseline_path(), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

TEST(test_baseline_is_written_and_holds)
{
	struct mktrace *t = story();
	char options[200];
	char *text;

	snprintf(options, sizeof(options), "--write-baseline=%s", baseline_path());
	reports(mktrace_file(t), options, STATUS_OK, "written: /tmp/test_check.");
	text = read_all(baseline_path());
	/* no addresses, no dates */
	assert_string_equal(text,
		"# allotrope baseline 1\n"
		"# Written by 'allotrope check --write-baseline', read by 'allotrope check "
		"--baseline=FILE'.\n"
		"# Sites are for explanation only: bytes and blocks at the peak, function.\n"
		"\n"
		"program prog\n"
		"peak_bytes 3000\n"
		"peak_blocks 2\n"
		"end_bytes 2000\n"
		"end_blocks 1\n"
		"blocks 2\n"
		"bytes 3000\n"
		"mapped_peak_bytes 0\n"
		"site 3000 2 [prog]\n");
	free(text);
	snprintf(options, sizeof(options), "--baseline=%s", baseline_path());
	reports(mktrace_file(t), options, STATUS_OK, "ok: prog: 7 figures within /tmp/test_check.");
	unlink(baseline_path());
	mktrace_free(t);
}

TEST(test_tolerance_decides_by_figure)
{
	struct mktrace *t = story();
	char options[200];

	write_text("# allotrope baseline 1\nprogram prog\npeak_bytes 2900\nend_bytes 1990\n");
	snprintf(options, sizeof(options), "--baseline=%s", baseline_path());
	reports(mktrace_file(t), options, STATUS_CONDITION, "failed: prog: bytes at the peak: 3,000");
	snprintf(options, sizeof(options), "--baseline=%s --tolerance=5%%", baseline_path());
	reports(mktrace_file(t), options, STATUS_OK, "ok: prog: 2 figures within");
	snprintf(options, sizeof(options), "--baseline=%s --tolerance=5%%,end_bytes=9", baseline_path());
	reports(mktrace_file(t), options, STATUS_CONDITION, "failed: prog: bytes live at the end: 2,000");
	snprintf(options, sizeof(options),
		 "--baseline=%s --tolerance=0 --tolerance=peak_bytes=1K,end_bytes=10", baseline_path());
	reports(mktrace_file(t), options, STATUS_OK, "ok: prog: 2 figures within");
	unlink(baseline_path());
	mktrace_free(t);
}

TEST(test_baseline_that_cannot_be_compared_is_an_error)
{
	struct mktrace *t = story();
	char options[200];

	snprintf(options, sizeof(options), "--baseline=%s", baseline_path());
	assert_int_equal(check(mktrace_file(t), options, NULL), STATUS_IO);
	write_text("# allotrope baseline 1\nprogram other\npeak_bytes 2900\n");
	assert_int_equal(check(mktrace_file(t), options, NULL), STATUS_USAGE);
	write_text("# allotrope baseline 1\nprogram prog\npeak_bytes many\n");
	assert_int_equal(check(mktrace_file(t), options, NULL), STATUS_USAGE);
	unlink(baseline_path());
	mktrace_free(t);
}

TEST(test_baseline_of_a_damaged_recording_is_not_written)
{
	struct mktrace *t = story();
	char options[200];

	snprintf(options, sizeof(options), "--write-baseline=%s", baseline_path());
	assert_int_equal(check(mktrace_unfinished(t), options, NULL), STATUS_CONDITION);
	assert_int_equal(access(baseline_path(), F_OK), -1);
	mktrace_free(t);
}

TEST(test_all_programs_of_one_name_are_one)
{
	struct mktrace *t = story();
	mk_stream c = mk_image(t, 2, 101, 100, 1, PROCESS_STARTED, 5000, 0, "/usr/bin/prog");
	mk_stream o = mk_image(t, 3, 102, 100, 1, PROCESS_STARTED, 5000, 0, "/bin/other");

	mk_malloc(t, c, 6000, 0x1000, 5000);
	mk_malloc(t, c, 6500, 0x3000, 5);
	mk_malloc(t, o, 7000, 0x1000, 70);
	/* the largest peak; blocks of both */
	reports(mktrace_file(t), "--all --max-peak=5004 --max-blocks=3", STATUS_CONDITION,
		"failed: prog: bytes at the peak: 5,005 (4.9 KiB), --max-peak allows 5,004 (4.9 KiB): "
		"1 more\n"
		"failed: prog: blocks in all: 4, --max-blocks allows 3: 33.3 % more\n");
	reports(mktrace_file(t), "--all --max-peak=6000", STATUS_OK, "ok: 2 checks of 2 programs hold\n");
	reports(mktrace_file(t), "--max-peak=6000", STATUS_OK,
		"ok: prog: peak_bytes 4.9 KiB of 5.9 KiB\n\n"
		"note: 2 other programs of the recording were not judged: --all judges each\n");
	mktrace_free(t);
}

TEST(test_baseline_of_all_processes_is_not_that_of_one)
{
	struct mktrace *t = story();
	mk_stream c = mk_image(t, 2, 101, 100, 1, PROCESS_STARTED, 5000, 0, "/usr/bin/prog");
	char options[200];

	mk_malloc(t, c, 6000, 0x1000, 5);
	snprintf(options, sizeof(options), "--all --write-baseline=%s", baseline_path());
	assert_int_equal(check(mktrace_file(t), options, NULL), STATUS_OK);
	snprintf(options, sizeof(options), "--all --baseline=%s", baseline_path());
	assert_int_equal(check(mktrace_file(t), options, NULL), STATUS_OK);
	snprintf(options, sizeof(options), "--baseline=%s", baseline_path());
	assert_int_equal(check(mktrace_file(t), options, NULL), STATUS_USAGE);
	write_text("# allotrope baseline 1\nprogram prog\npeak_bytes 3000\n");
	assert_int_equal(check(mktrace_file(t), options, NULL), STATUS_OK);
	snprintf(options, sizeof(options), "--all --baseline=%s", baseline_path());
	assert_int_equal(check(mktrace_file(t), options, NULL), STATUS_USAGE);
	unlink(baseline_path());
	mktrace_free(t);
}

TEST(test_recording_without_a_program_cannot_be_judged)
{
	struct mktrace *t = mktrace_new();

	assert_int_equal(check(mktrace_file(t), "--max-peak=10", NULL), STATUS_USAGE);
	mktrace_free(t);
}

TEST(test_json_has_reasons_and_figures)
{
	struct mktrace *t = story();
	json_t *root, *check_one;
	char *text;

	assert_int_equal(check(mktrace_file(t), "--format=json --max-peak=10", &text), STATUS_CONDITION);
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	assert_true(json_is_false(json_object_get(root, "ok")));
	assert_int_equal(json_array_size(json_object_get(root, "reasons")), 1);
	check_one = json_array_get(json_object_get(root, "checks"), 1);
	assert_string_equal(json_string_value(json_object_get(check_one, "check")), "peak_bytes");
	assert_int_equal(json_integer_value(json_object_get(check_one, "actual")), 3000);
	assert_int_equal(json_integer_value(json_object_get(check_one, "limit")), 10);
	json_decref(root);
	free(text);
	mktrace_free(t);
}

TEST(test_junit_is_escaped)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/a<b>&\"c\"");

	mk_malloc(t, s, 1000, 0x1000, 1000, MAIN + 1, MAIN + 9);
	reports(mktrace_file(t), "--format=junit --max-peak=10", STATUS_CONDITION,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites tests=\"2\" failures=\"1\">\n"
		"  <testsuite name=\"allotrope check\" tests=\"2\" failures=\"1\" errors=\"0\" "
		"skipped=\"0\">\n"
		"    <testcase classname=\"recording\" name=\"complete\"/>\n"
		"    <testcase classname=\"a&lt;b&gt;&amp;&quot;c&quot;\" name=\"peak_bytes (--max-peak)\">\n"
		"      <failure message=\"a&lt;b&gt;&amp;&quot;c&quot;: bytes at the peak: 1,000, --max-peak "
		"allows 10: 9900.0 % more\" type=\"peak_bytes\"/>\n");
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits_that_hold_are_one_line),
		cmocka_unit_test(test_each_limit_that_does_not_hold_is_a_line),
		cmocka_unit_test(test_lost_events_fail),
		cmocka_unit_test(test_baseline_is_written_and_holds),
		cmocka_unit_test(test_tolerance_decides_by_figure),
		cmocka_unit_test(test_baseline_that_cannot_be_compared_is_an_error),
		cmocka_unit_test(test_baseline_of_a_damaged_recording_is_not_written),
		cmocka_unit_test(test_all_programs_of_one_name_are_one),
		cmocka_unit_test(test_baseline_of_all_processes_is_not_that_of_one),
		cmocka_unit_test(test_recording_without_a_program_cannot_be_judged),
		cmocka_unit_test(test_json_has_reasons_and_figures),
		cmocka_unit_test(test_junit_is_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
