/*
 * test_threshold.c - where blocks came from, what free did, and how the threshold moved,
 * over recordings made by hand: figures in JSON, words in text.
 */
#include "unit/form_subject.h"

#define BREAK 0x555555560000 /* where made recordings begin */
#define MAP 0x7f6541600000
#define RW 3
#define ANONYMOUS 0x22

static json_t *report(const char *path, const char *options)
{
	char *words = xasprintf("threshold --format=json%s%s", *options ? " " : "", options);
	char *text = form_output(path, words);
	json_t *root = json_loads(text, 0, NULL);

	assert_non_null(root);
	free(words);
	free(text);
	return root;
}

static const json_t *row_of(const json_t *root, long long size)
{
	const json_t *list = json_object_get(root, "sizes");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i);

		if (json_integer_value(json_object_get(row, "size")) == size)
			return row;
	}
	fail_msg("no row for %lld", size);
	return NULL;
}

static long long value(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	if (!json_is_integer(v))
		fail_msg("%s is no number", key);
	return json_integer_value(v);
}

static void mapped(struct mktrace *t, mk_stream s, uint64_t stamp, uint64_t at, uint64_t size)
{
	uint64_t bytes = (size + 16 + 8 + 4095) / 4096 * 4096;

	mk_syscall_inside(t, s, stamp, SYS_MEM_mmap,
			  MK_ARGS(0, bytes, RW, ANONYMOUS, UINT64_MAX, 0), (int64_t)at, FUNC_MALLOC,
			  MK_STACK());
	mk_malloc_mapped(t, s, stamp + 5, at + 16, size, 0x1100);
}

static void unmapped(struct mktrace *t, mk_stream s, uint64_t stamp, uint64_t at, uint64_t size)
{
	uint64_t bytes = (size + 16 + 8 + 4095) / 4096 * 4096;

	mk_free(t, s, stamp, at + 16);
	mk_syscall_inside(t, s, stamp + 1, SYS_MEM_munmap, MK_ARGS(at, bytes), 0, FUNC_FREE,
			  MK_STACK(0x1200));
}

/* A block of each kind, all freed. */
static struct mktrace *story(void)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p");

	mk_syscall_inside(t, s, 100, SYS_MEM_brk, MK_ARGS(0), BREAK, FUNC_MALLOC, MK_STACK());
	mk_syscall_inside(t, s, 110, SYS_MEM_brk, MK_ARGS(BREAK + 0x21000), BREAK + 0x21000,
			  FUNC_MALLOC, MK_STACK());
	mk_malloc(t, s, 120, BREAK + 0x2a0, 100);
	mk_malloc(t, s, 130, BREAK + 0x400, 100);
	mk_alloc(t, s, 140, 0x7f0000000b70, 100, CLASS_ARENA, MK_STACK());
	mapped(t, s, 200, MAP, 262144);
	mk_free(t, s, 300, BREAK + 0x2a0);
	mk_free(t, s, 310, BREAK + 0x400);
	mk_syscall_inside(t, s, 311, SYS_MEM_brk, MK_ARGS(BREAK + 0x1000), BREAK + 0x1000, FUNC_FREE,
			  MK_STACK());
	mk_free(t, s, 320, 0x7f0000000b70);
	unmapped(t, s, 400, MAP, 262144);
	return t;
}

TEST(test_each_request_is_counted_by_where_it_was_served)
{
	struct mktrace *t = story();
	json_t *root = report(mktrace_file(t), "");
	const json_t *small = row_of(root, 100), *large = row_of(root, 262144);

	assert_int_equal(value(small, "calls"), 3);
	assert_int_equal(value(small, "heap"), 1);
	assert_int_equal(value(small, "brk"), 1);
	assert_int_equal(value(small, "arena"), 1);
	assert_int_equal(value(small, "mapped"), 0);
	assert_int_equal(value(large, "mapped"), 1);
	assert_int_equal(value(large, "mapped_bytes"), 266240);
	json_decref(root);
	mktrace_free(t);
}

