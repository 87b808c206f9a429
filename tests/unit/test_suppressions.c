/*
 * test_suppressions.c - the files of LeakSanitizer and valgrind. What is expected here was
 * seen with these tools; tests/oracle/test_leaks.c runs them.
 */
#include "forms/suppressions.h"

#include <stdio.h>
#include <string.h>

#include "record_kinds.h"
#include "test.h"

static const struct suppression_frame frames[] = {
	{ "leaf", "leaf", "/src/l.c", "/bin/prog", NULL, 4, false },
	{ "ns::mid(int)", "_ZN2ns3midEi", "/src/l.cc", "/bin/prog", NULL, 5, false },
	{ NULL, NULL, NULL, "/lib/libq.so", "/usr/lib/libq.so.1", 0, false },
	{ "main", "main", "/src/lib/l", "/bin/prog", NULL, 7, false },
	{ "__libc_start_call_main", "__libc_start_call_main", NULL, "/lib/libc.so.6", NULL, 0, false },
};

static const struct suppression_stack stack = { frames, 5, 1u << FUNC_MALLOC };

/* Is the stack suppressed by TEXT? */
static bool holds(const char *text)
{
	struct suppressions s = { 0 };
	struct diag d = { 0 };
	bool found;

	if (suppressions_parse(&s, text, strlen(text), "f", &d) != 0)
		fail_msg("%s: %s", text, d.text);
	found = suppressions_find(&s, &stack) == 0;
	suppressions_release(&s);
	return found;
}

static bool valgrind_holds(const char *locations)
{
	char text[512];

	snprintf(text, sizeof(text), "{\n name\n Memcheck:Leak\n %s\n}\n", locations);
	return holds(text);
}

static void refused(const char *text, const char *reason)
{
	struct suppressions s = { 0 };
	struct diag d = { 0 };

	assert_int_equal(suppressions_parse(&s, text, strlen(text), "f", &d), -1);
	assert_int_equal(d.status, STATUS_USAGE);
	assert_string_equal(d.text, reason);
	suppressions_release(&s);
}

TEST(test_leak_lines_are_found_in_any_name_of_any_frame)
{
	assert_true(holds("leak:eaf"));
	assert_true(holds("leak:ns::mid"));
	assert_true(holds("leak:/src/l.cc"));
	assert_true(holds("leak:libq.so"));
	assert_true(holds("leak:libq.so.1"));
	assert_true(holds("leak:^/lib/libq"));
	assert_true(holds("leak:malloc"));
	assert_false(holds("leak:calloc"));
	assert_false(holds("leak:_ZN2ns3midEi"));
	assert_false(holds("leak:Leaf"));
}

TEST(test_leak_patterns_are_tied_and_have_stars)
{
	assert_true(holds("leak:^leaf$"));
	assert_true(holds("leak:leaf$"));
	assert_false(holds("leak:^eaf"));
	assert_false(holds("leak:^lea$"));
	assert_true(holds("leak:^l*f$"));
	assert_true(holds("leak:n*mid(*)"));
	assert_true(holds("leak:*"));
	assert_true(holds("leak:lea*$"));
	assert_false(holds("leak:mid*leaf"));
	/* the first place is taken, as LeakSanitizer does: that of /src/lib/l is in "lib" */
	assert_false(holds("leak:l$"));
}

TEST(test_leak_file_has_comments_and_blanks)
{
	assert_true(holds("# known\n\n   leak:leaf  \r\n"));
	assert_false(holds("# leak:leaf\n"));
	assert_false(holds(""));
}

TEST(test_wrong_leak_lines_are_named)
{
	refused("leak:a\nfoo:bar\n", "'f', line 2: expected leak:PATTERN: 'foo:bar'");
	refused("\n# c\nleak\n", "'f', line 3: expected leak:PATTERN: 'leak'");
	refused("leak:\n", "'f', line 1: the pattern after leak: is empty "
		"('leak:*' suppresses everything)");
	refused("leak:a\n{\n", "'f', line 2: a valgrind suppression in a file that began with leak: lines");
}

TEST(test_valgrind_frames_are_compared_from_the_innermost_on)
{
	assert_true(valgrind_holds("fun:malloc\nfun:leaf"));
	assert_true(valgrind_holds("fun:malloc"));
	assert_true(valgrind_holds("fun:*alloc\nfun:l??f\nfun:_ZN2ns*"));
	assert_false(valgrind_holds("fun:calloc\nfun:leaf"));
	assert_false(valgrind_holds("fun:malloc\nfun:_ZN2ns3midEi"));
	assert_false(valgrind_holds("fun:malloc\nfun:lea"));
	assert_true(valgrind_holds("obj:*vgpreload_memcheck*\nfun:leaf"));
	assert_false(valgrind_holds("fun:malloc\nfun:l[e]af"));
	assert_true(valgrind_holds("fun:malloc\nfun:leaf@@LIB_1.0"));
	/* the readable name is not what valgrind compares */
	assert_false(valgrind_holds("fun:malloc\nfun:leaf\nfun:ns::mid*"));
}

