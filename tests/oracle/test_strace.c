/*
 * test_strace.c - the memory system calls are strace's: order, arguments, results, counts and
 * call stacks, from the library's start on, ld.so's own and those of constructors set
 * aside; and the storm of the article.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/call_trace.h"
#include "support/run.h"
#include "test.h"

#define PYTHON27 "/root/.pyenv/versions/2.7.18/bin/python2.7"

/* Lines of `allotrope ltrace -S` as "name(args) = result" are compared by count here. */
static long long strace_count(const char *environment, const char *command, const char *name)
{
	struct result r = run_shell("%s strace -f -o strace.out -e trace=%%memory %s >/dev/null; "
				    "grep -c '\\b%s(' strace.out", environment, command, name);
	long long count = atoll(r.out);

	result_free(&r);
	return count;
}

/* Calls that a program makes before and after main are those of an empty one. */
static long long loader_count(const char *name)
{
	return strace_count("", "/bin/true", name);
}

static void check_brk(const char *environment, const char *command)
{
	struct result r = run_shell("%s %s record -q -o test.data -- %s", environment,
				    built("allotrope"), command);
	long long strace = strace_count(environment, command, "brk"), ours;
	json_t *root;

	assert_int_equal(r.status, 0);
	root = summary("");
	ours = number_at(root, "syscalls.brk");
	/* ld.so asks for the break once, before any library runs */
	if (ours != strace - 1)
		fail_msg("%s %s: %lld brk calls, strace %lld", environment, command, ours, strace);
	assert_nothing_lost(root);
	json_decref(root);
	result_free(&r);
}

TEST(test_true_makes_one_brk_before_the_library)
{
	/* /bin/true allocates nothing that moves the break but what its start does */
	assert_in_range(loader_count("brk"), 1, 4);
}

TEST(test_brk_calls_of_the_storm_equal_strace)
{
	char command[4096];

	snprintf(command, sizeof(command), "%s 2000000", built("examples/int_blocks"));
	check_brk("", command);
	check_brk("GLIBC_TUNABLES=glibc.malloc.tcache_count=0", command);
}

TEST(test_python27_range_shows_the_storm_of_the_article)
{
	struct result r;
	char *sizes, *sites;

	if (access(PYTHON27, X_OK)) {
		/* no distribution has it any more; int_blocks is compared in its place */
		printf("no CPython 2.7 at %s: the storm of int_blocks stands for it\n", PYTHON27);
		return;
	}
	r = record("", PYTHON27 " -c 'range(10000000)'");
	assert_int_equal(r.status, 0);
	sizes = ask("sizes --format=csv test.data");
	assert_non_null(strstr(sizes, "\n992,2439"));
	assert_non_null(strstr(sizes, "\n80000000,1,80000000"));
	sites = ask("sites --format=csv --sort=blocks --top=1 test.data");
	assert_non_null(strstr(sites, "fill_free_list"));
	free(sizes);
	free(sites);
	result_free(&r);
	check_brk("", PYTHON27 " -c 'range(10000000)'");
	check_brk("GLIBC_TUNABLES=glibc.malloc.tcache_count=0", PYTHON27 " -c 'range(3000000)'");
}

TEST(test_a_block_above_the_threshold_is_one_mapping_and_its_free_unmaps_it)
{
	struct result r = record("", "%s", built("examples/alloc_size"));
	char *lines = ask("ltrace -S test.data");
	const char *p;
	int mappings = 0, unmaps = 0;

	for (p = lines; (p = strstr(p, "SYS_mmap(0, 266240, ")); p++)
		mappings++;
	for (p = lines; (p = strstr(p, ", 266240)")); p++)
		unmaps++;
	assert_int_equal(mappings, 5);
	assert_int_equal(unmaps, 5);
	free(lines);
	result_free(&r);
}

/* ---- line by line ---- */

/* Addresses that stay the same, where the machine lets programs ask for that (containers may not). */
#define FIXED "$(setarch -R true 2>/dev/null && echo setarch -R)"

/*
 * Traces COMMAND by both into theirs.out and ours.out: the same environment, mappings in the
 * same places.
 */
