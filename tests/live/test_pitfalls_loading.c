/*
 * test_pitfalls_loading.c - the ways a program can be loaded, and load others, that have stopped other
 * recorders. In both modes. docs/reliability.md says which test is for which pitfall.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/both_modes.h"
#include "test.h"

#define MANY 1000000000ll
#define PAIRS 2000

static const char *pairs(const char *before)
{
	static char command[4096];

	snprintf(command, sizeof(command), "%s %s 3 %d", before, built("bench/pairs"), PAIRS);
	return command;
}

static void check_pairs(const char *before, const char *command)
{
	struct both_modes b = run_in_both(before, command, 0, NULL);

	assert_both_in_range(&b, "calls.malloc", PAIRS, PAIRS + 100);
	both_modes_free(&b);
}

TEST(test_the_dynamic_linker_run_as_a_program_is_recorded)
{
	if (access("/lib64/ld-linux-x86-64.so.2", X_OK) != 0)
		SKIP("no /lib64/ld-linux-x86-64.so.2 here");
	check_pairs("", pairs("/lib64/ld-linux-x86-64.so.2"));
}

TEST(test_libc_run_as_a_program_is_not_disturbed)
{
	static const char *const modes[] = { "record", "bare" };
	const char *libc = "/lib/x86_64-linux-gnu/libc.so.6";

	if (access(libc, X_OK) != 0)
		SKIP("no %s that can be run here", libc);
	for (size_t i = 0; i < 2; i++) {
		struct result r = run_in_mode(modes[i], "", libc);

		assert_int_equal(r.status, 0);
		assert_non_null(strstr(r.out, "GNU C Library"));
		result_free(&r);
	}
}

TEST(test_binding_all_symbols_at_start_changes_nothing)
{
	check_pairs("export LD_BIND_NOW=1", pairs(""));
}

TEST(test_a_program_with_an_empty_locale_and_no_path_is_recorded)
{
	check_pairs("unset PATH HOME LANG LC_ALL; export LC_ALL=", pairs(""));
}

TEST(test_checking_malloc_of_libc_is_recorded_in_both_orders)
{
	struct result r;
	json_t *root;

	check_pairs("export GLIBC_TUNABLES=glibc.malloc.check=3 MALLOC_PERTURB_=5", pairs(""));
	for (int first = 0; first < 2; first++) {
		r = run_shell("export GLIBC_TUNABLES=glibc.malloc.check=3; rm -f test.data\n"
			      "ALLOTROPE_OUT=test.data LD_PRELOAD=%s%s%s exec %s",
			      first ? built("liballotrope.so") : "libc_malloc_debug.so.0",
			      ":", first ? "libc_malloc_debug.so.0" : built("liballotrope.so"),
			      pairs(""));
		assert_int_equal(r.status, 0);
		result_free(&r);
		/* behind the other one the calls that it serves itself are not seen */
		if (!first)
			continue;
		root = summary("");
		assert_nothing_lost(root);
		assert_in_range(number_at(root, "calls.malloc"), PAIRS, PAIRS + 100);
		json_decref(root);
	}
}

TEST(test_namespaces_and_deep_binding_leave_the_program_as_it_is)
{
	char command[4096];
	struct both_modes b;

	snprintf(command, sizeof(command), "%s %s", built("tests/subjects/namespaces"),
		 built("tests/subjects"));
	b = run_in_both("", command, 0, "well\n");
	both_modes_free(&b);
}

/* PHP loads its extensions so. Blocks cross the border in both directions. */
TEST(test_calls_of_deeply_bound_libraries_are_seen)
{
	static const char *const linked[] = { "-Wl,-z,now", "-Wl,-z,lazy" };

	for (size_t i = 0; i < sizeof(linked) / sizeof(linked[0]); i++) {
		struct result r = run_shell(
			"echo '#include <stdlib.h>\n#include <string.h>\nint own(void) { return 1; }"
			"__attribute__((constructor)) static void start(void) { free(malloc(2222)); }"
			"void *make(void) { void *p = malloc(1111); return own() == 1 ? p : 0; }"
			"void drop(void *p) { free(p); free(strdup(\"abc\")); }' >d.c && "
			"echo '#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <stdlib.h>\n"
			"int own(void) { return 2; } int main(void) {"
			"void *h = dlopen(\"./d.so\", RTLD_LAZY | RTLD_DEEPBIND), *p = 0;"
			"void *(*make)(void) = dlsym(h, \"make\");"
			"void (*drop)(void *) = dlsym(h, \"drop\");"
			"for (int i = 0; i < 100; i++) { p = make(); drop(malloc(333)); free(p); }"
			"return p ? 7 : 1; }' >m.c && "
			"gcc -shared -fPIC -fno-builtin %s -o d.so d.c && gcc -rdynamic -o m m.c && "
			"%s record -q -o test.data ./m", linked[i], built("allotrope"));
		json_t *root;

		if (r.status == 127)
			SKIP("no compiler here: %s", r.err);
		assert_int_equal(r.status, 7);
		result_free(&r);
		root = summary("");
		assert_nothing_lost(root);
		assert_int_equal(number_at(root, "unmatched_frees"), 0);
		json_decref(root);
		r = run_shell("%s sizes --format=csv test.data", built("allotrope"));
		if (!strstr(r.out, "\n2222,1,2222") || !strstr(r.out, "\n1111,100,111100") ||
		    !strstr(r.out, "\n333,100,33300") || !strstr(r.out, "\n4,100,400"))
			fail_msg("%s: %s", linked[i], r.out);
		assert_null(strstr(r.err, "still in use"));
		result_free(&r);
	}
}

