/*
 * test_bad_input.c - what strangers do wrong: each gets one clear sentence, or a
 * partial report that says what is missing; never a crash, never an endless loop.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/run.h"
#include "test.h"

/* COMMAND (shell) must end with STATUS and one line on stderr that contains WORDS. */
static void check_refusal(int status, const char *words, const char *format, ...)
{
	char command[4096];
	struct result r;
	va_list list;
	const char *newline;

	va_start(list, format);
	vsnprintf(command, sizeof(command), format, list);
	va_end(list);
	r = run_shell("timeout 120 %s %s", built("allotrope"), command);
	if (r.status != status)
		fail_msg("allotrope %s: status %d, not %d: %s", command, r.status, status, r.err);
	if (!strstr(r.err, words))
		fail_msg("allotrope %s: no '%s' in: %s", command, words, r.err);
	if (strncmp(r.err, "allotrope", 9) != 0)
		fail_msg("allotrope %s: message without the program's name: %s", command, r.err);
	newline = strchr(r.err, '\n');
	/* behind it only "Try ..." or, for an unknown word, the list of words */
	if (newline && newline[1] && strncmp(newline + 1, "Try ", 4) != 0 && newline[1] != '\n')
		fail_msg("allotrope %s: more than one sentence: %s", command, r.err);
	if (r.out_bytes)
		fail_msg("allotrope %s: output beside the error: %.200s", command, r.out);
	result_free(&r);
}

TEST(test_things_that_are_no_recording_are_refused_in_one_sentence)
{
	struct result r = run_shell("mkdir folder; mkfifo pipe; : >empty; echo hello >text; "
				    "head -c 5000 /dev/urandom >noise");

	result_free(&r);
	check_refusal(3, "'absent.data'", "summary absent.data");
	check_refusal(3, "allotrope record", "summary"); /* no allotrope.data here: the remedy */
	check_refusal(3, "directory", "summary folder");
	check_refusal(3, "'pipe'", "summary pipe");
	check_refusal(3, "empty", "summary empty");
	check_refusal(3, "'text'", "summary text");
	check_refusal(3, "'noise'", "sizes noise");
	check_refusal(3, "'folder'", "info folder");
}

TEST(test_a_first_word_that_is_a_file_is_told_what_to_do_with_it)
{
	struct result r = record("", "/bin/true");

	result_free(&r);
	check_refusal(2, "to read it: allotrope summary test.data", "test.data");
	check_refusal(2, "to run it: allotrope record /bin/true", "/bin/true");
	check_refusal(2, "'--frobnicate' is no option", "--frobnicate");
}

TEST(test_another_version_is_named_with_the_remedy)
{
	struct result r = record("", "/bin/true"), cut;

	assert_int_equal(r.status, 0);
	result_free(&r);
	cut = run_shell("printf '\\143\\000' | dd of=test.data bs=1 seek=12 conv=notrunc status=none");
	assert_int_equal(cut.status, 0);
	result_free(&cut);
	check_refusal(3, "version", "summary test.data");
}

TEST(test_wrong_words_are_usage_errors_with_a_remedy)
{
	struct result r = record("", "/bin/true");

	result_free(&r);
	check_refusal(2, "summary", "sumary test.data");
	check_refusal(2, "--frmat", "sizes --frmat=csv test.data");
	check_refusal(2, "csv", "sizes --format=xml test.data");
	check_refusal(2, "sort", "sites --sort=nonsense test.data");
	check_refusal(2, "top", "sites --top=many test.data");
	check_refusal(2, "after the end of the recording", "sites --since=10min test.data");
	check_refusal(2, "no process 99999999", "sites --pid=99999999 test.data");
	check_refusal(3, "'/nowhere/x'", "sizes -o /nowhere/x test.data");
}

TEST(test_record_refuses_before_the_program_starts)
{
	check_refusal(127, "'no-such-program'", "record -o x.data -- no-such-program");
	check_refusal(126, "'/etc/passwd'", "record -o x.data -- /etc/passwd");
	check_refusal(3, "'/nowhere'", "record -o /nowhere/x.data -- touch started");
	check_refusal(2, "ring", "record --ring=3x -- touch started");
	check_refusal(2, "ring", "record --ring=1 -- touch started");
	check_refusal(2, "depth", "record --depth=0 -- touch started");
	check_refusal(2, "depth", "record --depth=1000000 -- touch started");
	check_refusal(2, "when-full", "record --when-full=perhaps -- touch started");
	check_refusal(2, "syscalls", "record --syscalls=all -- touch started");
	check_refusal(2, "follow", "record --follow=me -- touch started");
	check_refusal(2, "timing", "record --timing=some -- touch started");
	check_refusal(2, "--call-graph='dwarf' is unknown", "record --call-graph=dwarf -- touch started");
	check_refusal(2, "--call-graph='' is unknown", "record --call-graph= -- touch started");
	check_refusal(2, "--depth='x' is not a number", "record --depth=x -- touch started");
	check_refusal(2, "--depth='-1' is not a number", "record --depth=-1 -- touch started");
	check_refusal(2, "between 1 and 4096", "record --depth=4097 -- touch started");
	check_refusal(2, "--sample=0 is out of range", "record --sample=0 -- touch started");
	check_refusal(2, "--sample='many' is not a size", "record --sample=many -- touch started");
	check_refusal(2, "between 1K and 1G", "record --sample=2G -- touch started");
	check_refusal(2, "--check-stacks=0 is out of range", "record --check-stacks=0 -- touch started");
	check_refusal(2, "--check-stacks='1x' is not", "record --check-stacks=1x -- touch started");
	check_refusal(2, "'--free-stacks' doesn't allow", "record --free-stacks=yes -- touch started");
	check_refusal(2, "program", "record");
	assert_int_equal(access("started", F_OK), -1);
}

