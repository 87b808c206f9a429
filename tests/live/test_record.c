/*
 * test_record.c - the manners of `allotrope record`: invisible to the program and
 * its user, and what its options promise.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "support/run.h"
#include "test.h"

TEST(test_streams_arguments_and_status_pass_through)
{
	struct result r = run_shell("printf 'a b\\n' | %s record -q -o test.data -- /bin/sh -c "
				    "'cat; echo \"$1\" >&2; exit 9' sh 'two  words'", built("allotrope"));

	assert_int_equal(r.status, 9);
	assert_string_equal(r.out, "a b\n");
	assert_string_equal(r.err, "two  words\n");
	result_free(&r);
}

TEST(test_the_former_recording_is_kept)
{
	struct result r = record("", "/bin/true");

	result_free(&r);
	r = run_shell("cp test.data first");
	result_free(&r);
	r = record("", "/bin/ls");
	result_free(&r);
	r = run_shell("cmp first test.data.old && stat -c %%a test.data");
	assert_int_equal(r.status, 0);
	assert_string_equal(r.out, "600\n");
	result_free(&r);
}

TEST(test_nothing_is_left_behind_but_the_recording)
{
	/* a /dev/shm of its own where that can be: others' rings come and go in the common one */
	struct result r = run_shell(
		"echo '%s record -q -o test.data -- /bin/sh -c \"echo \\$ALLOTROPE_RING >ring\"; ls; "
		"[ -s ring ] && ! [ -e $(cat ring) ]; echo $?' >it; "
		"unshare -m true && exec unshare -m sh -c 'mount -t tmpfs none /dev/shm && "
		"sh it && ls /dev/shm'; exec sh it", built("allotrope"));

	assert_string_equal(r.out, "it\nring\ntest.data\n0\n");
	result_free(&r);
}

TEST(test_closing_lines_name_the_facts_and_the_next_command)
{
	struct result r = run_shell("%s record -o test.data -- %s 41000", built("allotrope"),
				    built("examples/int_blocks"));

	assert_int_equal(r.status, 0);
	assert_string_equal(r.out, "40999\n");
	assert_non_null(strstr(r.err, "test.data"));
	assert_non_null(strstr(r.err, "allotrope summary test.data\n"));
	result_free(&r);
	r = run_shell("%s record -o 'my data' -- /bin/sh -c '/bin/true; exit 0'", built("allotrope"));
	assert_non_null(strstr(r.err, "allotrope summary 'my data'\n"));
	assert_non_null(strstr(r.err, " of 2 processes in "));
	assert_non_null(strstr(r.err, " resident in one\n"));
	result_free(&r);
}

/* The first process of a daemon ends at once; the recording goes on, and so do its figures. */
TEST(test_closing_lines_tell_of_what_ran_on_after_the_program)
{
	struct result r = run_shell(
		"%1$s record -o test.data -- /bin/sh -c '(exec 3>&-; sleep 0.3; "
		"%2$s 4000000 >one.txt) & exit 0' && %1$s info --format=json test.data",
		built("allotrope"), built("examples/int_blocks"));
	json_t *info = json_loads(r.out, 0, NULL);
	const char *line = strstr(r.err, "processes in ");

	assert_int_equal(r.status, 0);
	assert_true(json_real_value(json_object_get(info, "duration_s")) >= 0.3);
	assert_non_null(line);
	/* 32 MB of pointers, 97 MB of blocks */
	assert_in_range(number_after(line, "at most "), 120, 180);
	json_decref(info);
	result_free(&r);
}

TEST(test_closing_lines_and_summary_know_one_resident_maximum)
{
	/* short: the kernel's own maximum lags behind what it shows in smaps */
	struct result r = run_shell("%s record -o test.data -- /bin/true", built("allotrope"));
	json_t *root = summary("");
	char words[128], most[UNITS_MAX];

	snprintf(words, sizeof(words), "at most %s resident\n",
		 units_bytes(most, (uint64_t)number_at(root, "max_rss_bytes")));
	if (!strstr(r.err, words))
		fail_msg("no %s in %s", words, r.err);
	json_decref(root);
	result_free(&r);
}

