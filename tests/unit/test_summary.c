/*
 * test_summary.c - the figures of `summary`, in JSON and on one screen.
 */
#include <jansson.h>

#include "unit/form_subject.h"

#define MAIN 0x400000

/* A sample with parts: bytes of heap, mapped, stack, file; 3 more are in no part. */
static void memory(struct mktrace *t, uint32_t pid, uint64_t stamp, uint64_t heap,
		   uint64_t mapped, uint64_t stack, uint64_t file)
{
	mk_meta(t, META_MEMORY, "vvvvvvvvvvvv", (uint64_t)pid, stamp, (uint64_t)0,
		heap + mapped + stack + file + 3, heap, mapped, stack, file, (uint64_t)0,
		(uint64_t)0, (uint64_t)1 << 30, (uint64_t)0);
}

static struct mktrace *story(void)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");
	mk_stream c;

	mk_module(t, 1, 1, MAIN, MAIN + 0x1000, "/bin/p");
	mk_malloc(t, s, 1000, 0x1000, 100, MAIN + 1);
	mk_realloc(t, s, 2000, 0x1000, 0x2000, 300, MAIN + 2);
	mk_calloc(t, s, 3000, 0x3000, 3, 7, MAIN + 3);
	memory(t, 100, 3500, 4096, 8192, 1000, 2000);
	mk_free(t, s, 4000, 0x2000);
	mk_null_call(t, s, 4500, FUNC_FREE);
	memory(t, 100, 4600, 4096, 4096, 1000, 2000);
	mk_syscall(t, s, 5000, SYS_MEM_mmap, MK_ARGS(0, 65536, 3, 34, -1, 0), 0x7f0000000000, 0,
		   MAIN + 4);
	c = mk_fork(t, 2, 101, 1, 6000);
	mk_malloc(t, c, 7000, 0x9000, 10, MAIN + 5);
	mk_exit(t, 2, 8000, 3 << 8);
	mk_exit(t, 1, 9000, 0);
	return t;
}

static json_t *summary_object(struct mktrace *t, const char *words)
{
	char *text = form_output(mktrace_file(t), words);
	json_t *o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(o);
	free(text);
	return o;
}

static long long figure(const json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	if (!json_is_integer(v))
		fail_msg("no integer '%s'", key);
	return json_integer_value(v);
}

TEST(test_json_has_the_members_that_scripts_parse)
{
	static const char *const members[] = {
		"program", "argv", "pid", "duration_s", "calls", "blocks", "bytes", "frees",
		"peak_bytes", "peak_blocks", "end_bytes", "end_blocks", "mapped_peak_bytes",
		"max_rss_bytes", "syscalls", "threads", "losses", "processes", "findings",
	};
	struct mktrace *t = story();
	json_t *o = summary_object(t, "summary --format=json");

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (!json_object_get(o, members[i]))
			fail_msg("no member '%s'", members[i]);
	json_decref(o);
	mktrace_free(t);
}

TEST(test_json_counts_blocks_calls_and_peaks)
{
	struct mktrace *t = story();
	json_t *o = summary_object(t, "summary --format=json");
	json_t *calls = json_object_get(o, "calls");

	assert_int_equal(figure(o, "pid"), 100);
	assert_int_equal(figure(o, "blocks"), 3);        /* malloc, realloc, calloc */
	assert_int_equal(figure(o, "bytes"), 100 + 300 + 21);
	assert_int_equal(figure(o, "frees"), 2);         /* by realloc and by free */
	assert_int_equal(figure(o, "peak_bytes"), 321);
	assert_int_equal(figure(o, "peak_blocks"), 2);
	assert_int_equal(figure(o, "end_bytes"), 21);
	assert_int_equal(figure(o, "end_blocks"), 1);
	assert_int_equal(figure(o, "mapped_peak_bytes"), 65536);
	assert_int_equal(figure(o, "threads"), 1);
	assert_int_equal(figure(calls, "malloc"), 1);
	assert_int_equal(figure(calls, "calloc"), 1);
	assert_int_equal(figure(calls, "realloc"), 1);
	assert_int_equal(figure(calls, "free"), 2);
	assert_int_equal(figure(json_object_get(o, "syscalls"), "mmap"), 1);
	assert_int_equal(json_object_size(json_object_get(o, "losses")), 0);
	json_decref(o);
	mktrace_free(t);
}

