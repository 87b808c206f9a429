/*
 * test_unwinding.c - call stacks where taking them is hard: signals that interrupt
 * captures, coroutines, longjmp, exceptions through hooks, smallest stacks, code without
 * unwind information, damaged modules, stacks without end. Nothing crashes, every stack is
 * the right one or marked and counted, no call goes uncounted.
 */
#include <elf.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"
#include "test.h"

/* What follows main in a whole stack, whatever symbols libc has. */
#define TO_THE_END "main(;[^;[]+)+$"
#define CHECKED "--check-stacks=1 --free-stacks"

static const struct { const char *key, *marker; } ends[] = {
	{ "depth_limit", "[truncated: depth limit]" },
	{ "no_rule", "[truncated: code without unwind information]" },
	{ "hard_rule", "[truncated: unwind rule not followed]" },
	{ "bad_stack", "[truncated: left the known stack]" },
};

/* COMMAND, which must exit with 0, on the allocator of tests/subjects/bump.so.c. */
static struct result record_on_bump(const char *options, const char *command)
{
	return record(options, "/bin/sh -c 'LD_PRELOAD=$LD_PRELOAD:%s exec %s'",
		      built("tests/subjects/bump.so"), command);
}

static json_t *ask_json(const char *question)
{
	char *text = ask("%s", question);
	json_t *root = json_loads(text, 0, NULL);

	assert_non_null(root);
	free(text);
	return root;
}

/* Sum of the number at PATH over the images of the recording. */
static long long in_info(const char *path)
{
	json_t *root = ask_json("info --format=json test.data"), *image;
	long long sum = 0;
	size_t i;

	json_array_foreach(json_object_get(root, "images"), i, image)
		sum += number_or_zero(image, path);
	json_decref(root);
	return sum;
}

static long long truncated(const char *key)
{
	char path[64];

	snprintf(path, sizeof(path), "truncated_stacks.%s", key);
	return in_info(path);
}

static long long truncated_in_all(void)
{
	long long sum = 0;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sum += truncated(ends[i].key);
	return sum;
}

static void assert_checked(long long least)
{
	assert_true(in_info("stack_check.libgcc.compared") >= least);
	assert_true(in_info("stack_check.libunwind.compared") > 0);
	assert_int_equal(in_info("stack_check.libgcc.differ"), 0);
	assert_int_equal(in_info("stack_check.libunwind.differ"), 0);
}

/*
 * The stacks of all blocks of SIZE bytes (0: of any, taken in FUNCTION) match the extended
 * regular expression, innermost frame first; those that are truncated need not where
 * MAY_END. Returns how many blocks there are.
 */
static long long blocks_of(const char *function, long long size, const char *expression,
			   bool may_end)
{
	json_t *rows = ask_json("sites --format=json --top=0 --all test.data"), *row;
	long long sum = 0;
	regex_t wanted;
	size_t i;

	assert_int_equal(regcomp(&wanted, expression, REG_EXTENDED | REG_NOSUB), 0);
	json_array_foreach(rows, i, row) {
		const char *stack = json_string_value(json_object_get(row, "stack"));
		long long blocks = number_at(row, "blocks");

		if (strcmp(json_string_value(json_object_get(row, "kind")), "heap") != 0 ||
		    (size && number_at(row, "bytes") != blocks * size) ||
		    (function && strncmp(stack, function, strlen(function)) != 0))
			continue;
		sum += blocks;
		if (!(may_end && strstr(stack, "[truncated")) &&
		    regexec(&wanted, stack, 0, NULL, 0) != 0)
			fail_msg("%lld blocks from %s", blocks, stack);
	}
	regfree(&wanted);
	json_decref(rows);
	return sum;
}

static long long blocks_from(long long size, const char *expression, bool may_end)
{
	return blocks_of(NULL, size, expression, may_end);
}

/* Blocks whose stacks are marked as truncated are those that info counts, by reason. */
static void assert_ends_are_counted(void)
{
	json_t *rows = ask_json("sites --format=json --top=0 --all test.data"), *row;
	long long marked[sizeof(ends) / sizeof(ends[0])] = { 0 };
	size_t i, k;

	json_array_foreach(rows, i, row)
		for (k = 0; k < sizeof(ends) / sizeof(ends[0]); k++)
			if (strstr(json_string_value(json_object_get(row, "stack")), ends[k].marker))
				marked[k] += number_at(row, "blocks");
	for (k = 0; k < sizeof(ends) / sizeof(ends[0]); k++)
		assert_int_equal(marked[k], truncated(ends[k].key));
	json_decref(rows);
}