static void trace_both(const char *environment, const char *options, const char *command)
{
	struct result r;

	r = run_shell("export SCRUB=$(basename %.*s) SCRUB_LEVEL=1; %s " FIXED " strace -f -k "
		      "-o theirs.out -e trace=%%memory -E SCRUB=$SCRUB -E LD_PRELOAD=%s %s >/dev/null",
		      (int)strcspn(command, " "), command, environment,
		      built("tests/subjects/scrub.so"), command);
	result_free(&r);
	r = run_shell("export SCRUB=$(basename %.*s) SCRUB_LEVEL=1; LD_PRELOAD=%s %s " FIXED
		      " %s record -q %s -o test.data -- %s >/dev/null",
		      (int)strcspn(command, " "), command, built("tests/subjects/scrub.so"), environment,
		      built("allotrope"), options, command);
	result_free(&r);
	free(ask("strace -f -k --no-startup -o ours.out test.data"));
}

static void assert_same_calls(const char *environment, const char *command, int least)
{
	struct call_trace ours, theirs;
	int threads;

	trace_both(environment, "", command);
	ours = call_trace_read("ours.out", 0);
	theirs = call_trace_read("theirs.out", 1);
	assert_true(theirs.set_aside > 0);
	threads = call_trace_compare(command, &ours, &theirs);
	assert_in_range(ours.count, least, CALLS_MAX);
	printf("%s: %d calls of %d threads alike, %d of constructors\n", command, ours.count, threads,
	       ours.early_count);
	call_trace_free(&ours);
	call_trace_free(&theirs);
}

TEST(test_calls_of_the_examples_are_straces)
{
	static const char *const examples[] = {
		"alloc_size", "arenas", "benchmark", "demand_paging", "int_blocks 200000",
		"map_copy /etc/services copy", "modify_areas", "realloc_growth",
		"threshold_walk", "threshold_walk 65536", "trim",
	};

	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		char path[64];

		snprintf(path, sizeof(path), "examples/%s", examples[i]);
		assert_same_calls("", built(path), 1);
	}
}

/* strace takes some milliseconds for a call stack: the loader's calls are counted apart. */
TEST(test_calls_of_the_trim_storm_are_straces)
{
	struct call_trace ours, theirs, small;
	char command[4096], *a, *b;

	free(run_shell("strace -f -k -o theirs.out -e trace=%%memory %s 1",
		       built("examples/int_blocks")).out);
	small = call_trace_read("theirs.out", 1);
	snprintf(command, sizeof(command), "%s 4300000 >/dev/null", built("examples/int_blocks"));
	free(run_shell("export GLIBC_TUNABLES=glibc.malloc.tcache_count=0; " FIXED " strace -f "
		       "-o theirs.out -e trace=%%memory %s; " FIXED " %s record -q -o test.data -- %s",
		       command, built("allotrope"), command).out);
	free(ask("strace -f --no-startup -o ours.out test.data"));
	ours = call_trace_read("ours.out", 0);
	theirs = call_trace_read("theirs.out", 1);
	call_trace_drop(&theirs, small.set_aside);
	a = call_trace_thread(&ours, 0);
	b = call_trace_thread(&theirs, 0);
	assert_same_lines(command, 0, a, b);
	assert_in_range(ours.count, 20000, CALLS_MAX);
	free(a);
	free(b);
	call_trace_free(&ours);
	call_trace_free(&theirs);
	call_trace_free(&small);
}

TEST(test_every_call_is_printed_as_strace_does)
{
	assert_same_calls("", built("tests/subjects/map_calls"), 50);
}

TEST(test_calls_of_threads_are_straces)
{
	assert_same_calls("", built("tests/subjects/four_threads"), 100);
}