/* Figures of calls that nobody could see are not zero, and a gate must not pass on them. */
TEST(test_reports_of_a_recording_from_outside_say_only_what_was_seen)
{
	static const char *const blind[] = {
		"sites", "sizes", "leaks", "temporary", "check --max-peak=1M", "ltrace", "strace",
		"threshold", "massif", "dhat", "flame", "tree", "callgrind",
	};
	struct result r = record("--no-preload", "%s", built("examples/static_dynamic_static"));

	result_free(&r);
	for (size_t i = 0; i < sizeof(blind) / sizeof(blind[0]); i++) {
		r = run_shell("%s %s test.data", built("allotrope"), blind[i]);
		if (r.status != 2 || *r.out || !strstr(r.err, "record --no-preload") ||
		    !strstr(r.err, "allotrope maps"))
			fail_msg("%s: status %d: %s%s", blind[i], r.status, r.out, r.err);
		result_free(&r);
	}
	r = run_shell("%s diff test.data test.data", built("allotrope"));
	assert_int_equal(r.status, 2);
	assert_non_null(strstr(r.err, "record --no-preload"));
	result_free(&r);
	r = run_shell("%s summary test.data", built("allotrope"));
	assert_int_equal(r.status, 0);
	assert_non_null(strstr(r.out, "Heap: not recorded"));
	assert_non_null(strstr(r.out, "Next: allotrope maps | timeline"));
	assert_null(strstr(r.out, "0 threads"));
	assert_null(strstr(r.out, "0 blocks"));
	result_free(&r);
}

TEST(test_a_program_without_heap_calls_has_its_one_thread)
{
	struct result r = record("", "/bin/true");
	json_t *root = summary("");

	assert_int_equal(number_at(root, "threads"), 1);
	json_decref(root);
	result_free(&r);
	/* a thread that never calls is not seen: what is told is who called */
	r = run_shell("%s summary test.data", built("allotrope"));
	assert_null(strstr(r.out, "calls by"));
	result_free(&r);
	r = record("", "/bin/ls");
	result_free(&r);
	r = run_shell("%s summary test.data", built("allotrope"));
	assert_non_null(strstr(r.out, "calls by 1 thread\n"));
	result_free(&r);
}

TEST(test_a_recording_that_is_being_made_can_be_read)
{
	struct result r = run_shell(
		"mkfifo stop; %1$s record -q -o test.data -- /bin/sh -c '/bin/cat stop; exit 6' & "
		UNTIL_TRUE("%1$s info test.data 2>&1 | grep -q '/bin/cat stop$'")
		"%1$s mark here test.data && %1$s info test.data && "
		"%1$s sizes --until=mark:here --format=csv test.data | wc -l; "
		"echo >stop; wait $!; echo end $?", built("allotrope"));

	assert_string_equal(strstr(r.out, "end "), "end 6\n");
	assert_non_null(strstr(r.out, "(unfinished, "));
	assert_null(strstr(r.out, "GiB"));
	assert_non_null(strstr(r.out, "mark        'here'"));
	assert_true(number_after(strstr(r.out, "PROGRAM"), "/bin/cat stop\n") > 1);
	result_free(&r);
}

TEST(test_python_malloc_shows_the_objects)
{
	struct result plain = record("", "/usr/bin/python3 -S -c 'x = [[i] for i in range(30000)]'");
	json_t *hidden = summary(""), *shown;
	long long before = number_at(hidden, "blocks");
	char *text = ask("summary test.data");

	assert_int_equal(plain.status, 0);
	/* the first screen says where the memory of a plain python3 is */
	assert_non_null(strstr(text, "arena"));
	assert_non_null(strstr(text, "--python-malloc"));
	free(text);
	result_free(&plain);
	plain = record("--python-malloc", "/usr/bin/python3 -S -c 'x = [[i] for i in range(30000)]'");
	shown = summary("");
	assert_true(number_at(shown, "blocks") > before + 60000);
	json_decref(hidden);
	json_decref(shown);
	result_free(&plain);
}