TEST(test_each_free_is_counted_by_what_it_did)
{
	struct mktrace *t = story();
	json_t *root = report(mktrace_file(t), "");
	const json_t *small = row_of(root, 100), *large = row_of(root, 262144);

	assert_int_equal(value(small, "kept"), 2);
	assert_int_equal(value(small, "trimmed"), 1);
	assert_int_equal(value(small, "unmapped"), 0);
	assert_int_equal(value(large, "kept"), 0);
	assert_int_equal(value(large, "unmapped"), 1);
	assert_int_equal(value(json_object_get(root, "break"), "trim"), 1);
	json_decref(root);
	mktrace_free(t);
}

TEST(test_freed_mapping_moves_the_threshold_with_its_cause)
{
	struct mktrace *t = story();
	json_t *root = report(mktrace_file(t), "");
	const json_t *move = json_array_get(json_object_get(root, "moves"), 0);

	assert_int_equal(json_array_size(json_object_get(root, "moves")), 1);
	assert_int_equal(value(move, "from"), 131072);
	assert_int_equal(value(move, "to"), 266240);
	assert_int_equal(value(move, "trim_to"), 532480);
	assert_int_equal(value(move, "cause_bytes"), 262144);
	assert_string_equal(json_string_value(json_object_get(move, "cause")), "free");
	assert_string_equal(json_string_value(json_object_get(move, "allocated_at")), "0x1100");
	assert_string_equal(json_string_value(json_object_get(move, "freed_at")), "0x1200");
	assert_int_equal(value(root, "threshold_bytes"), 262144);
	json_decref(root);
	mktrace_free(t);
}

TEST(test_boundary_is_looked_for_under_the_first_threshold_only)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p");
	json_t *root;

	mapped(t, s, 200, MAP, 300000);
	mapped(t, s, 300, MAP + 0x100000, 131049);
	unmapped(t, s, 400, MAP, 300000);
	/* impossible under the new threshold, and not counted */
	mapped(t, s, 500, MAP, 1000);
	root = report(mktrace_file(t), "");
	assert_int_equal(value(root, "threshold_bytes"), 131049);
	json_decref(root);
	mktrace_free(t);
}

TEST(test_mallopt_before_any_mapping_sets_the_threshold_that_is_looked_for)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p");
	const json_t *move;
	json_t *root;

	mk_meta(t, META_SETTING, "vvss", (uint64_t)1, (uint64_t)100, "mallopt(M_MMAP_THRESHOLD)",
		"65536");
	mapped(t, s, 200, MAP, 65513);
	unmapped(t, s, 300, MAP, 65513);
	mapped(t, s, 400, MAP, 200000);
	unmapped(t, s, 500, MAP, 200000);
	root = report(mktrace_file(t), "");
	assert_int_equal(value(root, "threshold_bytes"), 65513);
	assert_int_equal(json_array_size(json_object_get(root, "moves")), 1);
	move = json_array_get(json_object_get(root, "moves"), 0);
	assert_int_equal(value(move, "to"), 65536);
	assert_true(json_is_null(json_object_get(move, "cause_bytes")));
	assert_string_equal(json_string_value(json_object_get(move, "cause")),
			    "mallopt(M_MMAP_THRESHOLD)");
	json_decref(root);
	assert_report_has(mktrace_file(t), "threshold", "mallopt(M_MMAP_THRESHOLD, 65536)");
	assert_report_has(mktrace_file(t), "threshold", "does not move by itself");
	mktrace_free(t);
}

TEST(test_environment_sets_the_threshold_from_the_start)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p");
	json_t *root;

	mk_setting(t, 1, "GLIBC_TUNABLES", "glibc.malloc.mmap_threshold=200000");
	mapped(t, s, 200, MAP, 300000);
	unmapped(t, s, 300, MAP, 300000);
	root = report(mktrace_file(t), "");
	assert_int_equal(value(json_object_get(root, "first"), "mmap_threshold"), 200000);
	assert_int_equal(json_array_size(json_object_get(root, "moves")), 0);
	json_decref(root);
	mktrace_free(t);
}