TEST(test_calls_of_real_programs_are_straces)
{
	FILE *out = fopen("input.json", "w");
	char command[4096];

	for (int i = 0; i < 40000; i++)
		fprintf(out, "{\"number\": %d, \"text\": \"%080d\"}\n", i, i);
	fclose(out);
	assert_same_calls("", "/usr/bin/jq -s length input.json", 20);
	assert_same_calls("PYTHONHASHSEED=0", "/usr/bin/python3 -c 'x=[str(i)*9 for i in range(60000)];"
			  "y=bytearray(9<<20);del y'", 20);
	assert_same_calls("PYTHONMALLOC=malloc PYTHONHASHSEED=0",
			  "/usr/bin/python3 -c 'x=[str(i)*9 for i in range(60000)];"
			  "y=bytearray(9<<20);del y'", 20);
	snprintf(command, sizeof(command), "/usr/bin/python3 %s", source("examples/wordcount.py"));
	assert_same_calls("PYTHONHASHSEED=0", command, 20);
	assert_same_calls("", "/usr/bin/sqlite3 :memory: 'create table t(x);"
			  "insert into t select hex(randomblob(40)) from generate_series(1,20000);"
			  "select count(*) from t'", 10);
}

/*
 * redis-server under a tool: some hundred commands by redis-cli and redis-benchmark, then an
 * orderly end. jemalloc gives memory back by the clock unless told not to, and on one processor its
 * threads share an arena.
 */
static const char server[] =
	"#!/bin/sh\n"
	"export MALLOC_CONF=narenas:8,dirty_decay_ms:-1,muzzy_decay_ms:-1 SCRUB=redis-server SCRUB_LEVEL=1\n"
	"rm -f socket\n"
	"timeout 600 \"$@\" redis-server --port 0 --unixsocket ./socket --save '' --hz 1 >/dev/null 2>&1 &\n"
	UNTIL_TRUE("redis-cli -s ./socket ping 2>&1 | grep -q PONG") "\n"
	"for i in $(seq 200); do echo \"set key:$i $(printf %0$((i * 30))d 1)\"\n"
	"echo \"rpush list $(printf %0200d $i)\"; echo \"hset hash field$i $i\"; done >commands\n"
	"for i in $(seq 1 2 200); do echo \"del key:$i\"; done >>commands\n"
	"echo unlink list >>commands; echo flushall async >>commands\n"
	"redis-cli -s ./socket <commands >/dev/null\n"
	"redis-benchmark -s ./socket -q -n 500 -c 1 -t set,lpush,hset >/dev/null\n"
	"redis-cli -s ./socket shutdown nosave\n"
	"wait\n";

/* Threads, another allocator, an end by command. */
TEST(test_calls_of_a_server_are_straces)
{
	struct call_trace ours, theirs;
	int threads;
	FILE *out;

	if (!found("redis-server") || !found("redis-cli") || !found("redis-benchmark"))
		SKIP("redis is not installed");
	out = fopen("server", "w");
	fputs(server, out);
	fclose(out);
	free(run_shell("chmod +x server; ./server " FIXED " strace -f -k -o theirs.out "
		       "-e trace=%%memory -E LD_PRELOAD=%s", built("tests/subjects/scrub.so")).out);
	free(run_shell("LD_PRELOAD=%s ./server " FIXED " %s record -q -o test.data --",
		       built("tests/subjects/scrub.so"), built("allotrope")).out);
	free(ask("strace -f -k --no-startup -o ours.out test.data"));
	ours = call_trace_read("ours.out", 0);
	theirs = call_trace_read("theirs.out", 1);
	threads = call_trace_compare("redis-server", &ours, &theirs);
	assert_in_range(threads, 2, 10);
	assert_in_range(ours.count, 10, CALLS_MAX);
	/* jemalloc's first mappings were made by libraries' constructors */
	assert_in_range(ours.early_count, 3, CALLS_MAX);
	printf("redis-server: %d calls of %d threads alike, %d of constructors\n", ours.count, threads,
	       ours.early_count);
	call_trace_free(&ours);
	call_trace_free(&theirs);
}

/* Its constructor is the first to allocate: what it maps is neither startup nor lost. */
TEST(test_mappings_of_constructors_before_the_librarys_own_are_seen)
{
	char *lines;

	free(run_shell("LD_PRELOAD=%s %s record -q -o test.data -- /bin/true",
		       built("tests/subjects/early.so"), built("allotrope")).out);
	lines = ask("strace --no-startup test.data");
	assert_non_null(strstr(lines, "mmap(NULL, 151552, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, "
			       "0) = 0x"));
	free(lines);
}

