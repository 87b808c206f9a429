/*
 * test_pitfalls_limits.c - little room: small and full file systems, limits of the process and of its
 * cgroup, places that cannot be written, files taken away. The program must do what it does
 * without the library; the recording is whole, or says what is missing.
 * docs/reliability.md says which test is for which pitfall.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/both_modes.h"
#include "test.h"

#define PAIRS 100000

static const char *pairs(void)
{
	static char command[4096];

	snprintf(command, sizeof(command), "%s 3 %d", built("bench/pairs"), PAIRS);
	return command;
}

static void check_whole(const char *before)
{
	struct both_modes b = run_in_both(before, pairs(), 0, "");

	assert_both_in_range(&b, "calls.malloc", PAIRS, PAIRS + 100);
	both_modes_free(&b);
}

/* The program ends well and the library is silent, whether or not there is a recording. */
static struct result run_unharmed(const char *mode, const char *before)
{
	struct result r = run_in_mode(mode, before, pairs());

	if (r.status != 0 || *r.out || *r.err)
		fail_msg("%s after '%s': status %d: %s%s", mode, before, r.status, r.out, r.err);
	return r;
}

static void need_mounts(void)
{
	struct result r = run_shell("unshare -m true");
	int status = r.status;

	result_free(&r);
	if (status)
		SKIP("no mount namespaces here");
}

TEST(test_limits_of_memory_and_descriptors_with_room_enough)
{
	check_whole("ulimit -v 200000");
	check_whole("ulimit -n 12");
	check_whole("ulimit -l 0");
	check_whole("ulimit -c 0; ulimit -f 2000000");
}

TEST(test_limits_of_memory_and_file_size_with_too_little_room)
{
	struct result r = run_unharmed("bare", "ulimit -v 20000");

	result_free(&r);
	r = run_unharmed("bare", "ulimit -f 100");
	assert_int_not_equal(access("test.data", F_OK), 0);
	result_free(&r);
	/* record says why before the program starts */
	r = run_in_mode("record", "ulimit -f 100", pairs());
	assert_int_equal(r.status, 3);
	assert_non_null(strstr(r.err, "ulimit -f"));
	result_free(&r);
	r = run_in_mode("record", "ulimit -v 20000", pairs());
	assert_int_equal(r.status, 3);
	assert_non_null(strstr(r.err, "Cannot allocate memory"));
	result_free(&r);
}

TEST(test_a_small_shared_memory_file_system_loses_nothing)
{
	static const char *const sizes[] = { "64m", "2m", "64k" };

	need_mounts();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct result r = run_shell(
			"exec unshare -m sh -c 'mount -t tmpfs -o size=%s none /dev/shm && "
			"exec %s record -q -o test.data -- %s'", sizes[i], built("allotrope"), pairs());
		json_t *root = summary("");

		assert_int_equal(r.status, 0);
		assert_nothing_lost(root);
		assert_in_range(number_at(root, "calls.malloc"), PAIRS, PAIRS + 100);
		json_decref(root);
		result_free(&r);
	}
}

/* Bare on a file system made by MAKE (mounted on ./small): calls seen and lost add up. */
static void check_full_disk(const char *make)
{
	struct result r = run_shell(
		"mkdir small && exec unshare -m sh -c '%s || exit 99; "
		"ALLOTROPE_OUT=small/x.ring LD_PRELOAD=%s %s 3 1000000 || exit 98; "
		"cp --sparse=always small/x.ring test.data'",
		make, built("liballotrope.so"), built("bench/pairs"));
	long long seen, lost;
	json_t *root;

	if (r.status == 99)
		SKIP("cannot mount: %s", r.err);
	assert_int_equal(r.status, 0);
	result_free(&r);
	root = summary("");
	seen = number_at(root, "calls.malloc") + number_at(root, "calls.free");
	lost = number_or_zero(root, "losses.no_slot") + number_or_zero(root, "losses.no_space");
	assert_true(seen > 1000);
	assert_true(lost > 1000);
	assert_in_range(seen + lost, 2000000, 2000200);
	assert_int_equal(number_at(root, "unmatched_frees"), 0);
	json_decref(root);
	rmdir("small");
}

TEST(test_a_full_tmpfs_is_a_counted_loss)
{
	need_mounts();
	check_full_disk("mount -t tmpfs -o size=1m none small");
}

TEST(test_a_full_ext4_is_a_counted_loss)
{
	need_mounts();
	check_full_disk("truncate -s 4m image && mkfs.ext4 -q -O ^has_journal image && "
			"mount -o loop image small");
}

/* A quota ends the writing with EDQUOT where the disk itself has room. */
TEST(test_a_quota_is_a_counted_loss)
{
	struct result r;
	bool is_possible;

	need_mounts();
	r = run_shell("mkdir probe && exec unshare -m mount -t tmpfs -o size=64m,usrquota none probe");
	is_possible = r.status == 0;
	result_free(&r);
	if (!is_possible) {
		/* Linux 6.6, where it was built with CONFIG_TMPFS_QUOTA: no package brings it */
		printf("this kernel has no quotas on tmpfs\n");
		return;
	}
	check_full_disk("mount -t tmpfs -o size=64m,usrquota,usrquota_block_hardlimit=1m none small");
}

TEST(test_a_directory_that_cannot_be_written_leaves_the_program_alone)
{
	struct result r;

	need_mounts();
	r = run_shell("mkdir small && exec unshare -m sh -c 'mount -t tmpfs -o size=1m,ro none small && "
		      "cd small && LD_PRELOAD=%s exec %s'", built("liballotrope.so"), pairs());
	assert_int_equal(r.status, 0);
	assert_string_equal(r.err, "");
	result_free(&r);
	r = run_shell("exec unshare -m sh -c 'mount -t tmpfs -o size=1m,ro none small && cd small && "
		      "exec %s record -- /bin/true'", built("allotrope"));
	assert_int_equal(r.status, 3);
	assert_non_null(strstr(r.err, "Read-only file system"));
	result_free(&r);
}