TEST(test_child_begins_with_its_parents_threshold)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p"), c;
	json_t *root;

	mapped(t, s, 200, MAP, 262144);
	unmapped(t, s, 300, MAP, 262144);
	c = mk_fork(t, 2, 101, 1, 1000);
	mapped(t, c, 1200, MAP, 400000);
	unmapped(t, c, 1300, MAP, 400000);
	root = report(mktrace_file(t), "--pid=101");
	assert_int_equal(value(json_object_get(root, "first"), "mmap_threshold"), 266240);
	assert_int_equal(value(json_array_get(json_object_get(root, "moves"), 0), "from"), 266240);
	json_decref(root);
	mktrace_free(t);
}

TEST(test_realloc_that_moves_a_mapping_frees_nothing_and_moves_no_threshold)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p");
	json_t *root;

	mapped(t, s, 200, MAP, 262144);
	mk_realloc_begin(t, s, 300, MAP + 16, MK_STACK(0x1300));
	mk_syscall_inside(t, s, 301, SYS_MEM_mremap, MK_ARGS(MAP, 266240, 528384, 1),
			  MAP + 0x200000, FUNC_REALLOC, MK_STACK(0x1300));
	mk_realloc_end(t, s, 310, MAP + 0x200010, 0, 524288);
	root = report(mktrace_file(t), "");
	assert_int_equal(json_array_size(json_object_get(root, "moves")), 0);
	assert_int_equal(value(row_of(root, 262144), "unmapped"), 0);
	assert_int_equal(value(row_of(root, 262144), "kept"), 0);
	json_decref(root);
	mktrace_free(t);
}

TEST(test_realloc_that_copies_frees_the_old_block)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p");
	json_t *root;

	mk_malloc(t, s, 100, 0x1000, 50);
	mk_realloc(t, s, 200, 0x1000, 0x2000, 500);
	mk_realloc(t, s, 300, 0x2000, 0x2000, 510);
	root = report(mktrace_file(t), "");
	assert_int_equal(value(row_of(root, 50), "kept"), 1);
	assert_int_equal(value(row_of(root, 500), "kept"), 0);
	assert_int_equal(value(row_of(root, 510), "heap"), 1);
	json_decref(root);
	mktrace_free(t);
}

TEST(test_free_that_makes_an_arena_gives_nothing_back)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p");
	json_t *root;

	mk_malloc(t, s, 100, 0x1000, 50);
	mk_free(t, s, 200, 0x1000);
	mk_syscall_inside(t, s, 201, SYS_MEM_mmap, MK_ARGS(0, 134217728, 0, 0x4022, UINT64_MAX, 0),
			  MAP, FUNC_FREE, MK_STACK());
	mk_syscall_inside(t, s, 210, SYS_MEM_munmap, MK_ARGS(MAP, 4194304), 0, FUNC_FREE, MK_STACK());
	mk_malloc(t, s, 300, 0x1000, 50);
	root = report(mktrace_file(t), "");
	assert_int_equal(value(row_of(root, 50), "kept"), 1);
	assert_int_equal(value(row_of(root, 50), "heap"), 2);
	json_decref(root);
	mktrace_free(t);
}

TEST(test_many_sizes_are_ranges_with_a_boundary_at_the_threshold)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p");

	for (unsigned i = 0; i < 40; i++)
		mk_malloc(t, s, 100 + i, 0x10000 + i * 0x100, 100 + i);
	mk_malloc(t, s, 150, 0x1000000, 131048);
	mapped(t, s, 200, MAP, 131049);
	assert_report_has(mktrace_file(t), "threshold", "  0 - 1,024     40    40    0");
	assert_report_has(mktrace_file(t), "threshold", "  131,048        1     1    0");
	assert_report_has(mktrace_file(t), "threshold",
			  "  131,049        1     0    0      0       1     135,168");
	assert_report_has(mktrace_file(t), "threshold --each", "\n  139 ");
	mktrace_free(t);
}

TEST(test_csv_has_each_size)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "threshold --format=csv",
		"size,calls,heap,brk,arena,mapped,mapped_bytes,kept,trimmed,unmapped,pid,exec\n"
		"100,3,1,1,1,0,0,2,1,0,100,0\n"
		"262144,1,0,0,0,1,266240,0,0,1,100,0\n");
	mktrace_free(t);
}

