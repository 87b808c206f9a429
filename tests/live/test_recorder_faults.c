/*
 * test_recorder_faults.c - the recorder stopped, killed, its disk full or frozen, its ring taken away:
 * the program waits no longer than is promised, and what is missing is counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/run.h"
#include "test.h"

/* Pairs of calls after something happened: enough to fill a ring of 1 MiB several times. */
#define PAIRS 1000000ll
/*
 * A thread waits 2 s for a recorder that gives no sign, and its last sign may be a little old; at
 * most this long where the program goes on at all, on a machine that is busy with other things.
 */
#define TOOK_LEAST 1500
#define TOOK_MOST 60000

/* In the shell: what `ms` says is milliseconds, of an unknown day. */
#define MS "ms() { echo $(($(date +%%s%%N) / 1000000)); }; "

/* What recover said is in ./told: take the ring away that it names. */
#define REMOVE_RING "rm -f \"$(sed -n \"s/.*the ring '\\(.*\\)' was read.*/\\1/p\" told)\""

/* Calls of all programs whose names hold PROGRAM. */
static long long all_calls(const char *program)
{
	char *text = ask("summary --all --format=json test.data");
	json_t *root = json_loads(text, 0, NULL), *image;
	long long sum = 0;
	size_t i;

	assert_true(json_is_array(root));
	json_array_foreach(root, i, image)
		if (strstr(json_string_value(json_object_get(image, "program")), program))
			sum += number_or_zero(image, "calls.malloc") + number_or_zero(image, "calls.free");
	json_decref(root);
	free(text);
	return sum;
}

static json_t *info(void)
{
	char *text = ask("info --format=json test.data");
	json_t *root = json_loads(text, 0, NULL);

	assert_non_null(root);
	free(text);
	return root;
}

/* libc's own calls beside those of COUNT pairs, in each of IMAGES programs. */
static void assert_adds_up(long long seen, long long lost, long long pairs, int images)
{
	if (seen + lost < 2 * pairs || seen + lost > 2 * pairs + 100 * images)
		fail_msg("%lld seen, %lld lost: not %lld", seen, lost, 2 * pairs);
}

/*
 * The program is at work when its recorder is stopped, and goes on until it has filled the ring,
 * whatever the machine's speed: the time until its end begins before the stop. Another program
 * runs when the recorder is found at work again.
 */
TEST(test_a_stopped_recorder_holds_the_program_for_two_seconds_and_goes_on)
{
	struct result r = run_shell(
		MS "mkfifo out go; %s record -q --ring=1M -o test.data -- "
		"/bin/sh -c '%s %lld; read line <go; exec %s 3 200000' >out & rec=$!; exec 3<out; "
		UNTIL("working") "a=$(ms); kill -STOP $rec; touch happened; read pairs <&3; b=$(ms); "
		"kill -CONT $rec; " UNTIL_TRUE("%s mark back test.data") "echo >go; "
		"wait $rec; echo $? $((b - a)) $pairs",
		built("allotrope"), built("tests/subjects/steady"), PAIRS, built("bench/pairs"),
		built("allotrope"));
	long long took = 0, status = -1, pairs = 0, lost;
	json_t *root = info();

	assert_int_equal(sscanf(r.out, "%lld %lld %lld", &status, &took, &pairs), 3);
	assert_int_equal(status, 0);
	assert_in_range(took, TOOK_LEAST, TOOK_MOST);
	assert_true(pairs > PAIRS);
	lost = number_at(root, "losses.no_slot");
	assert_true(lost > 100000);
	assert_int_equal(json_object_size(json_object_get(root, "losses")), 1);
	assert_adds_up(all_calls("steady"), lost, pairs, 1);
	assert_adds_up(all_calls("pairs"), 0, 200000, 1);
	json_decref(root);
	result_free(&r);
}

TEST(test_a_killed_recorder_holds_the_program_for_two_seconds_and_losses_add_up)
{
	struct result r = run_shell(
		MS "mkfifo out; %s record -q --ring=1M -o test.data -- %s %lld >out & rec=$!; exec 3<out; "
		/* the other end of the pipe is closed when the program has ended */
		UNTIL("working") "a=$(ms); kill -9 $rec; touch happened; pairs=$(cat <&3); b=$(ms); "
		"echo $((b - a)) $pairs",
		built("allotrope"), built("tests/subjects/steady"), PAIRS);
	json_t *before = info(), *root;
	long long took = 0, pairs = 0, seen, lost, unwritten, missing;

	assert_int_equal(sscanf(r.out, "%lld %lld", &took, &pairs), 2);
	assert_in_range(took, TOOK_LEAST, TOOK_MOST);
	assert_true(pairs > PAIRS);
	result_free(&r);
	unwritten = number_at(before, "unwritten_bytes");
	assert_string_equal(json_string_value(json_object_get(before, "state")), "unfinished");
	r = run_shell("%s recover test.data 2>told; "
		      REMOVE_RING, built("allotrope"));
	root = info();
	assert_string_equal(json_string_value(json_object_get(root, "state")), "complete");
	seen = all_calls("steady");
	lost = number_at(root, "losses.no_slot");
	assert_true(lost > 100000);
	missing = 2 * pairs - seen - lost;
	if (!unwritten)
		assert_adds_up(seen, lost, pairs, 1);
	else if (missing < unwritten / 20 - 200 || missing > unwritten / 2)
		fail_msg("%lld seen, %lld lost, %lld bytes unwritten", seen, lost, unwritten);
	json_decref(before);
	json_decref(root);
	result_free(&r);
}

