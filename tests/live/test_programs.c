/*
 * test_programs.c - programs that nobody tuned for: the same output and status as
 * without the library, a recording that is not empty, nothing lost.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/both_modes.h"
#include "test.h"

/*
 * Run COMMAND bare and recorded, in a directory prepared by SETUP each time; output
 * and status must be equal. At least BLOCKS blocks in all images together.
 */
static void check_program(const char *setup, const char *command, long long blocks)
{
	struct result prepared, bare, recorded;
	json_t *root, *image;
	long long seen = 0;
	size_t i;

	prepared = run_shell("rm -rf bare recorded && mkdir bare recorded && cd bare && { %s; } "
			     ">/dev/null && cd ../recorded && { %s; } >/dev/null", setup, setup);
	if (prepared.status)
		fail_msg("set-up: %s", prepared.err);
	result_free(&prepared);
	bare = run_shell("cd bare && { %s; }", command);
	recorded = run_shell("cd recorded && exec %s record -q -o ../test.data -- /bin/bash -c '%s'",
			     built("allotrope"), command);
	if (recorded.status != bare.status)
		fail_msg("%s: status %d, bare %d: %s", command, recorded.status,
			 bare.status, recorded.err);
	assert_string_equal(recorded.out, bare.out);
	assert_string_equal(recorded.err, bare.err);
	root = summary("");
	assert_nothing_lost(root);
	json_array_foreach(json_object_get(root, "processes"), i, image)
		seen += number_at(image, "blocks");
	if (seen < blocks)
		fail_msg("%s: only %lld blocks", command, seen);
	json_decref(root);
	result_free(&bare);
	result_free(&recorded);
}

TEST(test_git)
{
	check_program("git init -q . && for i in 1 2 3 4 5 6 7 8 9; do seq $i 500 >f$i; done && "
		      "git add . && git -c user.name=x -c user.email=x@x commit -qm one",
		      "seq 9 >f1; git status --porcelain; git log --format=%s; git gc -q; git fsck", 500);
}

TEST(test_sqlite3)
{
	check_program("true", "sqlite3 :memory: \"create table t(a); with recursive c(x) as (select 1 "
		      "union all select x+1 from c where x<20000) insert into t select x from c; "
		      "select count(*), sum(a) from t;\"", 500);
}

TEST(test_perl)
{
	check_program("true", "perl -e \"my %h; \\$h{\\$_} = [1..5] for 1..20000; "
		      "print scalar(keys %h), qq(\\n)\"",
		      20000);
}

TEST(test_node)
{
	check_program("true", "node -e \"let a=[]; for (let i=0;i<1e5;i++) a.push({i}); "
		      "console.log(a.length, JSON.stringify(a).length)\"", 1000);
}

TEST(test_cmake)
{
	check_program("printf \"project(x C)\\nadd_library(y y.c)\\n\" >CMakeLists.txt; echo \"int y;\" >y.c",
		      "cmake -S . -B b | grep -v Build; test -f b/Makefile && echo made", 10000);
}

TEST(test_gcc_compiling_a_file)
{
	check_program("printf \"#include <stdio.h>\\nint main(void){puts(\\\"hi\\\");return 4;}\\n\" >m.c",
		      "gcc -O2 -g -o m m.c && ./m", 10000);
}

TEST(test_python3_behind_its_shim_and_itself)
{
	check_program("true", "/usr/bin/python3 -c \"import json,re,threading; "
		      "print(len(json.dumps(list(range(50000)))))\"", 1000);
	check_program("true", "python3 -c \"print(sum(range(1000)))\"", 500);
}

TEST(test_redis_server_under_redis_benchmark)
{
	struct result r = run_shell(
		"%s record -q -o test.data -- redis-server --port 0 --unixsocket $PWD/s --save '' "
		"--daemonize no >server.log 2>&1 & pid=$!; "
		UNTIL_TRUE("[ -S s ]")
		"redis-benchmark -s $PWD/s -n 20000 -q -t set,get,lpush,lrange_100,hset >bench.log 2>&1; "
		"b=$?; redis-cli -s $PWD/s dbsize; redis-cli -s $PWD/s shutdown nosave; wait $pid; "
		"echo bench $b server $?", built("allotrope"));
	json_t *root = summary("");

	assert_non_null(strstr(r.out, "bench 0 server 0"));
	assert_nothing_lost(root);
	/* Debian's redis uses jemalloc as a library: blocks are seen all the same */
	assert_true(number_at(root, "blocks") > 10000);
	json_decref(root);
	result_free(&r);
}