TEST(test_timing_all_measures_each_call)
{
	struct result r = record("--timing=all", "%s 2 1000", built("bench/pairs"));
	char *table = ask("ltrace -c test.data"), *sampled;

	assert_int_equal(r.status, 0);
	assert_non_null(strstr(table, "% time     seconds  usecs/call     calls      function\n"));
	assert_null(strstr(table, "estimate"));
	free(table);
	result_free(&r);
	r = record("", "%s 2 1000", built("bench/pairs"));
	sampled = ask("ltrace -c test.data 2>&1");
	assert_non_null(strstr(sampled, "estimate"));
	free(sampled);
	result_free(&r);
}

TEST(test_syscalls_inferred_says_so_and_off_has_none)
{
	struct result r = record("--syscalls=off", "%s", built("examples/alloc_size"));
	json_t *root = summary(""), *exact;

	assert_int_equal(r.status, 0);
	assert_int_equal(number_or_zero(root, "syscalls.mmap"), 0);
	assert_int_equal(number_or_zero(root, "syscalls.brk"), 0);
	json_decref(root);
	result_free(&r);
	r = record("--syscalls=inferred", "%s", built("examples/alloc_size"));
	root = summary("");
	result_free(&r);
	r = record("", "%s", built("examples/alloc_size"));
	exact = summary("");
	assert_true(number_at(exact, "syscalls.mmap") >= 9);
	assert_int_equal(number_at(root, "syscalls.mmap"), number_at(exact, "syscalls.mmap"));
	assert_int_equal(number_at(root, "syscalls.munmap"), number_at(exact, "syscalls.munmap"));
	/* the first question for the break leaves no trace */
	assert_int_equal(number_at(root, "syscalls.brk"), number_at(exact, "syscalls.brk") - 1);
	json_decref(root);
	json_decref(exact);
	result_free(&r);
}

TEST(test_flight_recorder_keeps_the_end_and_says_what_is_missing)
{
	struct result r = record("--flight-recorder=1M", "%s 3 300000", built("bench/pairs"));
	char *text = ask("sizes test.data 2>&1");
	json_t *root = summary("");

	assert_int_equal(r.status, 0);
	assert_true(number_at(root, "losses.overwritten") > 0);
	assert_non_null(strstr(text, "overwritten"));
	free(text);
	json_decref(root);
	result_free(&r);
}

/* Calls of each kind, and how many events are lost: each call once, however many records it has. */
static void assert_overwritten_adds_up(const char *options, const char *program, long long made)
{
	struct result r = record(options, "%s", program);
	json_t *root = summary(""), *calls = json_object_get(root, "calls"), *losses;
	long long sum = number_at(root, "losses.overwritten");
	const char *name;
	json_t *count;

	assert_int_equal(r.status, 0);
	assert_true(sum > made / 2);
	losses = json_object_get(root, "losses");
	assert_int_equal(json_object_size(losses), 1);
	json_object_foreach(calls, name, count)
		sum += json_integer_value(count);
	/* libc's own calls, and system calls */
	if (sum < made || sum > made + 300)
		fail_msg("%s: %lld calls and lost events of %lld", options, sum, made);
	json_decref(root);
	result_free(&r);
}

TEST(test_flight_recorder_counts_each_overwritten_call_once)
{
	static const char *const options[] = {
		"--flight-recorder=1M", "--flight-recorder=1M --timing=all",
		"--flight-recorder=1M --free-stacks",
	};
	struct result r = run_shell(
		"printf '#include <stdlib.h>\nint main(void){char *volatile p=0;"
		"for(int i=0;i<300000;i++)p=realloc(p,i%%%%2?100000:1);free(p);return 0;}' >r.c && "
		"gcc -O0 -o r r.c");

	assert_int_equal(r.status, 0);
	result_free(&r);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		char pairs[4096];

		snprintf(pairs, sizeof(pairs), "%s 3 300000", built("bench/pairs"));
		assert_overwritten_adds_up(options[i], pairs, 600000);
		assert_overwritten_adds_up(options[i], "./r", 300001);
	}
}