/* ---- signals ---- */

static const char *storm(const char *how)
{
	static char command[4200];

	snprintf(command, sizeof(command), "%s %s 1000 1000", built("tests/subjects/storm"), how);
	return command;
}

/* Calls of malloc, recorded and counted as lost in a handler. */
static long long mallocs_known(void)
{
	json_t *root = summary("");
	long long calls = number_at(root, "calls.malloc") + number_or_zero(root, "losses.nested");

	assert_int_equal(json_object_size(json_object_get(root, "losses")),
			 number_or_zero(root, "losses.nested") > 0);
	json_decref(root);
	return calls;
}

/* The program's own first call, stdio's buffer. */
#define CALLS_BESIDE 3

static void check_storm_of_failures(const char *options)
{
	struct result r = record(options, "%s", storm("fail"));
	long long made;

	assert_int_equal(r.status, 0);
	made = number_after(r.out, "blocks") + number_after(r.out, "handlers");
	assert_true(number_after(r.out, "handlers") > 100);
	assert_in_range(mallocs_known(), made, made + CALLS_BESIDE);
	blocks_from(100, "^descend(;descend)*;" TO_THE_END, false);
	result_free(&r);
}

TEST(test_calls_of_handlers_that_interrupt_captures_are_recorded_or_counted)
{
	check_storm_of_failures("");
	assert_ends_are_counted();
	check_storm_of_failures("--free-stacks --timing=all");
	check_storm_of_failures(CHECKED);
	assert_checked(1000);
}

static void check_storm_of_blocks(const char *options, const char *how)
{
	struct result r = record_on_bump(options, storm(how));
	long long handlers, taken, made;

	assert_int_equal(r.status, 0);
	handlers = number_after(r.out, "handlers");
	made = number_after(r.out, "blocks") + handlers;
	assert_true(handlers > 100);
	assert_in_range(mallocs_known(), made, made + CALLS_BESIDE);
	taken = blocks_from(77, "^handler_leaf;handler_middle;on_signal;[^;]+;.*" TO_THE_END, true);
	assert_in_range(taken, 1, handlers);
	assert_int_equal(blocks_from(100, "^descend(;descend)*;" TO_THE_END, false),
			 number_after(r.out, "blocks"));
	result_free(&r);
}

TEST(test_blocks_of_handlers_have_the_stack_through_what_they_interrupted)
{
	check_storm_of_blocks("", "block");
	assert_ends_are_counted();
	/* the check takes most of the time: a handler seldom finds the program outside it */
	check_storm_of_blocks(CHECKED, "idle");
	assert_checked(1000);
}

TEST(test_longjmp_out_of_a_capture_does_not_end_the_recording)
{
	struct result r = record_on_bump("", storm("jump"));
	long long made, jumps;

	assert_int_equal(r.status, 0);
	jumps = number_after(r.out, "jumps");
	made = number_after(r.out, "blocks") + number_after(r.out, "handlers");
	assert_true(jumps > 10);
	/* a call that a handler left for good may be recorded, and the program did not count it */
	assert_in_range(mallocs_known(), made, made + jumps + CALLS_BESIDE);
	blocks_from(77, "^handler_leaf;handler_middle;on_signal;[^;]+;.*" TO_THE_END, true);
	blocks_from(100, "^descend(;descend)*;" TO_THE_END, false);
	assert_ends_are_counted();
	result_free(&r);
}

/* ---- stacks of other kinds ---- */

/* Blocks of all six coroutines: their stacks end at their bodies. */
static long long blocks_of_coroutines(void)
{
	return blocks_of("co_leaf;", 0, "^co_leaf(;co_deep){1,16};co_body(;[^;]+)?$", false);
}

TEST(test_coroutines_that_switch_in_a_recursion_have_stacks_of_their_own)
{
	struct result r = record(CHECKED, "%s 1000", built("tests/subjects/coroutines"));
	json_t *root = summary("");

	assert_int_equal(r.status, 0);
	assert_nothing_lost(root);
	assert_checked(30000);
	assert_int_equal(blocks_of_coroutines(), number_after(r.out, "leaves"));
	assert_int_equal(blocks_from(500, "^schedule;" TO_THE_END, false), 6000);
	assert_int_equal(truncated_in_all(), 0);
	json_decref(root);
	result_free(&r);
}

