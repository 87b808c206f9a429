/*
 * test_cost.c - what being recorded costs a program beside time: how long it waits where nobody takes
 * its records, and the memory that it has more. By counts (waits, pages, calls), not by the clock, which says
 * little on a busy machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"
#include "test.h"

#define CALLS 500000ll

/* A thread pauses for 1 ms at most, and no more where the heartbeat is 2 s old: ring.c. */
#define WAITS_MAX 2600ll
/* What a program with as many threads waits for by itself. */
#define WAITS_OWN 200ll

/* DESIGN: at most that much memory in the program, and for each thread that lives. */
#define ROOM_KIB (32ll * 1024)
#define ROOM_OF_THREAD_KIB 128ll

static const int crowds[] = { 1, 4 };

/* allotrope record OPTIONS of crowd with a recorder that is stopped just before it begins. */
static struct result run_stopped(const char *options, int threads)
{
	return record(options, "/bin/sh -c '%s %d %lld 0 $PPID; s=$?; kill -CONT $PPID; exit $s'",
		      built("tests/subjects/crowd"), threads, CALLS / 2);
}

/*
 * Each call is in the recording, or counted at the path CAUSE as lost. MORE: what else may be counted
 * beside the shell's few calls and libc's own.
 */
static void check_sum(int threads, const char *cause, long long more)
{
	json_t *root = summary("--all"), *image;
	long long seen = 0, lost = 0, at;
	size_t i;

	assert_true(json_is_array(root) || json_is_object(root));
	if (json_is_object(root)) {
		seen = number_at(root, "calls.malloc") + number_at(root, "calls.free");
		lost = number_or_zero(root, cause);
	}
	json_array_foreach(root, i, image) {
		seen += number_or_zero(image, "calls.malloc") + number_or_zero(image, "calls.free");
		at = number_or_zero(image, cause);
		lost = at > lost ? at : lost;
	}
	assert_in_range(seen + lost, threads * CALLS, threads * CALLS + 3000 + more);
	json_decref(root);
}

TEST(test_a_stopped_recorder_makes_a_thread_wait_for_two_seconds_at_most)
{
	for (size_t i = 0; i < sizeof(crowds) / sizeof(crowds[0]); i++) {
		struct result r = run_stopped("--ring=1M", crowds[i]);
		long long waits = number_after(r.out, "waits ");

		assert_int_equal(r.status, 0);
		assert_in_range(waits, 10, crowds[i] * WAITS_MAX);
		check_sum(crowds[i], "losses.no_slot", 0);
		result_free(&r);
	}
}

TEST(test_nobody_waits_for_a_stopped_recorder_who_said_so)
{
	for (size_t i = 0; i < sizeof(crowds) / sizeof(crowds[0]); i++) {
		struct result r = run_stopped("--ring=1M --when-full=drop", crowds[i]);

		assert_int_equal(r.status, 0);
		assert_in_range(number_after(r.out, "waits "), 0, WAITS_OWN);
		check_sum(crowds[i], "losses.no_slot", 0);
		result_free(&r);
		/* of what was overwritten the times of calls are counted too, one for 64 of them */
		r = run_stopped("--flight-recorder=1M", crowds[i]);
		assert_int_equal(r.status, 0);
		assert_in_range(number_after(r.out, "waits "), 0, WAITS_OWN);
		check_sum(crowds[i], "losses.overwritten", crowds[i] * CALLS / 32);
		result_free(&r);
	}
}

TEST(test_nobody_waits_where_there_is_no_recorder)
{
	for (size_t i = 0; i < sizeof(crowds) / sizeof(crowds[0]); i++) {
		struct result r = run_shell(
			"ALLOTROPE_SIZE=1M ALLOTROPE_OUT=test.data LD_PRELOAD=%s %s %d %lld",
			built("liballotrope.so"), built("tests/subjects/crowd"), crowds[i], CALLS / 2);

		assert_int_equal(r.status, 0);
		assert_in_range(number_after(r.out, "waits "), 0, WAITS_OWN);
		check_sum(crowds[i], "losses.no_slot", 0);
		result_free(&r);
		r = run_shell("rm test.data");
		result_free(&r);
	}
}

TEST(test_memory_in_the_program_is_bounded)
{
	static const int threads[] = { 1, 16, 128 };

	for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++) {
		const char *program = built("tests/subjects/crowd");
		struct result without = run_shell("%s %d 50000 40", program, threads[i]);
		struct result with = record("", "%s %d 50000 40", program, threads[i]);
		long long peak = number_after(with.out, "peak_kib ") - number_after(without.out, "peak_kib ");

		if (peak > ROOM_KIB + threads[i] * ROOM_OF_THREAD_KIB)
			fail_msg("%d threads: %lld KiB more", threads[i], peak);
		result_free(&with);
		/* the ring of a bare run is a file: what it has of it is the page cache's */
		with = run_shell("ALLOTROPE_OUT=test.data LD_PRELOAD=%s %s %d 50000 40; rm test.data",
				 built("liballotrope.so"), program, threads[i]);
		peak = number_after(with.out, "private_kib ") - number_after(without.out, "private_kib ");
		if (peak > ROOM_KIB + threads[i] * ROOM_OF_THREAD_KIB)
			fail_msg("%d threads, bare: %lld KiB more of its own", threads[i], peak);
		result_free(&with);
		result_free(&without);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_a_stopped_recorder_makes_a_thread_wait_for_two_seconds_at_most),
		LIVE_TEST(test_nobody_waits_for_a_stopped_recorder_who_said_so),
		LIVE_TEST(test_nobody_waits_where_there_is_no_recorder),
		LIVE_TEST(test_memory_in_the_program_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
