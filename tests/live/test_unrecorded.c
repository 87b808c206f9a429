/*
 * test_unrecorded.c - programs that cannot be recorded are named with the reason, and every
 * process has its end, whoever was told of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/both_modes.h"
#include "test.h"

static json_t *info(const char *file)
{
	char *text = ask("info --format=json %s", file);
	json_t *root = json_loads(text, 0, NULL);

	assert_non_null(root);
	free(text);
	return root;
}

static const char *word(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	assert_non_null(text);
	return text;
}

/* The only program that is not recorded: its PATH, REASON and STATUS. */
static void check_only(const char *path, const char *reason, const char *status)
{
	json_t *root = info("test.data"), *list = json_object_get(root, "not_recorded"), *u;

	if (json_array_size(list) != 1)
		fail_msg("%zu programs, not 1, are not recorded: %s", json_array_size(list),
			 json_dumps(list, 0));
	u = json_array_get(list, 0);
	assert_string_equal(word(u, "path"), path);
	assert_string_equal(word(u, "reason"), reason);
	assert_string_equal(word(u, "status"), status);
	assert_true(json_is_true(json_object_get(root, "execs_known")));
	json_decref(root);
}

static void check_child(const char *command, const char *path, const char *reason, const char *status)
{
	struct result r = record("", "/bin/sh -c '%s; exit 0'", command);

	assert_int_equal(r.status, 0);
	check_only(path, reason, status);
	result_free(&r);
}

static void make_static(void)
{
	struct result r = run_shell("printf 'int main(void){return 7;}' >s.c && gcc -static -o static s.c && "
				    "printf '#!./static\\n' >script && chmod +x script");

	assert_int_equal(r.status, 0);
	result_free(&r);
}

TEST(test_a_static_child_is_named)
{
	char *text, *footer;
	struct result r;

	make_static();
	r = run_shell("%s record -- /bin/sh -c './static; exit 0'", built("allotrope"));
	assert_non_null(strstr(r.err, "1 program that was started could not be recorded: allotrope info"));
	result_free(&r);
	check_child("./static", "./static", "static", "exit 7");
	check_child("./script", "./script", "static", "exit 7");
	text = ask("info test.data");
	assert_non_null(strstr(text, "NOT RECORDED"));
	assert_non_null(strstr(text, "it is statically linked"));
	free(text);
	footer = ask("sizes test.data");
	assert_non_null(strstr(footer, "1 of 2 programs was not recorded (static)"));
	free(footer);
}

TEST(test_a_static_program_that_takes_over_its_process_is_named)
{
	struct result r;

	make_static();
	r = record("", "/bin/sh -c 'exec ./static'");
	assert_int_equal(r.status, 7);
	check_only("./static", "static", "exit 7");
	result_free(&r);
}

TEST(test_a_cleared_environment_is_named)
{
	check_child("env -i /bin/true", "/bin/true", "environment", "exit 0");
	check_child("env -u LD_PRELOAD /bin/false", "/bin/false", "ld_preload", "exit 1");
	check_child("env -u ALLOTROPE_RING /bin/true", "/bin/true", "ring", "exit 0");
}

TEST(test_a_setuid_child_of_another_user_is_named)
{
	struct result r = run_shell("[ $(id -u) = 0 ] && command -v setpriv");
	bool is_possible = r.status == 0;
	json_t *root, *u;

	result_free(&r);
	if (!is_possible)
		SKIP("needs root and setpriv");
	r = run_shell("chmod 755 . && install -D -m 755 -t bin %s && install -m 755 -t bin %s && "
		      "install -m 4755 /bin/true suid && exec bin/allotrope record -q -o test.data -- "
		      "setpriv --reuid=nobody --regid=nogroup --clear-groups /bin/sh -c './suid; exit 4'",
		      built("allotrope"), built("liballotrope.so"));
	assert_int_equal(r.status, 4);
	root = info("test.data");
	assert_int_equal(json_array_size(json_object_get(root, "not_recorded")), 1);
	u = json_array_get(json_object_get(root, "not_recorded"), 0);
	assert_string_equal(word(u, "path"), "./suid");
	assert_string_equal(word(u, "reason"), "setuid");
	json_decref(root);
	result_free(&r);
}

TEST(test_a_program_that_ends_before_its_start_is_not_known_why)
{
	struct result r = run_shell("printf 'void f(void){}' >l.c && gcc -shared -fPIC -o libl.so l.c && "
				    "printf 'void f(void);int main(void){f();return 0;}' >p.c && "
				    "gcc -o program p.c -L. -ll && rm libl.so");

	assert_int_equal(r.status, 0);
	result_free(&r);
	check_child("./program 2>/dev/null", "./program", "unknown", "exit 127");
}

TEST(test_programs_that_could_not_be_started_are_no_programs)
{
	struct result r = record("", "/bin/sh -c '/bin/nonesuch; /etc/passwd; exit 0' 2>/dev/null");
	json_t *root = info("test.data"), *failed = json_object_get(root, "failed_execs");

	assert_int_equal(json_array_size(json_object_get(root, "not_recorded")), 0);
	assert_int_equal(json_array_size(failed), 2);
	assert_string_equal(word(json_array_get(failed, 0), "path"), "/bin/nonesuch");
	assert_string_equal(word(json_array_get(failed, 0), "error"), "No such file or directory");
	assert_string_equal(word(json_array_get(failed, 1), "path"), "/etc/passwd");
	assert_string_equal(word(json_array_get(failed, 1), "error"), "Permission denied");
	json_decref(root);
	result_free(&r);
}