TEST(test_coroutines_under_a_storm_of_signals_have_stacks_of_their_own)
{
	char command[4200];
	struct result r;

	snprintf(command, sizeof(command), "%s 100000 1000", built("tests/subjects/coroutines"));
	/* swapcontext has wrong unwind information between two instructions, where libgcc crashes */
	r = record_on_bump("", command);
	assert_int_equal(r.status, 0);
	assert_int_equal(blocks_of_coroutines(), number_after(r.out, "leaves"));
	assert_int_equal(blocks_from(500, "^schedule;" TO_THE_END, false), 600000);
	assert_in_range(blocks_from(77, "^on_alarm;", true), 1, number_after(r.out, "handlers"));
	assert_ends_are_counted();
	result_free(&r);
}

TEST(test_threads_with_the_smallest_stack_are_unwound_to_their_start)
{
	static const char *const options[] = { "--free-stacks", CHECKED };

	for (size_t i = 0; i < 2; i++) {
		struct result r = record(options[i], "%s 500", built("tests/subjects/small_threads"));

		assert_int_equal(r.status, 0);
		assert_int_equal(blocks_from(900, "^small_leaf(;small_leaf){3};small_body(;[^;[]+)+$",
					     false), 500);
		assert_int_equal(truncated_in_all(), 0);
		result_free(&r);
	}
	assert_checked(1000);
}

TEST(test_recursion_without_end_costs_the_limit_and_each_cut_is_counted)
{
	struct result r = run_shell("ulimit -s unlimited; exec %s record -q --depth=64 -o test.data -- "
				    "%s 100000 1000", built("allotrope"), built("bench/pairs"));
	char *info;

	assert_int_equal(r.status, 0);
	assert_int_equal(truncated("depth_limit"), 1000);
	assert_ends_are_counted();
	info = ask("info test.data");
	assert_non_null(strstr(info, "1,000 call stacks deeper than the limit (record --depth)"));
	json_t *rows = ask_json("sites --format=json --sort=blocks --top=1 test.data");
	const json_t *frames = json_object_get(json_array_get(rows, 0), "frames");

	assert_int_equal(json_array_size(frames), 65);
	json_decref(rows);
	free(info);
	result_free(&r);
}

/* ---- jumps and exceptions ---- */

TEST(test_stacks_after_longjmp_are_those_of_where_it_landed)
{
	struct result r = record(CHECKED, "%s 20000", built("tests/subjects/jumps"));
	json_t *root = summary("");

	assert_int_equal(r.status, 0);
	assert_nothing_lost(root);
	assert_int_equal(blocks_from(300, "^(jump_down;)+way_[ab];" TO_THE_END, false), 20000);
	assert_int_equal(blocks_from(400, "^landing;" TO_THE_END, false), 20000);
	assert_checked(60000);
	json_decref(root);
	result_free(&r);
}

static void check_throwers(void)
{
	assert_int_equal(blocks_from(600, "^before_throw\\(int\\)(;before_throw\\(int\\))*;"
				     "one_round\\(int\\);" TO_THE_END, false), 3000);
	/* a destructor for each frame that was left: 1 to 7 of them, by turns */
	assert_int_equal(blocks_from(700, "^Owner::~Owner\\(\\)(;before_throw\\(int\\))+;"
				     "one_round\\(int\\);" TO_THE_END, false), 11994);
	assert_int_equal(blocks_from(800, "^after_throw\\(int\\)(;after_throw\\(int\\))*;"
				     "one_round\\(int\\);" TO_THE_END, false), 3000);
	assert_int_equal(truncated_in_all(), 0);
	assert_checked(30000);
}

TEST(test_exceptions_through_operator_new_and_malloc_leave_right_stacks)
{
	char command[4200];
	struct result r = record(CHECKED, "%s 3000", built("tests/subjects/throwers"));
	json_t *root = summary("");

	assert_int_equal(r.status, 0);
	assert_non_null(strstr(r.out, "caught 3000\n"));
	assert_nothing_lost(root);
	json_decref(root);
	check_throwers();
	result_free(&r);
	snprintf(command, sizeof(command), "%s 3000", built("tests/subjects/throwers"));
	r = record_on_bump(CHECKED, command);
	assert_int_equal(r.status, 0);
	assert_non_null(strstr(r.out, "caught 3000\n"));
	check_throwers();
	result_free(&r);
}