/*
 * Where both name a function alike they agree on how far into it the address is; functions of
 * the program itself have one name. (libc's static functions strace cannot know: it takes the
 * exported name before.)
 */
static int compare_frame(const char *command, const struct trace_line *ours, int i,
			 const struct trace_line *theirs, int k)
{
	const char *a = ours->functions[i], *b = theirs->functions[k];
	size_t name = strcspn(a, "+");
	bool is_own = strncmp(ours->frames[i], "lib", 3) != 0;

	if (strcmp(ours->frames[i], theirs->frames[k]) != 0 ||
	    ((is_own || (name == strcspn(b, "+") && strncmp(a, b, name) == 0)) && strcmp(a, b) != 0))
		fail_msg("%s: frame %d of %s: %s %s, strace %s %s", command, i, ours->text, a,
			 ours->frames[i], b, theirs->frames[k]);
	return strcmp(a, b) == 0;
}

/*
 * With WHOLE frame for frame. Else ours begin at the allocator's caller where malloc makes the
 * call: they are the end of strace's.
 */
static void assert_same_stacks(const char *command, int whole)
{
	struct call_trace ours, theirs;
	int frames = 0, same = 0, unequal = 0;
	struct result r;

	trace_both("", whole ? "--syscalls=stacks" : "", command);
	ours = call_trace_read("ours.out", 0);
	theirs = call_trace_read("theirs.out", 1);
	assert_int_equal(ours.count, theirs.count);
	for (int i = 0; i < ours.count; i++) {
		const struct trace_line *a = &ours.lines[i], *b = &theirs.lines[i];
		int inside = b->frame_count - a->frame_count;

		assert_in_range(a->frame_count, 2, FRAMES_MAX);
		if (inside < 0 || (whole && inside > 0))
			fail_msg("%s: %s has %d frames, strace %d", command, a->text, a->frame_count,
				 b->frame_count);
		unequal += inside > 0;
		for (int k = 0; k < a->frame_count; k++, frames++)
			same += compare_frame(command, a, k, b, inside + k);
	}
	assert_true(whole || unequal);
	/* free of a mapped block calls munmap with nothing between: not for lack of recording it */
	r = run_shell("%s strace -k test.data 2>&1 >ours.out", built("allotrope"));
	assert_int_equal(strstr(r.out, "inside malloc and free were not recorded") == NULL, whole);
	result_free(&r);
	printf("%s: %d frames at the same addresses, %d of the same name\n", command, frames, same);
	call_trace_free(&ours);
	call_trace_free(&theirs);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/*
 * The different call stacks of T, each with the call's name, one a line, in order. What mmap and munmap
 * do for an arena is chance: how its mapping came to be aligned.
 */
static char *different_stacks(const struct call_trace *t)
{
	char **lines = calloc((size_t)t->count + 1, sizeof(*lines)), *text = NULL;
	size_t bytes = 0;
	FILE *out;

	for (int i = 0; i < t->count; i++) {
		const struct trace_line *l = &t->lines[i];

		out = open_memstream(&lines[i], &bytes);
		fprintf(out, "%.*s", (int)strcspn(l->text, "("), l->text);
		for (int k = 0; k < l->frame_count; k++)
			fprintf(out, " %s", l->frames[k]);
		fputc('\n', out);
		fclose(out);
	}
	qsort(lines, (size_t)t->count, sizeof(*lines), compare_lines);
	out = open_memstream(&text, &bytes);
	for (int i = 0; i < t->count; i++)
		if ((i == 0 || strcmp(lines[i], lines[i - 1]) != 0) &&
		    strncmp(lines[i], "mmap", 4) != 0 && strncmp(lines[i], "munmap", 6) != 0)
			fputs(lines[i], out);
	fclose(out);
	for (int i = 0; i < t->count; i++)
		free(lines[i]);
	free(lines);
	return text;
}

/* Threads run in any order: the same stacks, whoever was first. */
TEST(test_stacks_of_threads_are_straces)
{
	struct call_trace ours, theirs;
	char *a, *b;

	trace_both("", "--syscalls=stacks", built("examples/arenas"));
	ours = call_trace_read("ours.out", 0);
	theirs = call_trace_read("theirs.out", 1);
	a = different_stacks(&ours);
	b = different_stacks(&theirs);
	assert_non_null(strstr(b, "mprotect"));
	assert_same_lines("arenas", 0, a, b);
	free(a);
	free(b);
	call_trace_free(&ours);
	call_trace_free(&theirs);
}

TEST(test_stacks_of_the_examples_are_straces)
{
	static const char *const programs[] = {
		"examples/alloc_size", "examples/benchmark", "examples/demand_paging",
		"examples/int_blocks 100000", "examples/map_copy /etc/services copy",
		"examples/modify_areas", "examples/realloc_growth", "examples/static_dynamic 0",
		"examples/threshold_walk", "examples/trim", "tests/subjects/map_calls",
	};

	assert_same_stacks(built("examples/trim"), 0);
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		assert_same_stacks(built(programs[i]), 1);
}

/* The number before the last words of the line of NAME in a -c table. */
static long long table_calls(const char *table, const char *name)
{
	long long calls = 0;

	for (const char *p = table; p && *p; p = strchr(p, '\n'), p += p != NULL) {
		double percent, seconds;
		long long usecs, count;
		char rest[128], *word;

		if (sscanf(p, "%lf %lf %lld %lld %127[^\n]", &percent, &seconds, &usecs, &count, rest) != 5)
			continue;
		word = strrchr(rest, ' ');
		word = word ? word + 1 : rest;
		if (strcmp(word, name) == 0)
			calls = count;
	}
	return calls;
}

/* strace -c of COMMAND, of which the loader's calls are counted in a run of SMALL, is ours. */
static void assert_same_counts(const char *environment, const char *command, const char *small)
{
	static const char *const names[] = {
		"brk", "mmap", "munmap", "mremap", "mprotect", "madvise",
	};
	struct result theirs, loader;
	char *ours;
	long long all = 0;

	theirs = run_shell("%s strace -f -c -e trace=%%memory -o table.out %s >/dev/null; cat table.out",
			   environment, command);
	loader = run_shell("%s strace -f -k -e trace=%%memory -o loader.out %s >/dev/null", environment,
			   small);
	free(run_shell("%s %s record -q -o test.data -- %s", environment, built("allotrope"),
		       command).out);
	ours = ask("strace -f -c test.data");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct result own = run_shell("grep -A1 '%s(' loader.out | grep -c ' > .*ld-linux'",
					      names[i]);
		long long calls = table_calls(ours, names[i]);

		if (calls != table_calls(theirs.out, names[i]) - atoll(own.out))
			fail_msg("%s: %lld calls of %s, strace %lld, of them the loader's %s", command,
				 calls, names[i], table_calls(theirs.out, names[i]), own.out);
		all += calls;
		result_free(&own);
	}
	printf("%s: %lld calls in both tables\n", command, all);
	free(ours);
	result_free(&theirs);
	result_free(&loader);
}