TEST(test_shell_pipeline)
{
	check_program("seq 20000 >n", "sort -rn n | awk \"{s+=\\$1} END {print s}\"; grep -c 7 n; ls", 50);
}

/*
 * The LIBRARY and allotrope's preloaded, IS_BEHIND: allotrope's first. By `record`, which puts itself in
 * front of what is there (the shell between undoes that), and by LD_PRELOAD alone. The recording is
 * test.data.
 */
static struct result run_with_library(const char *mode, const char *library, bool is_behind,
				      const char *command)
{
	const char *ours = built("liballotrope.so");
	struct result r = run_shell("rm -f test.data");

	result_free(&r);
	if (strcmp(mode, "bare") == 0)
		return run_shell("ALLOTROPE_OUT=test.data LD_PRELOAD=%s:%s exec %s",
				 is_behind ? ours : library, is_behind ? library : ours, command);
	if (is_behind)
		return run_shell("LD_PRELOAD=%s exec %s record -q -o test.data -- %s", library,
				 built("allotrope"), command);
	return run_shell("exec %s record -q -o test.data -- /bin/sh -c 'LD_PRELOAD=%s:$LD_PRELOAD exec %s'",
			 built("allotrope"), library, command);
}

static const char *const modes[] = { "record", "bare" };

#define MODES (sizeof(modes) / sizeof(modes[0]))

TEST(test_other_allocators_are_recorded_in_both_orders)
{
	static const char *const libraries[] = {
		"libjemalloc.so.2", "libmimalloc.so.2.0", "libtcmalloc_minimal.so.4",
		"libc_malloc_debug.so.0",
	};
	char command[4096];

	snprintf(command, sizeof(command), "%s 3 2000", built("bench/pairs"));
	for (size_t i = 0; i < MODES * sizeof(libraries) / sizeof(libraries[0]); i++) {
		const char *mode = modes[i % MODES], *library = libraries[i / MODES];
		struct result r = run_with_library(mode, library, true, command);
		json_t *root;

		if (r.status || *r.err)
			fail_msg("%s behind, %s: status %d %s", library, mode, r.status, r.err);
		result_free(&r);
		root = summary("");
		if (number_at(root, "calls.malloc") < 2000)
			fail_msg("%s, %s: %lld mallocs", library, mode, number_at(root, "calls.malloc"));
		assert_nothing_lost(root);
		json_decref(root);
		/* in front it serves the calls, and what it passes on is recorded */
		r = run_with_library(mode, library, false, command);
		if (r.status || *r.err)
			fail_msg("%s in front, %s: status %d %s", library, mode, r.status, r.err);
		result_free(&r);
	}
}

TEST(test_early_allocations_of_another_preload)
{
	struct result bare = run_shell("/bin/ls /");

	for (size_t i = 0; i < MODES * 2; i++) {
		struct result r = run_with_library(modes[i % MODES], built("tests/subjects/early.so"),
						   i / MODES, "/bin/ls /");
		json_t *root = summary("");

		assert_int_equal(r.status, 0);
		assert_string_equal(r.out, bare.out);
		assert_string_equal(r.err, "");
		assert_nothing_lost(root);
		json_decref(root);
		result_free(&r);
	}
	result_free(&bare);
}

/* Blocks that were needed to find malloc live on as any other: their library checks them at the end. */
TEST(test_blocks_of_a_dlsym_that_allocates_are_used_to_the_end)
{
	struct result bare = run_shell("/bin/ls /");

	for (size_t i = 0; i < MODES; i++) {
		struct result r = run_with_library(modes[i], built("tests/subjects/dlsym_allocates.so"), true,
						   "/usr/bin/env DLSYM_LEAST=10 /bin/ls /");
		json_t *root = summary("");

		assert_int_equal(r.status, 0);
		assert_string_equal(r.out, bare.out);
		assert_string_equal(r.err, "");
		assert_true(number_at(root, "calls.malloc") > 20);
		json_decref(root);
		result_free(&r);
	}
	result_free(&bare);
}