TEST(test_json_lists_every_image_with_its_status)
{
	struct mktrace *t = story();
	json_t *o = summary_object(t, "summary --format=json");
	json_t *list = json_object_get(o, "processes");
	json_t *child = json_array_get(list, 1);

	assert_int_equal(json_array_size(list), 2);
	assert_int_equal(figure(child, "pid"), 101);
	assert_int_equal(figure(child, "exec"), 0);
	assert_int_equal(figure(child, "blocks"), 1);
	assert_int_equal(figure(child, "peak_bytes"), 31); /* 21 inherited */
	assert_int_equal(figure(child, "status"), 3);
	json_decref(o);
	mktrace_free(t);
}

TEST(test_json_of_all_images_is_a_list)
{
	struct mktrace *t = story();
	json_t *o = summary_object(t, "summary --format=json --all");

	assert_int_equal(json_array_size(o), 2);
	assert_int_equal(figure(json_array_get(o, 1), "pid"), 101);
	json_decref(o);
	mktrace_free(t);
}

TEST(test_memory_parts_add_up_to_resident)
{
	struct mktrace *t = story();
	json_t *o = summary_object(t, "summary --format=json");
	json_t *m = json_object_get(o, "memory");

	/* what the kernel counted for a made exit */
	assert_int_equal(figure(o, "max_rss_bytes"), 4 << 20);
	assert_int_equal(figure(m, "rss_bytes"), 4096 + 8192 + 3000 + 3);
	assert_int_equal(figure(m, "unexplained_bytes"), 3);
	assert_int_equal(figure(m, "heap_bytes") + figure(m, "mapped_bytes") +
			 figure(m, "stack_bytes") + figure(m, "file_bytes") +
			 figure(m, "shared_bytes") + figure(m, "other_bytes") +
			 figure(m, "unexplained_bytes"), figure(m, "rss_bytes"));
	/* the heap as it was between the calloc and the free */
	assert_int_equal(figure(m, "live_bytes"), 321);
	assert_int_equal(figure(m, "live_blocks"), 2);
	json_decref(o);
	mktrace_free(t);
}

TEST(test_spike_without_parts_is_estimated_from_the_calls)
{
	struct mktrace *t = story();
	mk_stream s = mk_thread(t, 1, 102, 5500, "two");
	json_t *o, *m;

	mk_syscall(t, s, 5600, SYS_MEM_mmap, MK_ARGS(0, 1 << 20, 3, 34, -1, 0), 0x7f1000000000, 0,
		   MAIN + 4);
	mk_memory(t, 100, 5700, (1 << 20) + 100000);
	o = summary_object(t, "summary --format=json");
	m = json_object_get(o, "memory");
	assert_true(json_is_true(json_object_get(m, "is_estimate")));
	assert_int_equal(figure(m, "mapped_bytes"), (1 << 20) + 65536);
	assert_int_equal(figure(m, "stack_bytes"), 1000);
	assert_int_equal(figure(m, "unexplained_bytes"), 100000 - 65536 - 3000);
	json_decref(o);
	mktrace_free(t);
}

TEST(test_text_fits_eighty_columns_and_one_screen)
{
	struct mktrace *t = story();
	char *text = form_output(mktrace_file(t), "summary");
	char *rest = text, *line;
	int lines = 0;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (strlen(line) > 80 && strncmp(line, "note: ", 6) != 0)
			fail_msg("%zu columns: %s", strlen(line), line);
		lines++;
	}
	assert_true(lines <= 50);
	free(text);
	mktrace_free(t);
}

TEST(test_text_names_the_image_the_peak_and_the_parts)
{
	struct mktrace *t = story();
	const char *path = mktrace_file(t);

	assert_report_has(path, "summary", "pid 100, program 1 of 2 recorded, the one with the");
	assert_report_has(path, "summary", "Heap: peak 321 B in 2 blocks after 3 us\n");
	assert_report_has(path, "summary", "  heap            4.0 KiB   26.8 %");
	assert_report_has(path, "summary", "  unexplained         3 B    0.0 %");
	assert_report_has(path, "summary", "exited with 0");
	assert_report_has(path, "summary --pid=101", "exited with 3");
	mktrace_free(t);
}