/* The one image whose command ends with WORDS. */
static const char *status_of(const json_t *root, const char *words)
{
	json_t *image;
	size_t i;

	json_array_foreach(json_object_get(root, "images"), i, image) {
		const char *command = word(image, "command");

		if (strlen(command) >= strlen(words) &&
		    strcmp(command + strlen(command) - strlen(words), words) == 0)
			return word(image, "status");
	}
	fail_msg("no image '%s'", words);
	return NULL;
}

TEST(test_every_process_has_its_end)
{
	/* killed ones cannot tell themselves, and the recorder is not their parent */
	struct result r = record("", "/bin/sh -c 'sh -c \"kill -9 \\$\\$\"; sh -c \"kill -TERM \\$\\$\"; "
				 "/bin/sh -c \"exit 5\"; (sleep 0.2; exit 6) & exit 3' 2>/dev/null");
	json_t *root = info("test.data");

	assert_int_equal(r.status, 3);
	assert_string_equal(status_of(root, "sh -c 'kill -9 $$'"), "SIGKILL");
	assert_string_equal(status_of(root, "sh -c 'kill -TERM $$'"), "SIGTERM");
	assert_string_equal(status_of(root, "/bin/sh -c 'exit 5'"), "exit 5");
	assert_string_equal(status_of(root, "sleep 0.2"), "exit 0");
	json_decref(root);
	result_free(&r);
}

TEST(test_children_of_libc_and_of_other_languages_are_seen)
{
	struct result r;

	make_static();
	r = record("", "/usr/bin/python3 -S -c '\n"
		   "import os, subprocess\n"
		   "os.system(\"exec ./static\")\n"
		   "os.popen(\"exec ./static\").read()\n"
		   "subprocess.run([\"./static\"])\n"
		   "os.waitpid(os.posix_spawn(\"./static\", [\"p\"], dict(os.environ)), 0)\n"
		   "pid = os.fork()\n"
		   "pid or os.execv(\"./static\", [\"f\"])\n"
		   "os.waitid(os.P_PID, pid, os.WEXITED)'");
	assert_int_equal(r.status, 0);
	{
		json_t *root = info("test.data"), *list = json_object_get(root, "not_recorded"), *u;
		size_t i;

		assert_int_equal(json_array_size(list), 5);
		json_array_foreach(list, i, u) {
			assert_string_equal(word(u, "reason"), "static");
			assert_string_equal(word(u, "status"), "exit 7");
		}
		json_decref(root);
	}
	result_free(&r);
}

TEST(test_a_bare_run_knows_as_much)
{
	struct result r;

	make_static();
	r = run_shell("LD_PRELOAD=%s ALLOTROPE_OUT=test.data /bin/sh -c './static; exit 0'",
		      built("liballotrope.so"));
	assert_int_equal(r.status, 0);
	check_only("./static", "static", "exit 7");
	result_free(&r);
}

TEST(test_what_is_not_seen_is_not_called_all)
{
	struct result r;
	json_t *root;
	char *text;

	make_static();
	r = record("--syscalls=inferred", "/bin/sh -c './static; exit 0'");
	root = info("test.data");
	assert_true(json_is_false(json_object_get(root, "execs_known")));
	assert_int_equal(json_array_size(json_object_get(root, "not_recorded")), 0);
	text = ask("info test.data");
	assert_non_null(strstr(text, "is not known"));
	free(text);
	json_decref(root);
	result_free(&r);
	r = record("--follow=no", "/bin/sh -c './static; /bin/true; exit 0'");
	text = ask("info test.data");
	assert_non_null(strstr(text, "not to be recorded (--follow=no)"));
	assert_null(strstr(text, "NOT RECORDED"));
	free(text);
	result_free(&r);
}

TEST(test_waits_are_cancelled_left_and_interrupted_as_ever)
{
	struct both_modes b = run_in_both("", built("tests/subjects/cancelled"), 0, "well\n");

	assert_both_in_range(&b, "calls.malloc", 4, 100);
	both_modes_free(&b);
}

TEST(test_bad_pointers_fail_as_they_do_without_the_library)
{
	static const char script[] =
		"import ctypes\n"
		"l = ctypes.CDLL(None, use_errno=True)\n"
		"v = ctypes.c_void_p\n"
		"l.execve.argtypes = [v, v, v]\n"
		"t = ctypes.cast(ctypes.c_char_p(b\"/bin/true\"), v).value\n"
		"for a in (1, 8, 8), (t, 8, 8), (t, 0, 0x7fffffffffff), (0, 0, 0), (1 << 60, 0, 0):\n"
		"    print(l.execve(*a), ctypes.get_errno())\n";
	struct result r = record("", "/usr/bin/python3 -S -c '%s'", script);

	assert_int_equal(r.status, 0);
	assert_string_equal(r.out, "-1 14\n-1 14\n-1 14\n-1 14\n-1 14\n");
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_a_static_child_is_named),
		LIVE_TEST(test_a_static_program_that_takes_over_its_process_is_named),
		LIVE_TEST(test_a_cleared_environment_is_named),
		LIVE_TEST(test_a_setuid_child_of_another_user_is_named),
		LIVE_TEST(test_a_program_that_ends_before_its_start_is_not_known_why),
		LIVE_TEST(test_programs_that_could_not_be_started_are_no_programs),
		LIVE_TEST(test_every_process_has_its_end),
		LIVE_TEST(test_children_of_libc_and_of_other_languages_are_seen),
		LIVE_TEST(test_a_bare_run_knows_as_much),
		LIVE_TEST(test_what_is_not_seen_is_not_called_all),
		LIVE_TEST(test_waits_are_cancelled_left_and_interrupted_as_ever),
		LIVE_TEST(test_bad_pointers_fail_as_they_do_without_the_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