TEST(test_valgrind_dots_stand_for_any_number_of_frames)
{
	assert_true(valgrind_holds("...\nfun:main"));
	assert_true(valgrind_holds("...\nfun:malloc"));
	assert_true(valgrind_holds("fun:malloc\n...\nfun:leaf"));
	assert_true(valgrind_holds("fun:malloc\n...\nobj:*libq*\n...\nfun:(below main)"));
	assert_true(valgrind_holds("...\nfun:leaf\n..."));
	assert_false(valgrind_holds("...\nfun:main\n...\nfun:leaf"));
}

TEST(test_valgrind_sources_and_objects_are_locations)
{
	assert_true(valgrind_holds("fun:malloc\nsrc:l.c"));
	assert_true(valgrind_holds("fun:malloc\nsrc:l.c:4\nsrc:*.cc:5"));
	assert_false(valgrind_holds("fun:malloc\nsrc:/src/l.c"));
	assert_false(valgrind_holds("fun:malloc\nsrc:l.c:5"));
	assert_true(valgrind_holds("...\nobj:/usr/lib/libq.so.1"));
	assert_true(valgrind_holds("...\nobj:/lib/libq.so"));
	assert_false(valgrind_holds("...\nobj:libq.so.1"));
	assert_true(valgrind_holds("...\nfun:???"));
}

TEST(test_operator_new_is_the_allocator_for_valgrind)
{
	struct suppressions s = { 0 };
	const struct suppression_frame made[] = {
		{ "operator new(unsigned long)", "_Znwm", NULL, NULL, NULL, 0, false }, frames[0],
	};
	const struct suppression_stack by_new = { made, 2, 1u << FUNC_MALLOC };

	const char text[] = "{\na\nMemcheck:Leak\nfun:malloc\nfun:_Znwm\n}\n"
			    "{\nb\nMemcheck:Leak\nfun:_Znwm\nfun:leaf\n}\n";

	assert_int_equal(suppressions_parse(&s, text, strlen(text), "f", NULL), 0);
	assert_int_equal(suppressions_find(&s, &by_new), 1);
	suppressions_release(&s);
	assert_false(valgrind_holds("fun:leaf\nfun:_ZN*"));
}

TEST(test_functions_of_the_allocator_have_the_frames_that_valgrind_gives_them)
{
	struct suppressions s = { 0 };
	const char text[] = "{\n0\nMemcheck:Leak\nfun:memalign\nfun:posix_memalign\nfun:leaf\n}\n"
			    "{\n1\nMemcheck:Leak\nfun:memalign\nfun:leaf\n}\n"
			    "{\n2\nMemcheck:Leak\nfun:malloc\nfun:leaf\n}\n"
			    "{\n3\nMemcheck:Leak\nfun:realloc\nfun:leaf\n}\n";
	static const struct { int func, by; } rows[] = {
		{ FUNC_POSIX_MEMALIGN, 0 }, { FUNC_ALIGNED_ALLOC, 1 }, { FUNC_MALLOC, 2 },
		{ ALLOCATOR_REALLOC_NULL, 2 }, { FUNC_REALLOC, 3 }, { FUNC_CALLOC, -1 },
	};

	assert_int_equal(suppressions_parse(&s, text, sizeof(text) - 1, "f", NULL), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct suppression_stack by = { frames, 5, 1u << rows[i].func };

		assert_int_equal(suppressions_find(&s, &by), rows[i].by);
	}
	suppressions_release(&s);
}

