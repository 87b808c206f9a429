/*
 * test_option_names.c - options that no program has, beside arguments that may be anything.
 */
#include "test.h"

#include "cli/option_names.h"

static const struct argp_option child_options[] = {
	{ "top", 't', "N", 0, "Rows", 0 },
	{ 0 },
};

static const struct argp child = { child_options, NULL, NULL, NULL, NULL, NULL, NULL };

static const struct argp_child children[] = { { &child, 0, NULL, 0 }, { 0 } };

static const struct argp_option options[] = {
	{ "output", 'o', "FILE", 0, "To FILE", 0 },
	{ "result", 'r', NULL, OPTION_ALIAS, NULL, 0 },
	{ "all", 'a', NULL, 0, "All", 0 },
	{ "color", 'c', "WHEN", OPTION_ARG_OPTIONAL, "When", 0 },
	{ 0 },
};

static const struct argp subject = { options, NULL, NULL, NULL, children, NULL, NULL };

/* Index of the argument that is found; 0: none. */
static int strange(unsigned flags, const char *const words[])
{
	char *argv[8] = { (char *)"allotrope" };
	const char *found;
	int argc = 1;

	while (words[argc - 1]) {
		argv[argc] = (char *)words[argc - 1];
		argc++;
	}
	found = option_names_strange(&subject, flags, argc, argv);
	for (int i = 1; i < argc; i++)
		if (argv[i] == found)
			return i;
	return 0;
}

#define STRANGE(flags, ...) strange(flags, (const char *const[]){ __VA_ARGS__, NULL })

TEST(test_names_with_control_characters_are_found)
{
	assert_int_equal(STRANGE(0, "--al\033[31ml"), 1);
	assert_int_equal(STRANGE(0, "file", "--\302\233"), 2);
	assert_int_equal(STRANGE(0, "-\033"), 1);
	assert_int_equal(STRANGE(0, "-a\177"), 1);
	assert_int_equal(STRANGE(0, "--color", "-\n"), 2);
}

TEST(test_arguments_may_be_anything)
{
	assert_int_equal(STRANGE(0, "--output=\033", "-o\033", "-ao\033", "--all"), 0);
	assert_int_equal(STRANGE(0, "--output", "-\033", "-o", "--\033", "-ao", "-\n"), 0);
	assert_int_equal(STRANGE(0, "--outp", "-\033", "-r", "--\033", "--res", "-\033"), 0);
	assert_int_equal(STRANGE(0, "-t", "-\033", "--top", "-\033"), 0);
	assert_int_equal(STRANGE(0, "\033", "-", "--", "-\033"), 0);
}

TEST(test_what_argp_can_say_is_left_to_it)
{
	assert_int_equal(STRANGE(0, "--none", "-x", "--all=x", "--top"), 0);
}

TEST(test_words_of_the_program_to_be_recorded_are_its_own)
{
	assert_int_equal(STRANGE(ARGP_IN_ORDER, "program", "-\033"), 0);
	assert_int_equal(STRANGE(ARGP_IN_ORDER, "-a", "-\033", "program"), 2);
	assert_int_equal(STRANGE(ARGP_IN_ORDER, "-o", "file", "-\033"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_with_control_characters_are_found),
		cmocka_unit_test(test_arguments_may_be_anything),
		cmocka_unit_test(test_what_argp_can_say_is_left_to_it),
		cmocka_unit_test(test_words_of_the_program_to_be_recorded_are_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