TEST(test_window_counts_what_was_in_it_and_knows_what_was_before)
{
	struct mktrace *t = story();
	json_t *root = report(mktrace_file(t), "--since=350ns");

	assert_int_equal(value(row_of(root, 262144), "unmapped"), 1);
	assert_int_equal(value(row_of(root, 262144), "calls"), 0);
	assert_int_equal(json_array_size(json_object_get(root, "sizes")), 1);
	json_decref(root);
	mktrace_free(t);
}

TEST(test_words_explain_the_figures)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "threshold", "The threshold moved once by itself.");
	assert_report_has(mktrace_file(t), "threshold", "down once, by 128.0 KiB.");
	assert_report_has(mktrace_file(t), "threshold --explain",
			  "M_TRIM_THRESHOLD (128 KiB at first, 520 KiB");
	mktrace_free(t);
}

TEST(test_words_know_that_mappings_were_forbidden)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p");

	mk_setting(t, 1, "MALLOC_MMAP_MAX_", "0");
	mk_malloc(t, s, 100, 0x1000, 1 << 20);
	assert_report_has(mktrace_file(t), "threshold",
			  "No block got a mapping of its own: M_MMAP_MAX was set to 0.");
	assert_report_lacks(mktrace_file(t), "threshold", "there was enough");
	mktrace_free(t);
}

TEST(test_program_without_requests_says_so)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "p");

	mk_null_call(t, s, 100, FUNC_FREE);
	assert_report_has(mktrace_file(t), "threshold", "Requests: none\n");
	assert_report_has(mktrace_file(t), "threshold", "malloc was not asked for a block.");
	mktrace_free(t);
}

TEST(test_recording_without_system_calls_is_refused_with_the_option)
{
	struct mktrace *t = mktrace_new();
	char *args[] = { (char *)"threshold", NULL, NULL };

	mk_meta(t, META_PROCESS, "vvvvvvvvssssvvvvv", (uint64_t)1, (uint64_t)100, (uint64_t)1,
		(uint64_t)0, (uint64_t)0, (uint64_t)1, (uint64_t)0,
		(uint64_t)FEATURE_GLIBC_MALLOC, "p", "p", "/", "glibc 2.36", (uint64_t)0,
		(uint64_t)0, (uint64_t)1, (uint64_t)4096, (uint64_t)0);
	args[1] = (char *)mktrace_file(t);
	assert_int_equal(command_run_form(form_find("threshold"), 2, args), STATUS_USAGE);
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_request_is_counted_by_where_it_was_served),
		cmocka_unit_test(test_each_free_is_counted_by_what_it_did),
		cmocka_unit_test(test_freed_mapping_moves_the_threshold_with_its_cause),
		cmocka_unit_test(test_boundary_is_looked_for_under_the_first_threshold_only),
		cmocka_unit_test(test_mallopt_before_any_mapping_sets_the_threshold_that_is_looked_for),
		cmocka_unit_test(test_environment_sets_the_threshold_from_the_start),
		cmocka_unit_test(test_child_begins_with_its_parents_threshold),
		cmocka_unit_test(test_realloc_that_moves_a_mapping_frees_nothing_and_moves_no_threshold),
		cmocka_unit_test(test_realloc_that_copies_frees_the_old_block),
		cmocka_unit_test(test_free_that_makes_an_arena_gives_nothing_back),
		cmocka_unit_test(test_many_sizes_are_ranges_with_a_boundary_at_the_threshold),
		cmocka_unit_test(test_csv_has_each_size),
		cmocka_unit_test(test_window_counts_what_was_in_it_and_knows_what_was_before),
		cmocka_unit_test(test_words_explain_the_figures),
		cmocka_unit_test(test_words_know_that_mappings_were_forbidden),
		cmocka_unit_test(test_program_without_requests_says_so),
		cmocka_unit_test(test_recording_without_system_calls_is_refused_with_the_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
