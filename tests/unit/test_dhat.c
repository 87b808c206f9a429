/*
 * test_dhat.c - the report dhat: tables, sorting, images, windows. Text and file have
 * tests of their own; that the figures are valgrind's is tests/oracle/test_dhat.c.
 */
#include "unit/form_subject.h"

#define MAIN 0x400000

#define HEADER "blocks,bytes,max_blocks,max_bytes,peak_blocks,peak_bytes,end_blocks,end_bytes,deaths," \
	       "death_age,lifetime,function,file,line,stack,pid,exec\n"

/* Stack 1: 3 blocks of 100, one resized by stack 2, one freed. Stack 3: many small ones, one by one. */
static struct mktrace *story(void)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");

	mk_module(t, 1, 1, MAIN, MAIN + 0x1000, "/bin/p");
	mk_malloc(t, s, 1001, 0x1000, 100, MAIN + 1, MAIN + 9);
	mk_malloc(t, s, 2001, 0x2000, 100, MAIN + 1, MAIN + 9);
	mk_malloc(t, s, 3001, 0x3000, 100, MAIN + 1, MAIN + 9);
	mk_realloc(t, s, 4001, 0x1000, 0x4000, 400, MAIN + 2, MAIN + 9);
	mk_free(t, s, 5001, 0x2000);
	for (unsigned i = 0; i < 4; i++) {
		mk_malloc(t, s, 6001 + 1000 * i, 0x5000, 10, MAIN + 3);
		mk_free(t, s, 6501 + 1000 * i, 0x5000);
	}
	mk_exit(t, 1, 20001, 0);
	return t;
}

TEST(test_csv_has_a_row_for_each_call_stack)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "dhat --format=csv",
		HEADER
		"4,700,3,600,3,600,2,500,1,3,9.75,p+0x1,,,p+0x1;p+0x9,100,0\n"
		"4,40,1,10,0,0,0,0,4,0.5,0.5,p+0x3,,,p+0x3,100,0\n");
	mktrace_free(t);
}

TEST(test_rows_are_sorted_by_the_words_of_dhat_and_by_columns)
{
	struct mktrace *t = story();
	const char *path = mktrace_file(t);

	assert_report_has(path, "dhat --format=csv --sort=max-bytes-live", HEADER "4,700,");
	assert_report_has(path, "dhat --format=csv --sort=tot-bytes-allocd", HEADER "4,700,");
	assert_report_has(path, "dhat --format=csv --sort=max-blocks-live", HEADER "4,700,");
	assert_report_has(path, "dhat --format=csv --sort=tot-blocks-allocd", HEADER "4,700,");
	assert_report_has(path, "dhat --format=csv --sort=deaths", HEADER "4,40,");
	assert_report_has(path, "dhat --format=csv --sort=-max-bytes-live", HEADER "4,40,");
	assert_report(path, "dhat --format=csv --sort=deaths --top=1",
		      HEADER "4,40,1,10,0,0,0,0,4,0.5,0.5,p+0x3,,,p+0x3,100,0\n");
	mktrace_free(t);
}

TEST(test_valgrinds_maximum_is_had_on_request)
{
	struct mktrace *t = story();

	/* the small blocks came when the heap was below its maximum */
	assert_report_has(mktrace_file(t), "dhat --format=csv --valgrind-max", "\n4,40,0,0,0,0,");
	mktrace_free(t);
}

TEST(test_json_has_the_frames)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "dhat --format=json --top=1",
		"\"frames\":[{\"function\":\"p+0x1\",\"file\":null,\"line\":null,\"module\":\"/bin/p\"},");
	mktrace_free(t);
}

TEST(test_window_begins_with_what_lives)
{
	struct mktrace *t = story();

	/* from 5.5 us on 500 bytes live; ages and lifetimes count from there */
	assert_report(mktrace_file(t), "dhat --format=csv --since=5500ns --until=7us",
		HEADER
		"0,0,2,500,2,500,2,500,0,,,p+0x1,,,p+0x1;p+0x9,100,0\n"
		"2,20,1,10,1,10,1,10,1,0.5,0.25,p+0x3,,,p+0x3,100,0\n");
	mktrace_free(t);
}

TEST(test_state_at_a_moment)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "dhat --format=csv --at=3500ns", "\n3,300,3,300,3,300,3,300,0,");
	mktrace_free(t);
}

TEST(test_window_without_events_shows_what_lives)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "dhat --format=csv --since=15us",
		HEADER
		"0,0,1,400,1,400,1,400,0,,,p+0x2,,,p+0x2;p+0x9,100,0\n"
		"0,0,1,100,1,100,1,100,0,,,p+0x1,,,p+0x1;p+0x9,100,0\n");
	mktrace_free(t);
}

TEST(test_all_images_are_rows_with_their_process)
{
	struct mktrace *t = story();
	mk_stream c = mk_fork(t, 2, 101, 1, 10000);

	mk_malloc(t, c, 11000, 0x8000, 64, MAIN + 9);
	assert_report_has(mktrace_file(t), "dhat --format=csv --all", "p+0x9,,,p+0x9,101,0\n");
	/* the child has what its parent had */
	assert_report_has(mktrace_file(t), "dhat --format=csv --pid=101",
			  HEADER "0,0,2,500,2,500,2,500,0,,,p+0x1,");
	assert_report_has(mktrace_file(t), "dhat", "1 of 2: /bin/p (pid 100); others: --pid, --all\n");
	mktrace_free(t);
}

TEST(test_blocks_of_no_bytes_are_noted)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");

	mk_malloc(t, s, 1000, 0x1000, 0, MAIN + 1);
	mk_malloc(t, s, 2000, 0x2000, 0, MAIN + 1);
	assert_report_has(mktrace_file(t), "dhat", "2 blocks of 0 bytes count as 1 byte each");
	mktrace_free(t);
}

TEST(test_time_is_counted_in_calls_on_request)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "dhat --time-unit=calls --format=csv --sort=bytes",
			  HEADER "4,700,3,600,3,600,2,500,1,3,");
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csv_has_a_row_for_each_call_stack),
		cmocka_unit_test(test_rows_are_sorted_by_the_words_of_dhat_and_by_columns),
		cmocka_unit_test(test_valgrinds_maximum_is_had_on_request),
		cmocka_unit_test(test_json_has_the_frames),
		cmocka_unit_test(test_window_begins_with_what_lives),
		cmocka_unit_test(test_state_at_a_moment),
		cmocka_unit_test(test_window_without_events_shows_what_lives),
		cmocka_unit_test(test_all_images_are_rows_with_their_process),
		cmocka_unit_test(test_blocks_of_no_bytes_are_noted),
		cmocka_unit_test(test_time_is_counted_in_calls_on_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