TEST(test_a_full_ring_with_drop_counts_what_it_lost)
{
	struct result r = record("--when-full=drop --ring=1M", "%s 3 2000000", built("bench/pairs"));
	json_t *root = summary("");
	long long seen, lost;

	assert_int_equal(r.status, 0);
	seen = number_at(root, "calls.malloc") + number_at(root, "calls.free");
	lost = number_or_zero(root, "losses.no_slot");
	/* 2,000,000 pairs, and libc's own few: seen and lost add up */
	assert_in_range(seen + lost, 4000000, 4000200);
	json_decref(root);
	result_free(&r);
}

TEST(test_marks_from_the_program_and_from_another_terminal)
{
	struct result r = record("", "%s", built("examples/alloc_size"));
	char *info = ask("info --format=json test.data");

	assert_non_null(strstr(info, "128 KiB"));
	free(info);
	result_free(&r);
	r = run_shell("rm test.data; mkfifo stop; %s record -q -o test.data -- /bin/cat stop & "
		      UNTIL_TRUE("%s mark 'half way' test.data") "echo $?; echo >stop; wait; "
		      "%s info test.data", built("allotrope"), built("allotrope"), built("allotrope"));
	assert_memory_equal(r.out, "0\n", 2);
	assert_non_null(strstr(r.out, "half way"));
	result_free(&r);
}

TEST(test_a_killed_recorder_leaves_the_program_and_a_recoverable_ring)
{
	struct result r = run_shell(
		"mkfifo go out; %s record -q -o test.data --ring=1M -- /bin/sh -c "
		"'echo $ALLOTROPE_RING >ring; read line <go; %s 400000; echo $?' >out & pid=$!; "
		/* all is over when the pipe has no end to write to any more */
		"exec 3<out; exec 4>go; kill -9 $pid; wait $pid 2>/dev/null; echo >&4; cat <&3; "
		"ring=$(cat ring); %s recover $ring -o rec.data && "
		"%s summary rec.data >/dev/null && echo readable; rm -f $ring",
		built("allotrope"), built("examples/int_blocks"), built("allotrope"), built("allotrope"));

	assert_string_equal(r.out, "399999\n0\nreadable\n");
	result_free(&r);
}

TEST(test_a_full_output_disk_stops_the_recording_not_the_program)
{
	struct result r = run_shell("mkdir small && mount -t tmpfs -o size=256k none small && "
				    "{ %s record -o small/test.data -- %s 3 1000000; s=$?; umount small; "
				    "exit $s; }", built("allotrope"), built("bench/pairs"));

	if (strstr(r.err, "mount"))
		SKIP("cannot mount a small tmpfs here");
	assert_int_equal(r.status, 0);
	assert_non_null(strstr(r.err, "No space left"));
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_streams_arguments_and_status_pass_through),
		LIVE_TEST(test_the_former_recording_is_kept),
		LIVE_TEST(test_nothing_is_left_behind_but_the_recording),
		LIVE_TEST(test_closing_lines_name_the_facts_and_the_next_command),
		LIVE_TEST(test_closing_lines_tell_of_what_ran_on_after_the_program),
		LIVE_TEST(test_closing_lines_and_summary_know_one_resident_maximum),
		LIVE_TEST(test_reports_of_a_recording_from_outside_say_only_what_was_seen),
		LIVE_TEST(test_a_program_without_heap_calls_has_its_one_thread),
		LIVE_TEST(test_a_recording_that_is_being_made_can_be_read),
		LIVE_TEST(test_python_malloc_shows_the_objects),
		LIVE_TEST(test_timing_all_measures_each_call),
		LIVE_TEST(test_syscalls_inferred_says_so_and_off_has_none),
		LIVE_TEST(test_flight_recorder_keeps_the_end_and_says_what_is_missing),
		LIVE_TEST(test_flight_recorder_counts_each_overwritten_call_once),
		LIVE_TEST(test_a_full_ring_with_drop_counts_what_it_lost),
		LIVE_TEST(test_marks_from_the_program_and_from_another_terminal),
		LIVE_TEST(test_a_killed_recorder_leaves_the_program_and_a_recoverable_ring),
		LIVE_TEST(test_a_full_output_disk_stops_the_recording_not_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
