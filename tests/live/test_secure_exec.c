/*
 * test_secure_exec.c - programs that have more rights than their caller (setuid, setgid, file
 * capabilities). The dynamic linker loads a preloaded library into them only where an
 * administrator put it into a default folder, setuid, and it is named without a slash. There
 * the words of the caller's environment must say nothing: no file is opened or made for them.
 */
#include <stdlib.h>
#include <string.h>

#include "support/run.h"
#include "test.h"

/*
 * In a mount namespace of its own: ./box on a file system where setuid counts, with
 * plain and privileged copies of the program; the library in the place of one of libc's,
 * which nobody else here needs.
 */
#define BOX \
	"chmod 755 . && mkdir box && exec unshare -m sh -c '" \
	"mount -t tmpfs -o mode=755 none box && cd box && " \
	"for i in plain owner group capable; do install -m 755 %s $i || exit 97; done && " \
	"chmod 4755 owner && chgrp daemon group && chmod 2755 group && ./plain grant capable && " \
	"mkdir -m 777 open && mkdir -m 700 closed && install -m 4755 %s lib && " \
	"mount --bind lib " \
	"$(dirname $(ldd plain | sed -n \"s/.*=> \\(.*libc.so.6\\) .*/\\1/p\"))/%s || exit 98; %s'"

#define LIBRARY "libc_malloc_debug.so.0"

#define AS_NOBODY "setpriv --reuid=nobody --regid=nogroup --clear-groups env LD_PRELOAD=" LIBRARY " "

static struct result in_box(const char *command)
{
	struct result r = run_shell("[ $(id -u) = 0 ] && command -v setpriv && unshare -m true");
	bool is_possible = r.status == 0;

	result_free(&r);
	if (!is_possible)
		SKIP("needs root, setpriv and mount namespaces");
	r = run_shell(BOX, built("tests/subjects/secure_exec"), built("liballotrope.so"), LIBRARY,
		      command);
	if (r.status == 98)
		SKIP("cannot mount or grant here: %s", r.err);
	return r;
}

TEST(test_the_library_is_there_and_records_who_has_no_more_rights)
{
	struct result r = in_box(AS_NOBODY "ALLOTROPE_OUT=open/x.ring ./plain; echo $?; ls open");

	assert_int_equal(r.status, 0);
	assert_non_null(strstr(r.out, "secure 0, "));
	assert_non_null(strstr(r.out, "/" LIBRARY ", sum 1500\n5\nx.ring\n"));
	result_free(&r);
}

/*
 * PROGRAM does what it does, with the library in it. The caller's words name a file in a folder
 * of all users, one that the caller may not make, and a ring that is root's.
 */
static void check_still(const char *program)
{
	char command[2048];
	const char *at;
	struct result r;

	snprintf(command, sizeof(command),
		 "env LD_PRELOAD=" LIBRARY " ALLOTROPE_SIZE=1M ALLOTROPE_OUT=closed/x.ring ./plain >first; "
		 "sha256sum closed/x.ring >sum; "
		 "for word in OUT=open/x.ring OUT=closed/y.ring RING=$PWD/closed/x.ring; do "
		 AS_NOBODY "ALLOTROPE_VERBOSE=1 ALLOTROPE_$word ./%s; echo $?; done; "
		 "ls -m open closed; sha256sum --quiet -c sum", program);
	r = in_box(command);
	if (r.status != 0 || *r.err)
		fail_msg("%s: status %d: %s%s", program, r.status, r.out, r.err);
	at = r.out;
	for (int i = 0; i < 3; i++) {
		at = strstr(at, "secure 1, ");
		assert_non_null(at);
		at = strstr(at, "/" LIBRARY ", sum 1500\n5\n");
		assert_non_null(at);
	}
	assert_non_null(strstr(at, "5\nclosed:\nx.ring\n\nopen:\n"));
	result_free(&r);
}

TEST(test_a_setuid_program_takes_no_word_of_its_caller)
{
	check_still("owner");
}

TEST(test_a_setgid_program_takes_no_word_of_its_caller)
{
	check_still("group");
}

TEST(test_a_program_with_capabilities_takes_no_word_of_its_caller)
{
	check_still("capable");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_the_library_is_there_and_records_who_has_no_more_rights),
		LIVE_TEST(test_a_setuid_program_takes_no_word_of_its_caller),
		LIVE_TEST(test_a_setgid_program_takes_no_word_of_its_caller),
		LIVE_TEST(test_a_program_with_capabilities_takes_no_word_of_its_caller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
