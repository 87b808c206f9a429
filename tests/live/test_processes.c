/*
 * test_processes.c - trees of processes: fork in all its kinds, exec, shims. Each
 * program of the tree is an image of its own in the recording.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support/both_modes.h"
#include "test.h"

static size_t images(const json_t *root)
{
	return json_array_size(json_object_get(root, "processes"));
}

TEST(test_children_of_every_kind_end_as_they_should_and_lose_nothing)
{
	char command[4096];
	struct both_modes b;

	snprintf(command, sizeof(command), "%s 20", built("tests/subjects/forks"));
	b = run_in_both("", command, 0, "bad 0\n");
	/* parent; and 20 times: child, grandchild, two /bin/true, clone child */
	assert_int_equal(images(b.drained), 1 + 20 * 5);
	assert_int_equal(images(b.bare), 1 + 20 * 5);
	both_modes_free(&b);
}

/*
 * Processes that begin and end between two looks of the recorder: what each had of the ring must
 * come free, or the ring fills with them. A program of limited memory knows only the lowest slots.
 */
TEST(test_short_processes_leave_no_slots_behind)
{
	struct result r = record("", "/bin/sh -c 'kill -STOP $PPID; i=0; "
				 "while [ $i -lt 150 ]; do %s 3 1; i=$((i + 1)); done; "
				 "kill -CONT $PPID; (ulimit -v 200000; exec %s 3 200000); exit $?'",
				 built("bench/pairs"), built("bench/pairs"));
	json_t *root = summary("");

	assert_int_equal(r.status, 0);
	/* where the shell forks and does not vfork, its copies too */
	assert_in_range(images(root), 153, 303);
	assert_nothing_lost(root);
	assert_in_range(number_at(root, "calls.malloc"), 200000, 200100);
	json_decref(root);
	result_free(&r);
}

TEST(test_a_program_behind_shims_is_the_default_image)
{
	struct result r = run_shell("printf '#!/bin/sh\\nexec ./second \"$@\"\\n' >first;"
				    "printf '#!/bin/bash\\nexec %s 200000\\n' >second;"
				    "chmod +x first second", built("examples/int_blocks"));
	json_t *root;

	assert_int_equal(r.status, 0);
	result_free(&r);
	r = record("", "./first");
	root = summary("");
	assert_int_equal(r.status, 0);
	assert_string_equal(r.out, "199999\n");
	assert_non_null(strstr(json_string_value(json_object_get(root, "program")), "int_blocks"));
	assert_in_range(images(root), 3, 5);
	assert_nothing_lost(root);
	json_decref(root);
	result_free(&r);
}

static void assert_chain(const json_t *root)
{
	json_t *processes = json_object_get(root, "processes"), *image;
	size_t i;

	assert_int_equal(images(root), 3);
	json_array_foreach(processes, i, image) {
		assert_int_equal(number_at(image, "pid"), number_at(root, "pid"));
		assert_int_equal(number_at(image, "exec"), i);
	}
}

TEST(test_a_chain_of_execs_keeps_one_pid_and_counts_its_images)
{
	struct both_modes b = run_in_both("", "/bin/sh -c 'exec /bin/sh -c \"exec /bin/sh -c "
					  "\\\"exit 5\\\"\"'", 5, "");

	assert_chain(b.drained);
	assert_chain(b.bare);
	both_modes_free(&b);
}

TEST(test_follow_no_records_only_the_program_itself)
{
	struct result r = record("--follow=no", "/bin/sh -c '/bin/ls / >/dev/null; /bin/ls /'");
	json_t *root = summary("");

	assert_int_equal(r.status, 0);
	assert_int_equal(images(root), 1);
	json_decref(root);
	result_free(&r);
}

TEST(test_follow_exec_leaves_forked_copies_out)
{
	struct result r = record("--follow=exec", "%s 3", built("tests/subjects/forks"));
	json_t *root = summary("");

	assert_int_equal(r.status, 0);
	assert_int_equal(images(root), 1 + 3 * 2);
	json_decref(root);
	result_free(&r);
}

TEST(test_an_empty_environment_ends_the_recording_of_that_child_only)
{
	struct both_modes b = run_in_both("", "/bin/sh -c 'env -i /bin/ls / >/dev/null; exit 3'", 3, "");

	/* sh, and env before it cleared the environment */
	assert_in_range(images(b.drained), 2, 3);
	assert_in_range(images(b.bare), 2, 3);
	both_modes_free(&b);
}

