/*
 * test_sizes.c - how often each size was asked for.
 */
#include "unit/form_subject.h"

/* Three of 992, one of 80,000,000 (its own mapping), calloc(3, 7), realloc to 992. */
static struct mktrace *story(void)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p");

	for (unsigned i = 0; i < 3; i++)
		mk_malloc(t, s, 1000 + i, 0x1000 + i * 0x400, 992);
	mk_malloc_mapped(t, s, 2000, 0x7f0000000010, 80000000);
	mk_calloc(t, s, 3000, 0x9000, 3, 7);
	mk_realloc(t, s, 4000, 0x9000, 0x9100, 992);
	mk_failed(t, s, 5000, FUNC_MALLOC, 12, 0, 1u << 30);
	mk_free(t, s, 6000, 0x1000);
	return t;
}

TEST(test_text_reads_as_sort_and_uniq_do)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "sizes",
		"count      size     bytes\n"
		"    1  80000000  76.3 MiB\n"
		"    4       992   3.9 KiB\n"
		"    1        21      21 B\n");
	mktrace_free(t);
}

TEST(test_csv_begins_with_size_count_bytes)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "sizes --format=csv",
		"size,count,bytes,pid,exec\n"
		"80000000,1,80000000,100,0\n"
		"992,4,3968,100,0\n"
		"21,1,21,100,0\n");
	mktrace_free(t);
}

TEST(test_rows_can_be_sorted_and_cut)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "sizes --format=csv --sort=count --top=1",
		"size,count,bytes,pid,exec\n992,4,3968,100,0\n");
	assert_report_has(mktrace_file(t), "sizes --format=csv --sort=-size",
		"exec\n21,1,21,100,0\n992,");
	mktrace_free(t);
}

TEST(test_classes_show_what_rounding_wastes)
{
	struct mktrace *t = story();

	/* 992 bytes need a chunk of 1008, 1000 usable; 21 one of 32, 24 usable */
	assert_report_has(mktrace_file(t), "sizes --classes --format=csv",
		"from,to,chunk,bin,count,bytes,usable_bytes,waste_bytes,waste_percent,pid,exec\n"
		"0,24,32,\"tcache, fast\",1,21,24,3,12.5000,100,0\n");
	assert_report_has(mktrace_file(t), "sizes --classes --format=csv",
		",1008,\"tcache, small\",4,3968,4000,32,0.8000,100,0\n");
	mktrace_free(t);
}

TEST(test_histogram_fits_the_line)
{
	struct mktrace *t = story();
	char *text = form_output(mktrace_file(t), "sizes --log2");
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		assert_true(strlen(line) <= 80);
	free(text);
	assert_report_has(mktrace_file(t), "sizes --log2", "    512 .. <1K            4      3.9 KiB  ####");
	assert_report_has(mktrace_file(t), "sizes --log2 --format=csv", "from,to,count,bytes,pid,exec\n"
		"16,31,1,21,100,0\n32,63,0,0,100,0\n");
	mktrace_free(t);
}

TEST(test_window_counts_its_own_calls_only)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "sizes --format=csv --since=2900ns",
		"size,count,bytes,pid,exec\n992,1,992,100,0\n21,1,21,100,0\n");
	assert_report(mktrace_file(t), "sizes --format=csv --until=999ns",
		"size,count,bytes,pid,exec\n992,1,992,100,0\n");
	mktrace_free(t);
}

TEST(test_empty_recording_has_a_heading_only)
{
	struct mktrace *t = mktrace_new();

	mk_process(t, 1, 100, "p");
	assert_report(mktrace_file(t), "sizes --format=csv", "size,count,bytes,pid,exec\n");
	assert_report(mktrace_file(t), "sizes --log2 --format=json", "[]\n");
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_reads_as_sort_and_uniq_do),
		cmocka_unit_test(test_csv_begins_with_size_count_bytes),
		cmocka_unit_test(test_rows_can_be_sorted_and_cut),
		cmocka_unit_test(test_classes_show_what_rounding_wastes),
		cmocka_unit_test(test_histogram_fits_the_line),
		cmocka_unit_test(test_window_counts_its_own_calls_only),
		cmocka_unit_test(test_empty_recording_has_a_heading_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
