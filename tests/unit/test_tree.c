/*
 * test_tree.c - the tree of calls: its figures add up at every line, whatever is left out.
 */
#include "unit/form_subject.h"

#include <jansson.h>

#define MAIN 0x400000

static struct mktrace *story(void)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");

	setenv("LC_ALL", "C", 1);
	mk_module(t, 1, 1, MAIN, MAIN + 0x1000, "/bin/p");
	mk_malloc(t, s, 1000, 0x1000, 500, MAIN + 3, MAIN + 2, MAIN + 1);
	mk_malloc(t, s, 2000, 0x2000, 300, MAIN + 4, MAIN + 2, MAIN + 1);
	mk_malloc(t, s, 3000, 0x3000, 190, MAIN + 5, MAIN + 1);
	mk_malloc(t, s, 4000, 0x4000, 4, MAIN + 6, MAIN + 1);
	mk_malloc(t, s, 5000, 0x5000, 5, MAIN + 7, MAIN + 1);
	mk_malloc(t, s, 6000, 0x6000, 1, MAIN + 1);
	mk_free(t, s, 7000, 0x1000);
	mk_free(t, s, 8000, 0x6000);
	mk_syscall(t, s, 9000, SYS_MEM_mmap, MK_ARGS(0, 8192, 3, 34, -1, 0), 0x7f0000000000, 0,
		   MAIN + 8);
	return t;
}

#define HEADING "     bytes      %  blocks  call, under it what it calls\n"

TEST(test_small_calls_are_one_line)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "tree",
		"bytes live at the peak: 1000 B in 6 blocks\n\n" HEADING
		"    1000 B  100.0       6  total\n"
		"                           p+0x1\n"
		"       1 B    0.1       1  |-(itself)\n"
		"     800 B   80.0       2  |-p+0x2\n"
		"     500 B   50.0       1  | |-p+0x3\n"
		"     300 B   30.0       1  | `-p+0x4\n"
		"     190 B   19.0       1  |-p+0x5\n"
		"       9 B    0.9       2  `-(2 more, each below 1 %)\n");
	mktrace_free(t);
}

TEST(test_threshold_and_top_leave_out_what_is_added_up)
{
	struct mktrace *t = story();
	const char *path = mktrace_file(t);

	assert_report_has(path, "tree --threshold=0",
		"     190 B   19.0       1  |-p+0x5\n"
		"       5 B    0.5       1  |-p+0x7\n"
		"       4 B    0.4       1  `-p+0x6\n");
	assert_report_has(path, "tree --threshold=35%",
		"       1 B    0.1       1  (itself)\n"
		"     199 B   19.9       3  (3 more, each below 35 %)\n"
		"     800 B   80.0       2  p+0x2\n"
		"     300 B   30.0       1  (1 more below 35 %)\n"
		"     500 B   50.0       1  p+0x3\n");
	/* what --top leaves out may be large */
	assert_report_has(path, "tree --top=1",
		"     199 B   19.9       3  (3 more)\n"
		"     800 B   80.0       2  p+0x2\n"
		"     300 B   30.0       1  (1 more)\n"
		"     500 B   50.0       1  p+0x3\n");
	assert_report_has(path, "tree --top=2",
		"     800 B   80.0       2  |-p+0x2\n"
		"     500 B   50.0       1  | |-p+0x3\n"
		"     300 B   30.0       1  | `-p+0x4\n"
		"     190 B   19.0       1  |-p+0x5\n"
		"       9 B    0.9       2  `-(2 more, each below 1 %)\n");
	mktrace_free(t);
}

TEST(test_depth_cuts_and_says_so)
{
	struct mktrace *t = story();
	const char *path = mktrace_file(t);

	assert_report_has(path, "tree --depth=1",
		"    1000 B  100.0       6  total\n"
		"                           p+0x1\n"
		"\nnote: calls deeper than 1 are in the figures of those above them: --depth=0\n"
		"      shows all\n");
	assert_report_lacks(path, "tree --depth=3", "deeper");
	assert_report_has(path, "tree --callers --depth=1", "deeper than 1");
	mktrace_free(t);
}

TEST(test_callers_stand_under_the_allocation_sites)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "tree --callers --metric=end",
		"bytes live at the end: 499 B in 4 blocks\n\n"
		"     bytes      %  blocks  allocation site, under it its callers\n"
		"     499 B  100.0       4  total\n"
		"     300 B   60.1       1  |-p+0x4\n"
		"                           | p+0x2\n"
		"                           | p+0x1\n"
		"     190 B   38.1       1  |-p+0x5\n"
		"                           | p+0x1\n"
		"       5 B    1.0       1  |-p+0x7\n"
		"                           | p+0x1\n"
		"       4 B    0.8       1  `-(1 more below 1 %)\n");
	mktrace_free(t);
}

TEST(test_count_puts_blocks_first)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "tree --metric=count",
		"blocks allocated in all: 6 blocks, 1000 B\n\n"
		"blocks      %       bytes  call, under it what it calls\n"
		"     6  100.0      1000 B  total\n"
		"                           p+0x1\n"
		"     1   16.7         1 B  |-(itself)\n"
		"     2   33.3       800 B  |-p+0x2\n"
		"     1   16.7       500 B  | |-p+0x3\n");
	mktrace_free(t);
}