TEST(test_a_library_finds_its_siblings_by_the_path_in_its_head)
{
	struct result r = run_shell(
		"mkdir a b && echo 'int f(void) { return 42; }' >b.c && echo '#include <dlfcn.h>\n"
		"int g(void); int g(void) { void *h = dlopen(\"libsibling.so\", RTLD_NOW);"
		"int (*f)(void) = h ? (int (*)(void))dlsym(h, \"f\") : 0; return f ? f() : 1; }' >a.c && "
		"echo 'int g(void); int main(void) { return g(); }' >m.c && "
		"gcc -shared -fPIC -o b/libsibling.so b.c && "
		"gcc -shared -fPIC -Wl,-rpath,'$ORIGIN/../b' -o a/libouter.so a.c -ldl && "
		"gcc -o m m.c -La -louter -Wl,-rpath,'$ORIGIN/a'");
	struct both_modes b;

	if (r.status != 0)
		SKIP("no compiler here: %s", r.err);
	result_free(&r);
	b = run_in_both("", "./m", 42, "");
	both_modes_free(&b);
}

TEST(test_libraries_at_one_address_keep_their_names_without_a_recorder)
{
	char command[4096], *csv;
	struct both_modes b;

	snprintf(command, sizeof(command), "%s 20 %s", built("tests/subjects/plugins"),
		 built("tests/subjects"));
	b = run_in_both("", command, 0, NULL);
	both_modes_free(&b);
	csv = ask("sites --format=csv --top=1000 test.data");
	assert_non_null(strstr(csv, "heap,20,22220,"));
	assert_non_null(strstr(csv, "heap,20,44440,"));
	assert_non_null(strstr(csv, "plugin_a_work"));
	assert_non_null(strstr(csv, "plugin_b_work"));
	free(csv);
}

TEST(test_a_program_with_many_thread_local_libraries_starts)
{
	struct result r = run_shell(
		"for i in $(seq 40); do echo \"static __thread char room$i[256];"
		" void *f$i(void); void *f$i(void) { return room$i; }\" >t$i.c && "
		"gcc -shared -fPIC -o t$i.so t$i.c || exit 1; "
		"done; echo '#include <dlfcn.h>\n#include <stdio.h>\nint main(void) { char n[64];"
		"for (int i = 1; i <= 40; i++) { snprintf(n, 64, \"./t%%d.so\", i); void *h = dlopen(n, 2);"
		" if (!h) { puts(dlerror()); return 1; }"
		"snprintf(n, 64, \"f%%d\", i);"
		" void *(*f)(void) = (void *(*)(void))dlsym(h, n); "
		"if (!f()) return 2; } return 0; }' >m.c && "
		"gcc -o m m.c -ldl");
	struct both_modes b;

	if (r.status != 0)
		SKIP("no compiler here: %s", r.err);
	result_free(&r);
	b = run_in_both("", "./m", 0, "");
	both_modes_free(&b);
}

TEST(test_a_path_with_spaces_and_colons_holds_the_library)
{
	/* ld.so takes a space and a colon as ends of names in LD_PRELOAD */
	struct result r = run_shell("mkdir 'a b:c' && cp %s %s 'a b:c' && "
				    "exec 'a b:c/allotrope' record -q -o test.data -- %s",
				    built("allotrope"), built("liballotrope.so"), pairs(""));
	json_t *root;

	assert_int_equal(r.status, 0);
	result_free(&r);
	root = summary("");
	assert_nothing_lost(root);
	assert_in_range(number_at(root, "calls.malloc"), PAIRS, PAIRS + 100);
	json_decref(root);
}

TEST(test_static_programs_pass_through_as_children)
{
	struct result r = run_shell("printf '#include <stdlib.h>\\nint main(void) "
				    "{ free(malloc(5)); return 6; }' >s.c && gcc -static -o s s.c && "
				    "gcc -static-pie -o sp s.c");
	struct both_modes b;

	if (r.status != 0)
		SKIP("no static libc here");
	result_free(&r);
	b = run_in_both("", "/bin/sh -c './s; ./sp; exit $?'", 6, "");
	both_modes_free(&b);
	r = run_in_mode("bare", "", "./s");
	assert_int_equal(r.status, 6);
	result_free(&r);
}