TEST(test_counts_are_those_of_straces_table_without_the_loaders)
{
	char command[4096];
	const char *program = built("examples/int_blocks");

	snprintf(command, sizeof(command), "%s 4200000", program);
	assert_same_counts("GLIBC_TUNABLES=glibc.malloc.tcache_count=0", command,
			   built("examples/int_blocks 1"));
	program = built("tests/subjects/four_threads");
	assert_same_counts("", program, program);
	program = built("examples/threshold_walk");
	assert_same_counts("", program, program);
	program = "/usr/bin/jq -n '[range(100000)]|length'";
	assert_same_counts("", program, program);
}

/* Titles, the rule and names of calls; numbers are times, and the loader's calls are strace's alone. */
TEST(test_tables_have_straces_columns)
{
	static const char *const options[] = {
		"-c", "-c -S name", "-c -S nothing -U name,calls,errors",
		"-c -U calls,name,min-time,max-time -S errors",
		"-c -U time,shortest,longest,time-avg,count,syscall-name", "-c -U error,time-total,count",
	};
	char *program = strdup(built("tests/subjects/map_calls"));

	free(record("", "%s", program).out);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct result theirs = run_shell("strace -w -e trace=%%memory %s -o table.out %s; head -2 "
						 "table.out; sed 1,2d table.out | grep -c .",
						 options[i], program);
		struct result ours = run_shell("%s strace -e trace=%%memory %s test.data | sed "
					       "'/^$/,$d' >ours.out; head -2 ours.out; "
					       "sed 1,2d ours.out | grep -c .", built("allotrope"),
					       options[i]);

		assert_string_equal(ours.out, theirs.out);
		result_free(&theirs);
		result_free(&ours);
	}
	free(program);
}