/* ---- code ---- */

TEST(test_code_made_at_run_time_ends_the_stack_and_is_counted)
{
	struct result r = record("--check-stacks=1", "%s 500", built("tests/subjects/jit"));
	char *info = ask("info test.data");

	assert_int_equal(r.status, 0);
	assert_int_equal(truncated("no_rule"), 500);
	assert_ends_are_counted();
	assert_non_null(strstr(info, "500 call stacks in code without unwind information"));
	assert_int_equal(blocks_from(1200, "^from_jit;0x[0-9a-f]+;\\[truncated: code without", false),
			 500);
	assert_int_equal(blocks_from(1300, "^plain;" TO_THE_END, false), 500);
	assert_checked(1000);
	free(info);
	result_free(&r);
}

TEST(test_library_at_the_address_of_an_unloaded_one_has_its_own_stacks)
{
	struct result r = record(CHECKED, "%s 300 %s", built("tests/subjects/plugins"),
				 built("tests/subjects"));

	assert_int_equal(r.status, 0);
	assert_int_equal(blocks_from(1111, "^plugin_a_work;use;" TO_THE_END, false), 300);
	assert_int_equal(blocks_from(2222, "^plugin_b_work;use;" TO_THE_END, false), 300);
	assert_checked(1000);
	result_free(&r);
}

/* A library in memory, and where its unwind tables begin in it. */
struct library {
	uint8_t bytes[1 << 18];
	size_t size, header, frames;
	Elf64_Phdr *phdr; /* PT_GNU_EH_FRAME */
};

static void library_read(struct library *l)
{
	FILE *f = fopen(built("tests/subjects/plugin_a.so"), "rb");
	Elf64_Ehdr *elf = (Elf64_Ehdr *)l->bytes;
	int32_t distance;

	assert_non_null(f);
	l->size = fread(l->bytes, 1, sizeof(l->bytes), f);
	fclose(f);
	assert_in_range(l->size, 4096, sizeof(l->bytes) - 1);
	l->phdr = (Elf64_Phdr *)(l->bytes + elf->e_phoff);
	while (l->phdr->p_type != PT_GNU_EH_FRAME)
		l->phdr++;
	l->header = l->phdr->p_offset;
	memcpy(&distance, l->bytes + l->header + 4, sizeof(distance));
	l->frames = l->header + 4 + (size_t)distance;
	assert_true(l->frames + 64 < l->size);
}

static void damage_none(struct library *l) { (void)l; }
static void damage_segment(struct library *l) { l->phdr->p_type = PT_NULL; }
static void damage_version(struct library *l) { l->bytes[l->header] = 9; }
static void damage_encodings(struct library *l) { memset(l->bytes + l->header + 1, 0x5a, 3); }
static void damage_no_frames(struct library *l) { memset(l->bytes + l->header + 8, 0, 4); }
static void damage_too_many(struct library *l) { memset(l->bytes + l->header + 8, 0xff, 4); }
static void damage_far(struct library *l) { memset(l->bytes + l->header + 4, 0x7f, 4); }
static void damage_table(struct library *l) { memset(l->bytes + l->header + 12, 0xee, 40); }
static void damage_zeros(struct library *l) { memset(l->bytes + l->frames, 0, 64); }
static void damage_ones(struct library *l) { memset(l->bytes + l->frames, 0xff, 64); }
static void damage_length(struct library *l) { memset(l->bytes + l->frames, 0x7f, 4); }

/* What aligns to such a number stays where it is, or goes anywhere. */
static void damage_notes(struct library *l)
{
	const Elf64_Ehdr *elf = (const Elf64_Ehdr *)l->bytes;
	Elf64_Phdr *p = (Elf64_Phdr *)(l->bytes + elf->e_phoff);

	for (unsigned i = 0; i < elf->e_phnum; i++)
		if (p[i].p_type == PT_NOTE)
			p[i].p_align = UINT64_MAX;
}

