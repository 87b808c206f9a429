/*
 * test_aarch64.c - the library for aarch64, preloaded into an aarch64 program under
 * qemu, and its ring read here: the same program's calls, results and call stacks
 * must come out as they do on this machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"
#include "test.h"

#define QEMU "qemu-aarch64 -L /usr/aarch64-linux-gnu"

/* The program under qemu leaves arm.ring, the program itself test.data. */
static void record_both(void)
{
	struct result r = run_shell(QEMU " -E LD_PRELOAD=" CROSS_DIR "/liballotrope.so "
				    "-E ALLOTROPE_OUT=$PWD/arm.ring -E ALLOTROPE_SIZE=4M "
				    CROSS_DIR "/tests/subjects/semantics >arm.out");

	if (r.status)
		fail_msg("status %d: %s", r.status, r.err);
	result_free(&r);
	r = record("", "%s >own.out", built("tests/subjects/semantics"));
	if (r.status)
		fail_msg("status %d: %s", r.status, r.err);
	result_free(&r);
}

/* Both files after FILTER (shell) must be the same, and have at least LINES lines. */
static void compare(const char *what, const char *filter, int lines)
{
	struct result r = run_shell("for f in arm.ring test.data; do "
				    "%s %s $f 2>/dev/null | %s >$f.txt; done; "
				    "diff arm.ring.txt test.data.txt && [ $(wc -l <arm.ring.txt) -ge %d ]",
				    built("allotrope"), what, filter, lines);

	if (r.status)
		fail_msg("allotrope %s, left aarch64, right this machine: %s%s", what, r.out, r.err);
	result_free(&r);
}

TEST(test_aarch64_program_under_qemu_is_not_changed)
{
	struct result r;

	record_both();
	r = run_shell("cmp arm.out own.out && [ -s arm.out ]");
	if (r.status)
		fail_msg("%s", r.out);
	result_free(&r);
}

TEST(test_aarch64_calls_and_results_are_those_of_this_machine)
{
	record_both();
	compare("ltrace", "sed 's/0x[0-9a-f]*/ADDRESS/g; s/  *= / = /'", 20);
}

TEST(test_aarch64_blocks_have_the_source_lines_of_this_machine)
{
	record_both();
	compare("sites --top=0 --depth=0", "grep -oE 'main \\(semantics\\.c:[0-9]+\\)' | sort", 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_aarch64_program_under_qemu_is_not_changed),
		LIVE_TEST(test_aarch64_calls_and_results_are_those_of_this_machine),
		LIVE_TEST(test_aarch64_blocks_have_the_source_lines_of_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
