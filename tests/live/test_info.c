/*
 * test_info.c - what allotrope info finds by reading the events.
 */
#include <stdlib.h>
#include <string.h>

#include "support/run.h"
#include "test.h"

static json_t *info(const char *options)
{
	char *text = ask("info --format=json %s test.data", options);
	json_t *root = json_loads(text, 0, NULL);

	assert_non_null(root);
	free(text);
	return root;
}

static const char *innermost(const json_t *place)
{
	const json_t *frame = json_array_get(json_object_get(place, "stack"), 0);
	const char *text = json_string_value(json_object_get(frame, "function"));

	assert_non_null(text);
	return text;
}

TEST(test_frees_of_unknown_blocks_have_their_place)
{
	struct result r = record("--free-stacks", "%s", built("tests/subjects/unseen"));
	json_t *root = info(""), *list = json_object_get(root, "unmatched_frees");
	char *text = ask("info test.data");

	assert_int_equal(r.status, 0);
	assert_int_equal(json_array_size(list), 2);
	assert_int_equal(number_at(json_array_get(list, 0), "count"), 2);
	assert_true(json_is_true(json_object_get(json_array_get(list, 0), "stack_is_its_own")));
	assert_string_equal(innermost(json_array_get(list, 0)), "give_back");
	assert_int_equal(number_at(json_array_get(list, 1), "count"), 1);
	assert_string_equal(innermost(json_array_get(list, 1)), "give_one_back");
	assert_non_null(strstr(text, ": 3 frees of blocks that were never seen or were free already\n"));
	assert_non_null(strstr(text, "2 from give_back (unseen.c:"));
	assert_non_null(strstr(text, "1 from give_one_back (unseen.c:"));
	free(text);
	json_decref(root);
	result_free(&r);
}

TEST(test_without_their_stacks_it_is_said_how_to_have_them)
{
	struct result r = record("", "%s", built("tests/subjects/unseen"));
	char *text = ask("info test.data");
	json_t *root = info("");

	assert_non_null(strstr(text, "3 frees of blocks that were never seen or were free already"));
	assert_non_null(strstr(text, "record --free-stacks"));
	assert_null(strstr(text, " from give_back"));
	assert_int_equal(number_at(json_array_get(json_object_get(root, "unmatched_frees"), 0), "count"), 3);
	free(text);
	json_decref(root);
	result_free(&r);
}

TEST(test_memory_that_no_call_explains_is_shown)
{
	struct result r = record("", "%s", built("tests/subjects/unseen"));
	json_t *root = info(""), *list = json_object_get(root, "unexplained_memory");

	assert_int_equal(r.status, 0);
	assert_int_equal(json_array_size(list), 1);
	assert_in_range(number_at(json_array_get(list, 0), "resident_bytes"), 8 << 20, (8 << 20) + 65536);
	assert_in_range(number_at(json_array_get(list, 0), "largest"), 8 << 20, (8 << 20) + 65536);
	json_decref(root);
	result_free(&r);
}

/* Threads' stacks and arenas, large blocks, mappings, files: all seen. */
TEST(test_memory_of_usual_programs_is_explained)
{
	static const char *const commands[] = {
		"/usr/bin/python3 -c 'import threading, time; b = bytearray(5 << 20); "
		"t = [threading.Thread(target=time.sleep, args=(0.1,)) for i in range(3)]; "
		"[x.start() for x in t]'",
		"/usr/bin/perl -e '@a = map { $_ x 100 } 1 .. 100000; select undef, undef, undef, 0.1'",
	};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct result r = record("", "%s", commands[i]);
		json_t *root = info(""), *list = json_object_get(root, "unexplained_memory");

		assert_int_equal(r.status, 0);
		assert_int_equal(json_array_size(list), 1);
		assert_in_range(number_at(json_array_get(list, 0), "resident_bytes"), 0, 64 << 10);
		json_decref(root);
		result_free(&r);
	}
}

TEST(test_quick_reads_no_events_and_says_nothing_of_them)
{
	struct result r = record("", "%s", built("tests/subjects/unseen"));
	json_t *root = info("--quick");
	char *text = ask("info --quick test.data");

	assert_true(json_is_null(json_object_get(root, "unmatched_frees")));
	assert_true(json_is_null(json_object_get(root, "unexplained_memory")));
	assert_null(strstr(text, "unmatched"));
	assert_null(strstr(text, "unexplained"));
	assert_non_null(strstr(text, "unseen"));
	free(text);
	json_decref(root);
	result_free(&r);
}

/* Three shells of pid 1, each in a pid namespace, each with a child of pid 2 or so and an exec. */
TEST(test_processes_of_one_pid_are_told_apart)
{
	struct result r = run_shell("unshare --pid --fork true");
	json_t *root, *image;
	size_t i, first = 0, echoes = 0;
	char *text;

	if (r.status)
		SKIP("no pid namespaces here");
	result_free(&r);
	/* a clock tick apart: that is how finely it is known when a process began */
	r = record("", "/bin/sh -c 'for i in 1 2 3; do unshare --pid --fork /bin/sh -c "
		   "\"sleep 0.5; exec /bin/echo $i\" & sleep 0.1; done; wait'");
	assert_int_equal(r.status, 0);
	root = info("");
	json_array_foreach(json_object_get(root, "images"), i, image) {
		const char *command = json_string_value(json_object_get(image, "command"));

		if (number_at(image, "pid") != 1)
			continue;
		first += number_at(image, "process") == number_at(image, "image");
		echoes += strncmp(command, "/bin/echo", 9) == 0 &&
			  number_at(image, "process") != number_at(image, "image");
	}
	assert_int_equal(first, 3);
	assert_int_equal(echoes, 3);
	assert_int_equal(json_array_size(json_object_get(root, "not_recorded")), 0);
	text = ask("info test.data");
	assert_non_null(strstr(text, "of more than one process"));
	assert_non_null(strstr(text, "  PROCESS  EXEC  "));
	free(text);
	json_decref(root);
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_processes_of_one_pid_are_told_apart),
		LIVE_TEST(test_frees_of_unknown_blocks_have_their_place),
		LIVE_TEST(test_without_their_stacks_it_is_said_how_to_have_them),
		LIVE_TEST(test_memory_that_no_call_explains_is_shown),
		LIVE_TEST(test_memory_of_usual_programs_is_explained),
		LIVE_TEST(test_quick_reads_no_events_and_says_nothing_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