TEST(test_moments_count_from_the_start_of_the_program)
{
	struct mktrace *t = mktrace_new();
	mk_stream c;
	json_t *o;

	mk_process(t, 1, 100, "/bin/p");
	c = mk_fork(t, 2, 101, 1, 6000);
	mk_malloc(t, c, 7000, 0x9000, 10, MAIN + 5);
	mk_exit(t, 2, 8000, 0);
	o = summary_object(t, "summary --format=json --pid=101");
	assert_true(json_real_value(json_object_get(o, "peak_at_s")) <=
		    json_real_value(json_object_get(o, "duration_s")));
	assert_int_equal((int)(json_real_value(json_object_get(o, "peak_at_s")) * 1e9 + 0.5), 1000);
	assert_report_has(mktrace_file(t), "summary --pid=101",
			  "Heap: peak 10 B in 1 block after 1 us\n");
	json_decref(o);
	mktrace_free(t);
}

/* COUNT blocks of SIZE, each freed, from AT on; returns when. */
static uint64_t churn(struct mktrace *t, mk_stream s, uint64_t at, unsigned count, uint64_t size)
{
	for (unsigned i = 0; i < count; i++, at += 20) {
		mk_malloc(t, s, at, 0x1000, size, MAIN + 1);
		mk_free(t, s, at + 10, 0x1000);
	}
	return at;
}

TEST(test_findings_of_a_window_count_what_is_in_it)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");
	const char *path;

	mk_module(t, 1, 1, MAIN, MAIN + 0x1000, "/bin/p");
	/* a storm before 1 ms, a few blocks between, another storm after 2 ms */
	churn(t, s, 1000, 20000, 24);
	churn(t, s, 1000000, 3, 24);
	churn(t, s, 2000000, 15000, 24);
	path = mktrace_file(t);
	assert_report_has(path, "summary", "made 35,003 blocks of 24 bytes: 100.0 % of all");
	assert_report_lacks(path, "summary --since=999us --until=1500us", "blocks of 24 bytes");
	assert_report_has(path, "summary --since=999us", "made 15,003 blocks of 24 bytes: 100.0 % of");
	mktrace_free(t);
}

TEST(test_window_forgets_a_size_that_led_before_it)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");

	mk_module(t, 1, 1, MAIN, MAIN + 0x1000, "/bin/p");
	churn(t, s, 1000, 20000, 24);
	churn(t, s, 1000000, 12000, 40);
	/* 24 still leads; all of the window is of another size */
	assert_report_lacks(mktrace_file(t), "summary --since=1ms", "blocks of 24 bytes");
	mktrace_free(t);
}

TEST(test_names_from_the_program_are_escaped)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/\033[31mred");

	mk_malloc(t, s, 1000, 0x1000, 8);
	assert_report_has(mktrace_file(t), "summary", "'/bin/\\x1b[31mred'");
	assert_report_lacks(mktrace_file(t), "summary", "\033");
	mktrace_free(t);
}

TEST(test_program_without_calls_is_a_report_too)
{
	struct mktrace *t = mktrace_new();

	mk_process(t, 1, 100, "quiet");
	assert_report_has(mktrace_file(t), "summary", "no heap call was made");
	mktrace_free(t);
}

TEST(test_csv_has_a_row_for_each_image)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "summary --format=csv --all",
		"pid,exec,program,duration_s,blocks,bytes,frees,peak_bytes,peak_blocks,end_bytes,"
		"end_blocks,mapped_peak_bytes,max_rss_bytes,threads\n100,0,/bin/p,");
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_has_the_members_that_scripts_parse),
		cmocka_unit_test(test_json_counts_blocks_calls_and_peaks),
		cmocka_unit_test(test_json_lists_every_image_with_its_status),
		cmocka_unit_test(test_json_of_all_images_is_a_list),
		cmocka_unit_test(test_memory_parts_add_up_to_resident),
		cmocka_unit_test(test_spike_without_parts_is_estimated_from_the_calls),
		cmocka_unit_test(test_text_fits_eighty_columns_and_one_screen),
		cmocka_unit_test(test_text_names_the_image_the_peak_and_the_parts),
		cmocka_unit_test(test_moments_count_from_the_start_of_the_program),
		cmocka_unit_test(test_findings_of_a_window_count_what_is_in_it),
		cmocka_unit_test(test_window_forgets_a_size_that_led_before_it),
		cmocka_unit_test(test_names_from_the_program_are_escaped),
		cmocka_unit_test(test_program_without_calls_is_a_report_too),
		cmocka_unit_test(test_csv_has_a_row_for_each_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
