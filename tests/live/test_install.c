/*
 * test_install.c - what `make install` puts down is complete: an ordinary user records and reads with it, far
 * from the source tree; the documents find each other; `make uninstall` leaves nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/run.h"
#include "test.h"

/* MAKE is not told that another make runs this test. */
static struct result make(const char *target)
{
	return run_shell("unset MAKEFLAGS MAKELEVEL MAKEOVERRIDES MFLAGS; "
			 "exec make -s -C '%s' %s OUT='%s' PREFIX=/usr DESTDIR=\"$PWD/root\"",
			 source("."), target, built("."));
}

static void install(void)
{
	struct result r = make("install");

	if (r.status)
		fail_msg("make install: %s%s", r.out, r.err);
	result_free(&r);
}

TEST(test_an_installed_copy_works_for_an_ordinary_user)
{
	static const char *const forms[] = {
		"summary", "sites", "sizes", "tree", "flame", "leaks", "temporary", "timeline", "massif",
		"dhat", "callgrind", "ltrace", "strace", "threshold", "maps", "info", "check --max-peak=1G",
	};
	const char *as_nobody = "setpriv --reuid=nobody --regid=nogroup --clear-groups";
	struct result r = run_shell("[ $(id -u) = 0 ] && command -v setpriv");

	if (r.status)
		as_nobody = "";
	result_free(&r);
	install();
	r = run_shell("chmod 755 . && mkdir -m 777 work && cd work && PATH=\"$PWD/../root/usr/bin:$PATH\" && "
		      "%s allotrope record -q -- /usr/bin/python3 -S -c 'print(len([0] * 10 ** 6))'",
		      as_nobody);
	assert_int_equal(r.status, 0);
	assert_string_equal(r.out, "1000000\n");
	assert_string_equal(r.err, "");
	result_free(&r);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		r = run_shell("cd work && PATH=\"$PWD/../root/usr/bin:$PATH\" && %s allotrope %s",
			      as_nobody, forms[i]);
		if (r.status || r.out_bytes < 30)
			fail_msg("%s: status %d: %s%s", forms[i], r.status, r.out, r.err);
		result_free(&r);
	}
	r = run_shell("PATH=\"$PWD/root/usr/bin:$PATH\"; unset MANPATH; man -w allotrope allotrope-record "
		      "allotrope-forms allotrope-preload | sed 's,.*/root,,'");
	assert_string_equal(r.out, "/usr/share/man/man1/allotrope.1\n"
			    "/usr/share/man/man1/allotrope-record.1\n"
			    "/usr/share/man/man1/allotrope-forms.1\n"
			    "/usr/share/man/man7/allotrope-preload.7\n");
	result_free(&r);
}

TEST(test_what_installed_documents_point_to_is_installed)
{
	struct result r;

	install();
	r = run_shell("cd root/usr/share/doc/allotrope && for page in README.md docs/*.md examples/*.md; do "
		      "for to in $(grep -oE '\\]\\([^)#:]+\\)' $page | tr -d ']()'); do "
		      "[ -e ${page%%/*}/$to ] || [ -e $to -a $page = README.md ] || echo $page: $to; "
		      "done; "
		      "for to in $(grep -oE '\\b(docs|examples)/[a-z0-9-]+\\.(md|png|svg)\\b' $page); do "
		      "[ -e $to ] || echo $page: $to; done; done; ls docs | grep -c .");
	assert_int_equal(r.status, 0);
	if (strchr(r.out, ':'))
		fail_msg("not installed: %s", r.out);
	assert_true(atoi(r.out) >= 10);
	result_free(&r);
}

TEST(test_uninstall_leaves_nothing_and_nothing_else_goes)
{
	struct result r;

	install();
	r = run_shell("touch root/usr/share/doc/allotrope/docs/mine");
	result_free(&r);
	r = make("uninstall");
	assert_int_equal(r.status, 0);
	result_free(&r);
	r = run_shell("find root ! -type d");
	assert_string_equal(r.out, "root/usr/share/doc/allotrope/docs/mine\n");
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_an_installed_copy_works_for_an_ordinary_user),
		LIVE_TEST(test_what_installed_documents_point_to_is_installed),
		LIVE_TEST(test_uninstall_leaves_nothing_and_nothing_else_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