TEST(test_libraries_loaded_and_unloaded_at_one_address_keep_their_names)
{
	struct result r = record("", "%s 50 %s", built("tests/subjects/plugins"),
				 built("tests/subjects"));
	json_t *root = summary("");
	char *csv;

	assert_int_equal(r.status, 0);
	assert_nothing_lost(root);
	json_decref(root);
	csv = ask("sites --format=csv --top=1000 test.data");
	/* kind,blocks,bytes,...: 50 blocks of each size, each under its own function */
	assert_non_null(strstr(csv, "heap,50,55550,"));
	assert_non_null(strstr(csv, "heap,50,111100,"));
	for (char *line = strtok(csv, "\n"); line; line = strtok(NULL, "\n")) {
		if (strncmp(line, "heap,50,55550,", 14) == 0)
			assert_non_null(strstr(line, "plugin_a_work"));
		if (strncmp(line, "heap,50,111100,", 15) == 0)
			assert_non_null(strstr(line, "plugin_b_work"));
	}
	free(csv);
	result_free(&r);
}

TEST(test_usage_of_a_process_is_its_own_not_that_of_its_children)
{
	/* some 25,600 page faults in the child, none of them the shell's */
	struct result r = record("", "/bin/sh -c '/usr/bin/python3 -S -c \"b = bytearray(100 << 20)\"; "
				 "exit 3'");
	struct result pid = run_shell("%s info --format=json test.data | "
				      "sed -n 's/.*\"root_pid\": *\\([0-9]*\\).*/\\1/p'",
				      built("allotrope"));
	char option[64];
	json_t *root;

	assert_int_equal(r.status, 3);
	snprintf(option, sizeof(option), "--pid=%d", atoi(pid.out));
	root = summary(option);
	assert_int_equal(number_at(root, "status"), 3);
	assert_in_range(number_at(root, "minor_faults"), 1, 5000);
	assert_in_range(number_at(root, "max_rss_bytes"), 1, 50 << 20);
	json_decref(root);
	result_free(&pid);
	result_free(&r);
}

TEST(test_a_program_started_as_another_user_is_recorded)
{
	struct result r = run_shell("[ $(id -u) = 0 ] && command -v setpriv");
	const char *const command = "setpriv --reuid=nobody --regid=nogroup --clear-groups "
				    "/bin/sh -c '/bin/ls -d /; exit 4'";
	bool is_possible = r.status == 0;
	json_t *root;

	result_free(&r);
	if (!is_possible)
		SKIP("needs root and setpriv");
	/* a copy that the other user can read, wherever this tree stands */
	r = run_shell("chmod 755 . && install -D -m 755 -t bin %s && install -m 755 -t bin %s && "
		      "exec bin/allotrope record -q -o test.data -- %s",
		      built("allotrope"), built("liballotrope.so"), command);
	root = summary("");
	assert_int_equal(r.status, 4);
	assert_string_equal(r.out, "/\n");
	/* setpriv, sh, ls */
	assert_int_equal(images(root), 3);
	assert_nothing_lost(root);
	json_decref(root);
	result_free(&r);
}

/* Line breaks and the spaces behind them become one space: where notes break depends on paths. */
static void unwrap(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (*from == '\n' || (*from == ' ' && to > text && to[-1] == ' '))
			*to = ' ';
		else
			*to = *from;
		if (*to != ' ' || to == text || to[-1] != ' ')
			to++;
	}
	*to = '\0';
}

TEST(test_a_child_with_an_allocator_of_its_own_is_named)
{
	struct result r = record("", "/bin/sh -c '%s; exit 0'", built("tests/subjects/own_malloc"));
	char *text = ask("summary --all test.data");

	assert_string_equal(r.out, "a\n");
	unwrap(text);
	assert_non_null(strstr(text, "note: not seen: calls of the malloc that "));
	assert_non_null(strstr(text, "own_malloc brings itself"));
	free(text);
	result_free(&r);
	/* and nobody else is */
	r = record("", "/bin/sh -c '/bin/ls / >/dev/null; exit 0'");
	text = ask("info test.data");
	assert_null(strstr(text, "malloc"));
	free(text);
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_children_of_every_kind_end_as_they_should_and_lose_nothing),
		LIVE_TEST(test_short_processes_leave_no_slots_behind),
		LIVE_TEST(test_a_program_behind_shims_is_the_default_image),
		LIVE_TEST(test_a_chain_of_execs_keeps_one_pid_and_counts_its_images),
		LIVE_TEST(test_follow_no_records_only_the_program_itself),
		LIVE_TEST(test_follow_exec_leaves_forked_copies_out),
		LIVE_TEST(test_an_empty_environment_ends_the_recording_of_that_child_only),
		LIVE_TEST(test_libraries_loaded_and_unloaded_at_one_address_keep_their_names),
		LIVE_TEST(test_usage_of_a_process_is_its_own_not_that_of_its_children),
		LIVE_TEST(test_a_program_started_as_another_user_is_recorded),
		LIVE_TEST(test_a_child_with_an_allocator_of_its_own_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