TEST(test_a_mask_of_all_bits_makes_a_recording_its_owner_can_read)
{
	struct result r = run_shell("umask 0777; %s record -q -o test.data -- %s; stat -c %%a test.data",
				    built("allotrope"), pairs());
	json_t *root = summary("");

	assert_nothing_lost(root);
	json_decref(root);
	result_free(&r);
}

TEST(test_a_program_that_changes_its_root_is_recorded_to_its_end)
{
	struct both_modes b;

	if (geteuid() != 0 || access("/usr/bin/perl", X_OK) != 0)
		SKIP("needs root and perl");
	b = run_in_both("mkdir empty", "/usr/bin/perl -e 'chroot \"empty\" or die; chdir \"/\"; "
			"my @a = map { \"x\" x 5000 } 1 .. 20000; print scalar(@a)'", 0, "20000");
	assert_both_in_range(&b, "calls.malloc", 20000, 1000000);
	both_modes_free(&b);
}

TEST(test_removing_the_ring_of_a_bare_run_harms_nothing)
{
	struct result r = run_shell("ALLOTROPE_OUT=$PWD/test.data LD_PRELOAD=%s "
				    "exec /bin/sh -c 'rm -f test.data; %s'",
				    built("liballotrope.so"), pairs());

	assert_int_equal(r.status, 0);
	assert_string_equal(r.err, "");
	result_free(&r);
}

TEST(test_removing_or_emptying_the_output_of_record_is_told)
{
	static const char *const how[] = { "rm -f test.data", ": >test.data", "mv test.data b.data" };

	for (size_t i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
		/* the file takes its name just after the program began */
		struct result r = run_shell("exec %s record -o test.data -- /bin/sh -c '"
					    UNTIL("test.data") "%s; %s'",
					    built("allotrope"), how[i], pairs());

		assert_int_equal(r.status, 0);
		if (!strstr(r.err, "was removed or changed while it was made") ||
		    strstr(r.err, "recorded in"))
			fail_msg("%s: %s", how[i], r.err);
		result_free(&r);
		unlink("test.data");
	}
}

/* A memory cgroup of version 2, else 1, in ./group's place; NULL: none can be made. */
static const char *const make_group =
	"if [ -e /sys/fs/cgroup/cgroup.controllers ]; then g=/sys/fs/cgroup/allotrope-test-$$; f=memory.max; "
	"else g=/sys/fs/cgroup/memory/allotrope-test-$$; f=memory.limit_in_bytes; fi; "
	"mkdir $g 2>/dev/null && [ -e $g/$f ] || exit 99; echo $limit >$g/$f || exit 99; "
	"trap 'for p in $(cat $g/cgroup.procs); do echo $p >${g%/*}/cgroup.procs; done; rmdir $g' EXIT; "
	"echo $$ >$g/cgroup.procs || exit 99; ";

TEST(test_a_memory_limit_of_a_cgroup_above_the_need_loses_nothing)
{
	struct result r = run_shell("limit=40m; %s %s record -q -o test.data -- %s", make_group,
				    built("allotrope"), pairs());
	json_t *root;

	if (r.status == 99)
		SKIP("no memory cgroup can be made here");
	assert_int_equal(r.status, 0);
	root = summary("");
	assert_nothing_lost(root);
	assert_in_range(number_at(root, "calls.malloc"), PAIRS, PAIRS + 100);
	json_decref(root);
	result_free(&r);
}

TEST(test_a_program_killed_for_memory_leaves_its_last_calls)
{
	/* the recorder is outside the group, the program moves itself in; it looks 20 times a second */
	struct result r = run_shell(
		"limit=20m; %s echo $$ >${g%%/*}/cgroup.procs; "
		"%s record -q -o test.data -- /bin/sh -c \"echo \\$\\$ >$g/cgroup.procs; sleep 1; "
		"exec %s -c 'b = [bytearray(1 << 20) for i in range(100)]'\"; s=$?; exit $s",
		make_group, built("allotrope"), "/usr/bin/python3");
	char *info;

	if (r.status == 99)
		SKIP("no memory cgroup can be made here");
	assert_int_equal(r.status, 128 + 9);
	info = ask("info test.data");
	assert_non_null(strstr(info, "SIGKILL oom"));
	assert_non_null(strstr(info, "the kernel killed 1 process of cgroup "));
	free(info);
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_limits_of_memory_and_descriptors_with_room_enough),
		LIVE_TEST(test_limits_of_memory_and_file_size_with_too_little_room),
		LIVE_TEST(test_a_small_shared_memory_file_system_loses_nothing),
		LIVE_TEST(test_a_full_tmpfs_is_a_counted_loss),
		LIVE_TEST(test_a_full_ext4_is_a_counted_loss),
		LIVE_TEST(test_a_quota_is_a_counted_loss),
		LIVE_TEST(test_a_directory_that_cannot_be_written_leaves_the_program_alone),
		LIVE_TEST(test_a_mask_of_all_bits_makes_a_recording_its_owner_can_read),
		LIVE_TEST(test_a_program_that_changes_its_root_is_recorded_to_its_end),
		LIVE_TEST(test_removing_the_ring_of_a_bare_run_harms_nothing),
		LIVE_TEST(test_removing_or_emptying_the_output_of_record_is_told),
		LIVE_TEST(test_a_memory_limit_of_a_cgroup_above_the_need_loses_nothing),
		LIVE_TEST(test_a_program_killed_for_memory_leaves_its_last_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