/* A frozen file system lets nobody write: what the recorder takes stays in its memory. */
TEST(test_what_a_killed_recorder_had_in_memory_is_counted)
{
	struct result r = run_shell("[ $(id -u) = 0 ] && command -v fsfreeze && unshare -m true");
	bool is_possible = r.status == 0;
	json_t *before, *root;
	long long segments, missing;

	result_free(&r);
	if (!is_possible)
		SKIP("needs root, mount namespaces and fsfreeze");
	r = run_shell(
		"cat >program <<'END'\ntouch ready; " UNTIL("go") "%s 3 300000; touch done\nEND\n"
		"cat >driver <<'END'\nmount -o loop image small || exit 99; "
		"%s record -q -o small/test.data -- /bin/sh program & rec=$!; "
		UNTIL("ready") UNTIL_TRUE("%s info small/test.data | grep -q program")
		"sleep 1.3; fsfreeze -f small && touch go; " UNTIL("done")
		/* ten segments at least */
		UNTIL_TRUE("%s info --format=json small/test.data | "
			   "grep -q \"unwritten_segments.: [0-9][0-9]\"")
		"kill -9 $rec; fsfreeze -u small; wait $rec 2>/dev/null; "
		"cp small/test.data . && umount small\nEND\n"
		"truncate -s 64m image && mkfs.ext4 -q image && mkdir small && exec unshare -m sh driver",
		built("bench/pairs"), built("allotrope"), built("allotrope"), built("allotrope"));
	if (r.status == 99)
		SKIP("cannot mount: %s", r.err);
	assert_int_equal(r.status, 0);
	result_free(&r);
	before = info();
	segments = number_at(before, "unwritten_segments");
	assert_in_range(segments, 10, 1000);
	r = run_shell("%s recover test.data 2>told; cat told; "
		      REMOVE_RING, built("allotrope"));
	assert_non_null(strstr(r.out, "are missing: the recorder had them when it was killed"));
	assert_int_equal(number_after(strstr(r.out, "warning"), "warning: "), segments);
	root = info();
	assert_int_equal(number_at(root, "losses.damaged"), segments);
	missing = 2 * 300000 - all_calls("pairs");
	/* 4 to 12 bytes for a call */
	assert_in_range(missing, number_at(before, "unwritten_bytes") / 12,
			number_at(before, "unwritten_bytes") / 4);
	json_decref(before);
	json_decref(root);
	result_free(&r);
}

TEST(test_a_full_disk_loses_what_is_counted)
{
	struct result r = run_shell("mkdir small && exec unshare -m sh -c '"
				    "mount -t tmpfs -o size=256k none small || exit 99; "
				    "%s record -o small/test.data -- %s 3 1000000 || exit 98; "
				    "cp small/test.data .'", built("allotrope"), built("bench/pairs"));
	json_t *root;

	if (r.status == 99)
		SKIP("cannot mount: %s", r.err);
	assert_int_equal(r.status, 0);
	assert_non_null(strstr(r.err, "No space left"));
	root = info();
	assert_adds_up(all_calls("pairs"), number_at(root, "losses.output"), 1000000, 1);
	json_decref(root);
	result_free(&r);
}

TEST(test_programs_that_find_no_ring_any_more_are_named)
{
	struct result r = record("", "/bin/sh -c 'rm -f $ALLOTROPE_RING; /bin/true; %s 3 100000; exit 4'",
				 built("bench/pairs"));
	json_t *root = info(), *list = json_object_get(root, "not_recorded");

	assert_int_equal(r.status, 4);
	/* rm came before */
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "reason")), "unknown");
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "status")), "exit 0");
	json_decref(root);
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_a_stopped_recorder_holds_the_program_for_two_seconds_and_goes_on),
		LIVE_TEST(test_a_killed_recorder_holds_the_program_for_two_seconds_and_losses_add_up),
		LIVE_TEST(test_what_a_killed_recorder_had_in_memory_is_counted),
		LIVE_TEST(test_a_full_disk_loses_what_is_counted),
		LIVE_TEST(test_programs_that_find_no_ring_any_more_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
