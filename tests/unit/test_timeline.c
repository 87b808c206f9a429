/*
 * test_timeline.c - the report `timeline` with what gnuplot and the terminal get of it.
 */
#include "unit/form_subject.h"

#include <sys/stat.h>

static struct mktrace *story(const char *program)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, program);

	for (unsigned i = 0; i < 100; i++)
		mk_malloc(t, s, 1000 + i * 1000, 0x10000 + i * 0x1000, 1000 + i);
	mk_mark(t, 100, 50001, "it's \033[31mhalf");
	mk_exit(t, 1, 100001, 0);
	return t;
}

TEST(test_csv_has_a_row_for_each_point_and_the_peak_in_it)
{
	struct mktrace *t = story("p");

	assert_report_has(mktrace_file(t), "timeline --format=csv --points=10",
		"pid,exec,time_s,live_bytes,most_bytes,live_blocks,mapped_bytes,break_bytes,"
		"malloc_mapped_bytes,rss_bytes,calls,calls_per_s\n"
		"100,0,1e-05,10045,10045,10,0,0,0,,10,1000000\n");
	/* 100 blocks of 1000 to 1099 bytes */
	assert_report_has(mktrace_file(t), "timeline --format=csv --points=10",
		",104950,104950,100,0,0,0,,10,");
	mktrace_free(t);
}

TEST(test_text_is_a_drawing_with_a_name_for_each_mark)
{
	struct mktrace *t = story("p");

	assert_report_has(mktrace_file(t), "timeline", "live on the heap, at most 102.5 KiB\n");
	assert_report_has(mktrace_file(t), "timeline", "1 = it's \\x1b[31mhalf at 50 us\n");
	/* curves of nothing but zero are left out */
	assert_report_lacks(mktrace_file(t), "timeline", "program break");
	mktrace_free(t);
}

static char *folder_file(const char *folder, const char *name)
{
	char *path = xasprintf("%s/%s", folder, name);
	char *text = read_all(path);

	unlink(path);
	free(path);
	return text;
}

TEST(test_gnuplot_folder_has_data_and_a_script_that_nothing_escapes_from)
{
	struct mktrace *t = story("a'b`touch /tmp/x`\n");
	char folder[] = "/tmp/timeline.XXXXXX";
	char *args[] = { (char *)"timeline", (char *)"--format=gnuplot", (char *)"-o", folder,
			 (char *)mktrace_file(t), NULL };
	char *data, *script;

	assert_non_null(mkdtemp(folder));
	assert_int_equal(command_run_form(form_find("timeline"), 5, args), 0);
	data = folder_file(folder, "timeline.dat");
	script = folder_file(folder, "timeline.gp");
	assert_int_equal(rmdir(folder), 0);
	assert_non_null(strstr(data, " 104950 104950 100 0 0 0 NaN "));
	assert_non_null(strstr(script, "plot 'timeline.dat' index 0"));
	assert_non_null(strstr(script, "set output 'timeline.png'"));
	assert_non_null(strstr(script, "set label 100 \"it\\047s \\134x1b[31mhalf\""));
	assert_null(strstr(script, "touch /tmp/x`\n"));
	free(data);
	free(script);
	mktrace_free(t);
}

/* An arena of 64 MiB would make a line on the ground of a heap of 100 KiB. */
TEST(test_address_space_far_beyond_the_heap_has_its_own_axis)
{
	static const uint64_t mapped[] = { 262144, 67108864 };

	for (size_t i = 0; i < 2; i++) {
		struct mktrace *t = mktrace_new();
		mk_stream s = mk_process(t, 1, 100, "p");
		char folder[] = "/tmp/timeline.XXXXXX";
		char *args[] = { (char *)"timeline", (char *)"--format=gnuplot", (char *)"-o", folder,
				 NULL, NULL };
		char *data, *script;

		mk_malloc(t, s, 1000, 0x10000, 100000);
		mk_syscall(t, s, 6000, SYS_MEM_mmap, MK_ARGS(0, mapped[i], 3, 34, -1, 0), 0x7f0000000000,
			   0);
		mk_exit(t, 1, 100001, 0);
		args[4] = (char *)mktrace_file(t);
		assert_non_null(mkdtemp(folder));
		assert_int_equal(command_run_form(form_find("timeline"), 5, args), 0);
		data = folder_file(folder, "timeline.dat");
		script = folder_file(folder, "timeline.gp");
		assert_int_equal(rmdir(folder), 0);
		assert_non_null(strstr(script, i ? "($5/right) axes x1y2 with" : "($5/unit) with"));
		assert_int_equal(strstr(script, "set y2label 'address space, MiB'") != NULL, i == 1);
		free(data);
		free(script);
		mktrace_free(t);
	}
}

TEST(test_a_folder_that_cannot_be_made_is_said_so)
{
	struct mktrace *t = story("p");
	char *args[] = { (char *)"timeline", (char *)"--format=gnuplot", (char *)"-o",
			 (char *)"/proc/no/such", (char *)mktrace_file(t), NULL };

	assert_int_equal(command_run_form(form_find("timeline"), 5, args), STATUS_IO);
	mktrace_free(t);
}

TEST(test_without_gnuplot_data_and_script_are_kept)
{
	struct mktrace *t = story("p");
	char folder[] = "/tmp/timeline.XXXXXX";
	char *path = xstrdup(getenv("PATH"));
	char *args[6] = { (char *)"timeline", (char *)"--format=png", (char *)"-o", NULL,
			  (char *)mktrace_file(t), NULL };
	char *data;

	assert_non_null(mkdtemp(folder));
	args[3] = xasprintf("%s/a.png", folder);
	setenv("PATH", "/nonexistent", 1);
	assert_int_equal(command_run_form(form_find("timeline"), 5, args), STATUS_IO);
	setenv("PATH", path, 1);
	assert_int_not_equal(access(args[3], F_OK), 0);
	data = folder_file(folder, "a.dat");
	free(data);
	data = folder_file(folder, "a.gp");
	assert_non_null(strstr(data, "plot 'a.dat'"));
	assert_int_equal(rmdir(folder), 0);
	free(data);
	free(args[3]);
	free(path);
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csv_has_a_row_for_each_point_and_the_peak_in_it),
		cmocka_unit_test(test_text_is_a_drawing_with_a_name_for_each_mark),
		cmocka_unit_test(test_gnuplot_folder_has_data_and_a_script_that_nothing_escapes_from),
		cmocka_unit_test(test_address_space_far_beyond_the_heap_has_its_own_axis),
		cmocka_unit_test(test_a_folder_that_cannot_be_made_is_said_so),
		cmocka_unit_test(test_without_gnuplot_data_and_script_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