TEST(test_semantics_are_those_of_the_bare_program)
{
	struct result bare = run_shell("%s", built("tests/subjects/semantics"));
	struct result r = record("", "%s", built("tests/subjects/semantics"));
	json_t *root = summary("");

	assert_int_equal(r.status, 0);
	assert_string_equal(r.out, bare.out);
	assert_nothing_lost(root);
	json_decref(root);
	result_free(&r);
	/* and without a recorder */
	r = run_shell("LD_PRELOAD=%s %s && ls *.ring", built("liballotrope.so"),
		      built("tests/subjects/semantics"));
	assert_int_equal(r.status, 0);
	assert_memory_equal(r.out, bare.out, bare.out_bytes);
	result_free(&r);
	result_free(&bare);
}

TEST(test_signal_handlers_that_allocate_do_not_disturb)
{
	char command[4096];

	snprintf(command, sizeof(command), "%s 1500", built("tests/subjects/handlers"));
	for (size_t i = 0; i < MODES; i++) {
		struct result r = run_in_mode(modes[i], "", command);
		json_t *root = summary("");

		assert_int_equal(r.status, 0);
		/* what a handler's interruption cost is counted, nothing else is missing */
		assert_int_equal(number_at(root, "calls.malloc") - number_after(r.out, "malloc"),
				 1 - number_or_zero(root, "losses.nested") / 2);
		json_decref(root);
		result_free(&r);
	}
}

TEST(test_a_bare_preload_leaves_a_readable_ring)
{
	struct result r = run_shell("LD_PRELOAD=%s %s 41000 && mv *.ring test.data",
				    built("liballotrope.so"), built("examples/int_blocks"));
	char *sizes;

	assert_int_equal(r.status, 0);
	sizes = ask("sizes --format=csv test.data");
	assert_non_null(strstr(sizes, "\n992,1000,992000"));
	free(sizes);
	result_free(&r);
}

TEST(test_exceptions_are_thrown_by_libgcc_whatever_takes_the_stacks)
{
	static const char *const options[] = {
		"", "--call-graph=libunwind", "--call-graph=fp", "--call-graph=no", "--free-stacks",
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct result r = record(options[i], "%s 200", built("tests/subjects/exceptions"));
		json_t *root = summary("");

		assert_int_equal(r.status, 0);
		assert_string_equal(r.out, "caught 200 by libgcc_s.so.1\n");
		assert_nothing_lost(root);
		json_decref(root);
		result_free(&r);
	}
}

TEST(test_summary_of_a_cxx_program_names_its_own_functions)
{
	struct result r = record("", "%s 5000", built("tests/subjects/texts"));
	char *text = ask("summary test.data"), *sites = ask("sites --format=csv test.data");

	assert_int_equal(r.status, 0);
	assert_non_null(strstr(text, "keep_texts(int) (texts.cc:"));
	assert_null(strstr(text, "std::"));
	/* the allocation site itself */
	assert_non_null(strstr(sites, "std::__cxx11::basic_string<"));
	free(text);
	free(sites);
	result_free(&r);
}

TEST(test_programs_started_by_a_bare_one_join_its_ring)
{
	struct result r = run_shell("LD_PRELOAD=%s sh -c '/bin/ls / >/dev/null; exec %s 41000' && "
				    "ls *.ring | wc -l && mv *.ring test.data",
				    built("liballotrope.so"), built("examples/int_blocks"));
	json_t *root;

	assert_string_equal(r.out, "40999\n1\n");
	root = summary("");
	assert_int_equal(json_array_size(json_object_get(root, "processes")), 3);
	json_decref(root);
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_git),
		LIVE_TEST(test_sqlite3),
		LIVE_TEST(test_perl),
		LIVE_TEST(test_node),
		LIVE_TEST(test_cmake),
		LIVE_TEST(test_gcc_compiling_a_file),
		LIVE_TEST(test_python3_behind_its_shim_and_itself),
		LIVE_TEST(test_redis_server_under_redis_benchmark),
		LIVE_TEST(test_shell_pipeline),
		LIVE_TEST(test_other_allocators_are_recorded_in_both_orders),
		LIVE_TEST(test_early_allocations_of_another_preload),
		LIVE_TEST(test_blocks_of_a_dlsym_that_allocates_are_used_to_the_end),
		LIVE_TEST(test_semantics_are_those_of_the_bare_program),
		LIVE_TEST(test_signal_handlers_that_allocate_do_not_disturb),
		LIVE_TEST(test_a_bare_preload_leaves_a_readable_ring),
		LIVE_TEST(test_exceptions_are_thrown_by_libgcc_whatever_takes_the_stacks),
		LIVE_TEST(test_summary_of_a_cxx_program_names_its_own_functions),
		LIVE_TEST(test_programs_started_by_a_bare_one_join_its_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