TEST(test_kinds_have_a_tree_each)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "tree --kind=all",
		"       9 B    0.9       2  `-(2 more, each below 1 %)\n"
		"\nmappings: bytes live at the peak: 8.0 KiB in 1 block\n\n" HEADING
		"   8.0 KiB  100.0       1  total\n"
		"                           p+0x8\n");
	assert_report_has(mktrace_file(t), "tree",
		"\nnote: the program mapped 8.0 KiB itself, more than is shown here of the heap:\n");
	mktrace_free(t);
}

TEST(test_nothing_is_said_to_be_nothing)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "tree --metric=temporary --until=6us",
		"blocks freed before the thread's next allocation, from 0 s to 6 us: nothing\n");
	mktrace_free(t);
}

TEST(test_csv_has_a_row_for_each_call)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "tree --format=csv --threshold=10",
		"pid,exec,kind,call,parent,depth,bytes,blocks,percent,self_bytes,self_blocks,function,"
		"file,line,inlined,module,more\n"
		"100,0,heap,1,0,1,1000,6,100.0000,1,1,p+0x1,,,0,/bin/p,\n"
		"100,0,heap,2,1,2,800,2,80.0000,0,0,p+0x2,,,0,/bin/p,\n"
		"100,0,heap,3,2,3,500,1,50.0000,500,1,p+0x3,,,0,/bin/p,\n"
		"100,0,heap,4,2,3,300,1,30.0000,300,1,p+0x4,,,0,/bin/p,\n"
		"100,0,heap,5,1,2,190,1,19.0000,190,1,p+0x5,,,0,/bin/p,\n"
		"100,0,heap,6,1,2,9,2,0.9000,,,,,,,,2\n");
	mktrace_free(t);
}

static json_int_t member(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* Its children, what is left out and what is its own are all of NODE. */
static void check_sums(const json_t *node, const char *figure, const char *self)
{
	const json_t *calls = json_object_get(node, "calls"), *call;
	json_int_t sum = member(node, self) + member(json_object_get(node, "more"), figure);
	size_t i;

	json_array_foreach(calls, i, call) {
		sum += member(call, figure);
		check_sums(call, figure, self);
	}
	assert_int_equal(sum, member(node, figure));
}

TEST(test_json_nests_and_adds_up)
{
	static const char *const words[] = {
		"tree --format=json", "tree --format=json --callers", "tree --format=json --threshold=20",
		"tree --format=json --callers --threshold=40 --metric=total", "tree --format=json --top=1",
		"tree --format=json --metric=count --kind=all --by=function",
	};
	struct mktrace *t = story();
	const char *path = mktrace_file(t);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char *text = form_output(path, words[i]);
		json_t *root = json_loads(text, 0, NULL), *tree;
		size_t n;

		assert_non_null(root);
		assert_true(json_array_size(root) > 0);
		json_array_foreach(root, n, tree) {
			check_sums(tree, "bytes", "self_bytes");
			check_sums(tree, "blocks", "self_blocks");
		}
		json_decref(root);
		free(text);
	}
	mktrace_free(t);
}

TEST(test_call_without_a_stack_is_said_to_have_none)
{
	struct mktrace *t = story();
	mk_stream s = mk_thread(t, 1, 102, 9500, "late");
	const char *path;

	mk_malloc(t, s, 9600, 0x9000, 1000);
	path = mktrace_file(t);
	assert_report_has(path, "tree", "    1000 B   66.7       1  |-(no call stack)\n");
	assert_report_has(path, "tree --callers", "    1000 B   66.7       1  |-(no call stack)\n");
	assert_report_has(path, "tree --format=csv", "\n100,0,heap,1,0,1,1000,1,66.7111,1000,1,,,,0,,\n");
	mktrace_free(t);
}

TEST(test_deep_branches_begin_with_their_level)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/bin/p");
	uint64_t frames[41] = { 0 };

	setenv("LC_ALL", "C", 1);
	mk_module(t, 1, 1, MAIN, MAIN + 0x1000, "/bin/p");
	for (size_t i = 0; i < 40; i++)
		frames[i + 1] = MAIN + 40 - i;
	/* at each depth a call of another function beside the next deeper one */
	for (size_t depth = 1; depth <= 40; depth++) {
		uint64_t *stack = frames + 40 - depth, kept = *stack;

		*stack = MAIN + 0x100 + depth;
		mk_alloc(t, s, 1000 * depth, 0x1000 * depth, 1000, CLASS_HEAP,
			 (struct mk_stack){ depth + 1, stack });
		*stack = kept;
	}
	assert_report_has(mktrace_file(t), "tree",
		"  26.4 KiB   67.5      27  | | | | | | | | | | | | |-p+0xe\n"
		"  25.4 KiB   65.0      26  14: | | | | | | | | | | |-p+0xf\n");
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_calls_are_one_line),
		cmocka_unit_test(test_threshold_and_top_leave_out_what_is_added_up),
		cmocka_unit_test(test_depth_cuts_and_says_so),
		cmocka_unit_test(test_callers_stand_under_the_allocation_sites),
		cmocka_unit_test(test_count_puts_blocks_first),
		cmocka_unit_test(test_kinds_have_a_tree_each),
		cmocka_unit_test(test_nothing_is_said_to_be_nothing),
		cmocka_unit_test(test_csv_has_a_row_for_each_call),
		cmocka_unit_test(test_json_nests_and_adds_up),
		cmocka_unit_test(test_call_without_a_stack_is_said_to_have_none),
		cmocka_unit_test(test_deep_branches_begin_with_their_level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