TEST(test_inlined_functions_have_their_bare_names_in_valgrind)
{
	static const struct { const char *function, *pattern; bool holds; } rows[] = {
		{ "std::allocator<char>::allocate(unsigned long)", "allocate", true },
		{ "void (anonymous namespace)::f<int, a::b>(int)", "f<int, a::b>", true },
		{ "void lose<shop::Article>(shop::Article*)", "lo*", true },
		{ "std::map<int, x<y>, std::less<int> >::operator[](int const&)", "operator[]", true },
		{ "a::operator()(int)", "operator()", true },
		{ "f[abi:cxx11](int)", "f", true },
		{ "plain", "plain", true },
		{ "a::b(int)", "a::b*", false },
		{ "a::b(int)", "a", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct suppression_frame f = { rows[i].function, "_Zx", NULL, NULL, NULL, 0, true };
		const struct suppression_stack inlined = { &f, 1, 1u << FUNC_MALLOC };
		struct suppressions s = { 0 };
		char text[200];

		snprintf(text, sizeof(text), "{\na\nMemcheck:Leak\nfun:malloc\nfun:%s\n}\n",
			 rows[i].pattern);
		assert_int_equal(suppressions_parse(&s, text, strlen(text), "f", NULL), 0);
		if ((suppressions_find(&s, &inlined) == 0) != rows[i].holds)
			fail_msg("%s, %s", rows[i].function, rows[i].pattern);
		suppressions_release(&s);
	}
}

TEST(test_valgrind_file_may_hold_other_errors)
{
	const char text[] = "# known\n{\n  a\n  Memcheck:Param\n  write(buf)\n  fun:leaf\n}\n"
			    "{\n  b\n  Helgrind,DRD:Race\n  fun:leaf\n}\n"
			    "{\n  c d\n\n  DRD,Memcheck:Leak\n  match-leak-kinds: definite,possible\n"
			    "  # inside\n  fun:malloc\n}\n";
	struct suppressions s = { 0 };

	assert_int_equal(suppressions_parse(&s, text, strlen(text), "f", NULL), 0);
	assert_int_equal(s.count, 1);
	assert_string_equal(s.items[0].name, "c d");
	assert_int_equal(s.items[0].line, 14);
	assert_true(s.items[0].has_kinds);
	assert_int_equal(suppressions_find(&s, &stack), 0);
	suppressions_release(&s);
}

TEST(test_wrong_valgrind_lines_are_named)
{
	refused("{\n a\n Memcheck:Leak\n}\n",
		"'f', line 4: a suppression needs at least one fun:, obj: or src:");
	refused("{\n a\n Memcheck:Leak\n ...\n}\n",
		"'f', line 5: a suppression needs at least one fun:, obj: or src:");
	refused("{\n a\n Memcheck\n fun:a\n}\n",
		"'f', line 3: expected TOOL:KIND, as Memcheck:Leak: 'Memcheck'");
	refused("{\n a\n Memcheck:leak\n fun:a\n}\n",
		"'f', line 3: the kind is written 'Leak': 'Memcheck:leak'");
	refused("{\n a\n Memcheck:Leak\n func:a\n}\n",
		"'f', line 4: expected fun:, obj:, src:, '...' or '}': 'func:a'");
	refused("{\n a\n Memcheck:Leak\n match-leak-kinds: all,some\n fun:a\n}\n",
		"'f', line 4: match-leak-kinds has definite, indirect, possible, reachable, all or none, "
		"separated by commas: 'some'");
	refused("{\n a\n Memcheck:Leak\n fun:a\n",
		"'f', line 4: the file ends inside a suppression: '}' is missing");
	refused("{\n a\n Helgrind:Race\n fun:a\n",
		"'f', line 4: the file ends inside a suppression: '}' is missing");
	refused("{\n}\n", "'f', line 2: a suppression begins with its name");
	refused("{\n a\n Memcheck:Leak\n fun:a\n}\nleak:b\n",
		"'f', line 6: expected '{' or the end of the file: 'leak:b'");
}

TEST(test_first_match_counts_and_files_add_up)
{
	struct suppressions s = { 0 };

	assert_int_equal(suppressions_parse(&s, "leak:nothing\nleak:leaf\nleak:main\n", 33, "one", NULL), 0);
	assert_int_equal(suppressions_parse(&s, "{\na\nMemcheck:Leak\nfun:malloc\n}\n", 30, "two", NULL), 0);
	assert_int_equal(s.count, 4);
	assert_string_equal(s.items[3].file, "two");
	assert_int_equal(suppressions_find(&s, &stack), 1);
	suppressions_release(&s);
	assert_int_equal(suppressions_find(&s, &stack), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leak_lines_are_found_in_any_name_of_any_frame),
		cmocka_unit_test(test_leak_patterns_are_tied_and_have_stars),
		cmocka_unit_test(test_leak_file_has_comments_and_blanks),
		cmocka_unit_test(test_wrong_leak_lines_are_named),
		cmocka_unit_test(test_valgrind_frames_are_compared_from_the_innermost_on),
		cmocka_unit_test(test_valgrind_dots_stand_for_any_number_of_frames),
		cmocka_unit_test(test_valgrind_sources_and_objects_are_locations),
		cmocka_unit_test(test_operator_new_is_the_allocator_for_valgrind),
		cmocka_unit_test(test_functions_of_the_allocator_have_the_frames_that_valgrind_gives_them),
		cmocka_unit_test(test_inlined_functions_have_their_bare_names_in_valgrind),
		cmocka_unit_test(test_valgrind_file_may_hold_other_errors),
		cmocka_unit_test(test_wrong_valgrind_lines_are_named),
		cmocka_unit_test(test_first_match_counts_and_files_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
