/*
 * test_kills.c - SIGKILL at any moment: of the program, of the recorder, of one after the other while the
 * recorder is stopped. What is left is readable, holds each call that was completed and at most one more
 * of each thread, none twice, no half record. With the recorder dies what it had in its own memory, and
 * the ring fills up: then the recording says that calls are missing, and has none too many.
 *
 * KILLS=N moments in all, 40 without; FIRST=N begins with another one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/run.h"
#include "test.h"

#define COUNTERS 64

/* What is killed, the options of record (NULL: no recorder), and how. */
static const struct way {
	const char *name, *options, *kill;
} ways[] = {
	{ "the program", "", "kill -9 $target" },
	{ "the program, slots changing", "--ring=1M --when-full=wait", "kill -9 $target" },
	{ "the program, recorder stopped", "", "kill -STOP $recorder; sleep 0.01; kill -9 $target; "
	  "kill -CONT $recorder" },
	{ "the recorder, then the program", "", "kill -9 $recorder; sleep 0.05; "
	  "kill -9 $target" },
	{ "the program, without a recorder", NULL, "kill -9 $target" },
};

/* Five programs: threads, and forked children with as many each. */
static const char *const arguments[] = { "1", "2", "3", "1 2", "2 3" };
static const int streams[] = { 1, 2, 3, 3, 8 };

/* The target's calls that were completed, by COUNT threads. */
static unsigned long long completed_calls(int count)
{
	unsigned long long counts[COUNTERS * 8], sum = 0;
	FILE *file = fopen("counters", "rb");

	assert_non_null(file);
	assert_int_equal(fread(counts, sizeof(counts), 1, file), 1);
	fclose(file);
	for (int t = 0; t < count; t++)
		sum += counts[t * 8];
	return sum;
}

/* Of all images; a call read twice would be an unmatched free or an overlap. */
static unsigned long long recorded_calls(const json_t *root, long long *wrong)
{
	unsigned long long sum = 0;
	const json_t *image;
	size_t i;

	assert_true(json_is_array(root));
	json_array_foreach(root, i, image) {
		sum += (unsigned long long)number_or_zero(image, "calls.malloc");
		sum += (unsigned long long)number_or_zero(image, "calls.free");
		*wrong += number_or_zero(image, "unmatched_frees") + number_or_zero(image, "overlaps");
	}
	return sum;
}

static bool says_so(const json_t *root)
{
	const json_t *notes = json_object_get(json_array_get(root, 0), "notes"), *note;
	size_t i;

	json_array_foreach(notes, i, note)
		if (strstr(json_string_value(note), "recovered after its recorder was killed"))
			return true;
	return false;
}

static void kill_once(int moment)
{
	const struct way *way = &ways[moment % 5];
	int program = moment / 5 % 5;
	bool is_bare = !way->options;
	unsigned long long completed, recorded;
	long long wrong = 0;
	struct result r;
	json_t *root;
	char *start;

	if (is_bare)
		assert_true(asprintf(&start, "ALLOTROPE_OUT=$PWD/test.data LD_PRELOAD=%s",
				     built("liballotrope.so")) > 0);
	else
		assert_true(asprintf(&start, "%s record -q -o test.data --no-symbols %s --",
				     built("allotrope"), way->options) > 0);
	r = run_shell("exec 2>log; RANDOM=%d; "
		      /* a process of which at most a leader without threads waits to be collected */
		      "gone() { for p in $target; do [ -e /proc/$p/stat ] && "
		      "[ \"$(cat /proc/$p/task/*/stat | cut -d' ' -f3 | sort -u)\" != Z ] && return 1; "
		      "done; return 0; }; "
		      "%s %s counters %s & recorder=$!; "
		      "until [ -s counters.pid ]; do sleep 0.001; done; target=$(cat counters.pid); "
		      "sleep 0.0%02d%d; pids=$(cat counters.pids); target=\"$target $pids\"; %s; wait; "
		      UNTIL_TRUE("gone")
		      "if [ %d = 1 ]; then [ -e test.data ] || mv test.data.?????? test.data; "
		      "%s recover --no-symbols -o r.data test.data 2>told && "
		      "rm -f \"$(sed -n \"s/.*the ring '\\(.*\\)' was read.*/\\1/p\" told)\" && "
		      "mv r.data test.data; fi",
		      moment, start, built("tests/subjects/counted"), arguments[program],
		      moment * 7 % 60, moment % 10, way->kill,
		      strncmp(way->name, "the recorder", 12) == 0, built("allotrope"));
	free(start);
	root = summary("--all");
	completed = completed_calls(streams[program]);
	recorded = recorded_calls(root, &wrong);
	if (strncmp(way->name, "the recorder", 12) == 0 && recorded < completed) {
		if (!says_so(root))
			fail_msg("moment %d (%s, counted %s): %llu completed, %llu recorded, no loss "
				 "told", moment, way->name, arguments[program], completed, recorded);
		completed = recorded;
		wrong = 0;
	}
	if (wrong || recorded < completed || recorded > completed + (unsigned)streams[program])
		fail_msg("moment %d (%s, counted %s): %llu completed, %llu recorded, "
			 "%lld that do not match: %s", moment, way->name, arguments[program],
			 completed, recorded, wrong, r.err);
	json_decref(root);
	result_free(&r);
	r = run_shell("rm -rf counters* test.data* log told");
	result_free(&r);
}

TEST(test_whatever_is_killed_every_completed_call_is_recorded_once)
{
	const char *wanted = getenv("KILLS"), *from = getenv("FIRST");
	int first = from ? atoi(from) : 0, kills = wanted ? atoi(wanted) : 40;

	for (int i = first; i < first + kills; i++)
		kill_once(i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_whatever_is_killed_every_completed_call_is_recorded_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