/* What strace calls an error is one here, and the other way round. */
TEST(test_expressions_choose_what_straces_choose)
{
	static const char *const expressions[] = {
		"-e t=msync", "-e trace=mlock,?nothing", "-e '/^m(sync|lock)'",
		"-e trace=madvise -e status=failed", "-e %ipc", "-z -e msync,mbind", "-Z -e msync,mbind",
		"-e status=successful -e msync", "-e trace=none", "--trace=io_uring_register -C",
	};
	char *program = strdup(built("tests/subjects/map_calls"));

	free(record("", "%s", program).out);
	for (size_t i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++) {
		/* addresses differ from run to run, times too */
		const char *names = "sed -n '/^shm[gc]/d; /^[a-z_0-9]*(/s/(.*= /( = /p' | "
				    "sed 's/0x[0-9a-f]*/@/'";
		struct result theirs = run_shell("strace -o theirs.out %s %s; <theirs.out %s",
						 expressions[i], program, names);
		struct result ours = run_shell("%s strace --no-startup %s test.data | %s",
					       built("allotrope"), expressions[i], names);

		if (strcmp(ours.out, theirs.out) != 0)
			fail_msg("%s: %s\nstrace: %s", expressions[i], ours.out, theirs.out);
		result_free(&theirs);
		result_free(&ours);
	}
	free(program);
}

/* The same calls, but for asking where the break is, where no site could be patched. */
TEST(test_inferred_calls_are_those_that_were_made)
{
	struct result exact = record("", "%s", built("examples/alloc_size"));
	char *seen = ask("strace --no-startup -e brk,mmap,munmap test.data");
	struct result again = record("--syscalls=inferred", "%s", built("examples/alloc_size"));
	char *inferred = ask("strace --no-startup -e brk,mmap,munmap test.data");

	assert_null(strstr(seen, "inferred"));
	assert_non_null(strstr(inferred, "mmap(NULL, 266240, PROT_READ|PROT_WRITE, "
			       "MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x"));
	for (const char *p = inferred; (p = strstr(p, "266240) ")) != NULL; p++)
		assert_non_null(strstr(p, "= 0 (inferred)\n"));
	free(seen);
	free(inferred);
	result_free(&exact);
	result_free(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_true_makes_one_brk_before_the_library),
		LIVE_TEST(test_brk_calls_of_the_storm_equal_strace),
		LIVE_TEST(test_python27_range_shows_the_storm_of_the_article),
		LIVE_TEST(test_a_block_above_the_threshold_is_one_mapping_and_its_free_unmaps_it),
		LIVE_TEST(test_calls_of_the_examples_are_straces),
		LIVE_TEST(test_calls_of_the_trim_storm_are_straces),
		LIVE_TEST(test_every_call_is_printed_as_strace_does),
		LIVE_TEST(test_calls_of_threads_are_straces),
		LIVE_TEST(test_calls_of_real_programs_are_straces),
		LIVE_TEST(test_calls_of_a_server_are_straces),
		LIVE_TEST(test_mappings_of_constructors_before_the_librarys_own_are_seen),
		LIVE_TEST(test_stacks_of_threads_are_straces),
		LIVE_TEST(test_stacks_of_the_examples_are_straces),
		LIVE_TEST(test_counts_are_those_of_straces_table_without_the_loaders),
		LIVE_TEST(test_tables_have_straces_columns),
		LIVE_TEST(test_expressions_choose_what_straces_choose),
		LIVE_TEST(test_inferred_calls_are_those_that_were_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