/* Also LD_AUDIT: its library lives in a namespace of its own, with a libc of its own. */
TEST(test_a_library_that_audits_the_linker_changes_nothing)
{
	struct result r = run_shell("printf 'unsigned la_version(unsigned v) { return v; }\n' >a.c && "
				    "gcc -shared -fPIC -o audit.so a.c");

	if (r.status != 0)
		SKIP("no compiler here: %s", r.err);
	result_free(&r);
	check_pairs("", pairs("env LD_AUDIT=./audit.so"));
}

/* By a program that goes on when it has closed it: the library stays, its code is in use. */
TEST(test_the_library_loaded_late_and_closed_leaves_the_program_alone)
{
	struct result r = run_shell(
		"cat >m.c <<'END'\n"
		"#include <dlfcn.h>\n#include <stdio.h>\n#include <stdlib.h>\n"
		"int main(int n, char **v) { void *before = malloc(40), *h = dlopen(v[n - 1], RTLD_NOW);"
		" void *(*take)(size_t) = h ? (void *(*)(size_t))dlsym(h, \"malloc\") : 0;"
		" void (*give)(void *) = h ? (void (*)(void *))dlsym(h, \"free\") : 0;"
		" if (!take) { puts(dlerror()); return 1; }"
		" for (int i = 0; i < 100; i++) { give(malloc(10)); free(take(20)); }"
		" give(before); dlclose(h); for (int i = 0; i < 100; i++) free(malloc(200000));"
		" puts(\"well\"); return 0; }\nEND\n"
		"gcc -fno-builtin -o m m.c -ldl");

	if (r.status != 0)
		SKIP("no compiler here: %s", r.err);
	result_free(&r);
	r = run_shell("ALLOTROPE_OUT=test.data exec ./m %s", built("liballotrope.so"));
	assert_int_equal(r.status, 0);
	assert_string_equal(r.out, "well\n");
	assert_string_equal(r.err, "");
	result_free(&r);
}

/* Unwinders of the program and of the library are each their own. */
TEST(test_a_program_with_an_unwinder_of_its_own_uses_that)
{
	static const char *const graphs[] = { "", "export ALLOTROPE_CALL_GRAPH=libunwind" };
	struct result r = run_shell(
		"cat >m.c <<'END'\n"
		"#define UNW_LOCAL_ONLY\n#include <libunwind.h>\n#include <execinfo.h>\n"
		"#include <stdio.h>\n#include <stdlib.h>\n"
		"static __attribute__((noinline)) int deep(int n) { void *at[64];"
		" if (n) return deep(n - 1) + 1;"
		" free(malloc(99)); return unw_backtrace(at, 64) * 1000 + backtrace(at, 64) * 100000; }\n"
		"int main(void) { int n = 0; for (int i = 0; i < 1000; i++) n = deep(i %% 9);"
		" printf(\"%%d\\n\", n); return 0; }\nEND\n"
		"gcc -O1 -fno-builtin -o m m.c -lunwind");

	if (r.status != 0)
		SKIP("no compiler, or no libunwind-dev: %s", r.err);
	result_free(&r);
	for (size_t i = 0; i < 2; i++) {
		struct both_modes b = run_in_both(graphs[i], "./m", 0, NULL);

		assert_both_in_range(&b, "calls.malloc", 1001, 1010);
		both_modes_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_the_dynamic_linker_run_as_a_program_is_recorded),
		LIVE_TEST(test_libc_run_as_a_program_is_not_disturbed),
		LIVE_TEST(test_binding_all_symbols_at_start_changes_nothing),
		LIVE_TEST(test_a_program_with_an_empty_locale_and_no_path_is_recorded),
		LIVE_TEST(test_checking_malloc_of_libc_is_recorded_in_both_orders),
		LIVE_TEST(test_namespaces_and_deep_binding_leave_the_program_as_it_is),
		LIVE_TEST(test_calls_of_deeply_bound_libraries_are_seen),
		LIVE_TEST(test_a_library_finds_its_siblings_by_the_path_in_its_head),
		LIVE_TEST(test_libraries_at_one_address_keep_their_names_without_a_recorder),
		LIVE_TEST(test_a_program_with_many_thread_local_libraries_starts),
		LIVE_TEST(test_a_path_with_spaces_and_colons_holds_the_library),
		LIVE_TEST(test_static_programs_pass_through_as_children),
		LIVE_TEST(test_a_library_that_audits_the_linker_changes_nothing),
		LIVE_TEST(test_the_library_loaded_late_and_closed_leaves_the_program_alone),
		LIVE_TEST(test_a_program_with_an_unwinder_of_its_own_uses_that),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