TEST(test_a_bad_value_in_the_environment_is_told_by_its_name)
{
	struct result r = run_shell("ALLOTROPE_CHECK_STACKS=x %s record -- touch started",
				    built("allotrope"));

	assert_int_equal(r.status, 2);
	assert_string_equal(r.err, "allotrope record: ALLOTROPE_CHECK_STACKS='x' is not a number\n"
				   "Try 'allotrope record --help'.\n");
	assert_int_equal(access("started", F_OK), -1);
	result_free(&r);
	/* what a bare run takes for no check is none here */
	r = run_shell("ALLOTROPE_CHECK_STACKS=0 %s record -q -- true", built("allotrope"));
	assert_int_equal(r.status, 0);
	result_free(&r);
}

TEST(test_programs_that_cannot_be_preloaded_are_said_so_in_words)
{
	struct result r = run_shell("printf 'int main(void){return 0;}' >s.c && gcc -static -o static s.c && "
				    "printf '#!%%s/static\\n' $PWD >script && chmod +x script && "
				    "cp static setuid && chown 65534 setuid && chmod u+s setuid");

	if (r.status)
		fail_msg("%s", r.err);
	result_free(&r);
	check_refusal(125, "static", "record -o x.data -- ./static");
	check_refusal(125, "static", "record -o x.data -- ./script");
}

TEST(test_programs_with_sanitizers_are_refused_and_run_unharmed_as_children)
{
	static const char *const options[] = { "address", "thread", "leak" };

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct result r = run_shell("printf '#include <stdio.h>\n#include <stdlib.h>\nint main(void)"
					    "{free(malloc(9)); return puts(\"well\") < 0;}' >s.c && "
					    "gcc -fsanitize=%s -o sanitized s.c", options[i]);

		if (r.status)
			fail_msg("%s", r.err);
		result_free(&r);
		check_refusal(125, "Sanitizer", "record -o x.data -- ./sanitized");
		r = record("", "sh -c 'ASAN_OPTIONS=verify_asan_link_order=0 ./sanitized; exit $?'");
		assert_int_equal(r.status, 0);
		assert_string_equal(r.out, "well\n");
		result_free(&r);
	}
}

TEST(test_a_cut_or_changed_recording_gives_an_error_or_a_partial_report)
{
	struct result r = record("", "%s 8 3000", built("bench/pairs"));
	char *whole = ask("sizes --format=csv test.data");

	assert_int_equal(r.status, 0);
	result_free(&r);
	for (int i = 0; i < 60; i++) {
		r = run_shell("size=$(stat -c %%s test.data); cp test.data bad.data; "
			      "if [ $((%d %% 2)) = 0 ]; then truncate -s $((size * %d / 60)) bad.data; "
			      "else printf '\\377' | dd of=bad.data bs=1 seek=$((size * %d / 60)) "
			      "conv=notrunc status=none; fi; "
			      "timeout 120 %s sizes --format=csv bad.data", i, i, i, built("allotrope"));
		if (r.status != 0 && r.status != 3)
			fail_msg("damage %d: status %d: %s", i, r.status, r.err);
		/* whatever is missing is said */
		if (strcmp(r.out, whole) != 0 && r.err[0] == '\0')
			fail_msg("damage %d: another report and no word of it", i);
		result_free(&r);
	}
	free(whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_things_that_are_no_recording_are_refused_in_one_sentence),
		LIVE_TEST(test_a_first_word_that_is_a_file_is_told_what_to_do_with_it),
		LIVE_TEST(test_another_version_is_named_with_the_remedy),
		LIVE_TEST(test_wrong_words_are_usage_errors_with_a_remedy),
		LIVE_TEST(test_record_refuses_before_the_program_starts),
		LIVE_TEST(test_a_bad_value_in_the_environment_is_told_by_its_name),
		LIVE_TEST(test_programs_that_cannot_be_preloaded_are_said_so_in_words),
		LIVE_TEST(test_programs_with_sanitizers_are_refused_and_run_unharmed_as_children),
		LIVE_TEST(test_a_cut_or_changed_recording_gives_an_error_or_a_partial_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