static void check_library(const struct library *l, const char *what, bool must_end)
{
	FILE *f = fopen("plugin_a.so", "wb");
	struct result r;
	long long blocks;

	assert_non_null(f);
	assert_int_equal(fwrite(l->bytes, 1, l->size, f), l->size);
	fclose(f);
	r = record("--free-stacks", "%s 20 .", built("tests/subjects/plugins"));
	if (r.status != 0)
		fail_msg("%s: status %d: %s", what, r.status, r.err);
	blocks = blocks_from(1111, must_end ? "^plugin_a_work;\\[truncated: " : "^plugin_a_work;",
			     false);
	if (blocks != 20)
		fail_msg("%s: %lld blocks", what, blocks);
	if (must_end && truncated_in_all() == 0)
		fail_msg("%s: no stack is counted as truncated", what);
	assert_int_equal(blocks_from(2222, "^plugin_b_work;use;" TO_THE_END, false), 20);
	result_free(&r);
}

TEST(test_damaged_unwind_tables_end_the_stack_in_their_own_module_only)
{
	static const struct {
		const char *what;
		void (*damage)(struct library *l);
		bool must_end;
	} damages[] = {
		{ "no damage", damage_none, false },
		{ "no PT_GNU_EH_FRAME", damage_segment, true },
		{ "a version that there is not", damage_version, true },
		{ "encodings that there are not", damage_encodings, true },
		{ "zero entries", damage_no_frames, false },
		{ "2^32-1 entries", damage_too_many, false },
		{ "frames outside the file", damage_far, false },
		{ "a table of garbage", damage_table, true },
		{ "frames of zeros", damage_zeros, false },
		{ "frames of ones", damage_ones, false },
		{ "a CIE of 2 GB", damage_length, false },
		{ "notes without alignment", damage_notes, false },
	};
	static struct library l;
	uint32_t seed = 1;
	struct result r = run_shell("cp %s .", built("tests/subjects/plugin_b.so"));

	assert_int_equal(r.status, 0);
	result_free(&r);
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		library_read(&l);
		damages[i].damage(&l);
		check_library(&l, damages[i].what, damages[i].must_end);
	}
	for (int i = 0; i < 15; i++) {
		char what[32];

		library_read(&l);
		for (int k = 0; k < 4; k++) {
			seed = seed * 1664525u + 1013904223u;
			l.bytes[l.header + (seed >> 8) % 200] = (uint8_t)(seed >> 24);
		}
		snprintf(what, sizeof(what), "random damage %d", i);
		check_library(&l, what, false);
	}
}

/* ---- threads ---- */

TEST(test_states_and_slots_of_short_threads_are_used_again)
{
	const char *program = built("tests/subjects/many_threads");
	struct result bare = run_shell("%s SHORT 5000", program);
	struct result r = record("", "%s SHORT 5000", program);
	json_t *info = ask_json("info --format=json test.data"), *root = summary("");

	assert_int_equal(r.status, 0);
	assert_nothing_lost(root);
	assert_int_equal(number_at(root, "threads"), 5001);
	/* 100,000 events in slots of 64 KiB: not one slot for each thread */
	assert_in_range(number_at(info, "segments"), 1, 100);
	/* and so for memory: a state of a thread is larger than 8 KiB */
	assert_true(number_after(r.out, "peak") < number_after(bare.out, "peak") + 8 * 1024);
	json_decref(info);
	json_decref(root);
	result_free(&bare);
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_calls_of_handlers_that_interrupt_captures_are_recorded_or_counted),
		LIVE_TEST(test_blocks_of_handlers_have_the_stack_through_what_they_interrupted),
		LIVE_TEST(test_longjmp_out_of_a_capture_does_not_end_the_recording),
		LIVE_TEST(test_coroutines_that_switch_in_a_recursion_have_stacks_of_their_own),
		LIVE_TEST(test_coroutines_under_a_storm_of_signals_have_stacks_of_their_own),
		LIVE_TEST(test_threads_with_the_smallest_stack_are_unwound_to_their_start),
		LIVE_TEST(test_recursion_without_end_costs_the_limit_and_each_cut_is_counted),
		LIVE_TEST(test_stacks_after_longjmp_are_those_of_where_it_landed),
		LIVE_TEST(test_exceptions_through_operator_new_and_malloc_leave_right_stacks),
		LIVE_TEST(test_code_made_at_run_time_ends_the_stack_and_is_counted),
		LIVE_TEST(test_library_at_the_address_of_an_unloaded_one_has_its_own_stacks),
		LIVE_TEST(test_damaged_unwind_tables_end_the_stack_in_their_own_module_only),
		LIVE_TEST(test_states_and_slots_of_short_threads_are_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
