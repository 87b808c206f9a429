/*
 * Where the library is found. The test is its own subject: a copy of it runs in a
 * directory that looks like a build tree or an installation, and prints the path.
 */
#include "cli/preload_path.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static char directory[] = "/tmp/test_preload_path.XXXXXX";

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static void shell(const char *format, const char *a, const char *b)
{
	char command[1024];

	snprintf(command, sizeof(command), format, a, b);
	assert_int_equal(system(command), 0);
}

static int tear_down(void **state)
{
	(void)state;
	shell("rm -rf '%s'", directory, "");
	return 0;
}

/* A copy of this program in FOLDER of the directory; what it prints, without the line end. */
static int run_copy(const char *folder, char *output, size_t bytes)
{
	char command[512];
	FILE *p;

	shell("mkdir -p '%s/%s'", directory, folder);
	snprintf(command, sizeof(command), "cp /proc/%d/exe '%s/%s/prog'", getpid(), directory, folder);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof(command), "'%s/%s/prog' print", directory, folder);
	p = popen(command, "r");
	assert_non_null(p);
	*output = '\0';
	if (fgets(output, (int)bytes, p))
		output[strcspn(output, "\n")] = '\0';
	return WEXITSTATUS(pclose(p));
}

static void make_library(const char *place)
{
	shell("mkdir -p '%s/%s'", directory, place);
	shell("touch '%s/%s/" LIBRARY_NAME "'", directory, place);
}

TEST(test_preload_path_finds_the_library_beside_the_executable)
{
	char output[PATH_MAX], expected[256];

	make_library("build");
	assert_int_equal(run_copy("build", output, sizeof(output)), 0);
	snprintf(expected, sizeof(expected), "%s/build/" LIBRARY_NAME, directory);
	assert_string_equal(output, expected);
}

TEST(test_preload_path_finds_the_installed_library)
{
	char output[PATH_MAX], expected[256];

	make_library("usr/lib/allotrope");
	assert_int_equal(run_copy("usr/bin", output, sizeof(output)), 0);
	snprintf(expected, sizeof(expected), "%s/usr/lib/allotrope/" LIBRARY_NAME, directory);
	assert_string_equal(output, expected);
}

TEST(test_preload_path_without_the_library_names_the_places)
{
	char output[PATH_MAX];

	assert_int_equal(run_copy("nothing", output, sizeof(output)), STATUS_IO);
	assert_non_null(strstr(output, "/nothing/" LIBRARY_NAME));
	assert_non_null(strstr(output, "../lib/allotrope/"));
}

TEST(test_preload_path_with_a_space_or_colon_becomes_a_link_that_is_removed)
{
	char output[PATH_MAX];

	make_library("a b:c");
	assert_int_equal(run_copy("a b:c", output, sizeof(output)), 0);
	assert_null(strpbrk(output, " :"));
	/* the copy checked that it led to the library, and has removed it */
	assert_int_equal(access(output, F_OK), -1);
}

/* The subject: print what was found; the reason where nothing was. */
static int print_path(void)
{
	struct preload_path p;
	struct diag d = { 0 };
	int readable;

	if (preload_path_init(&p, &d) != 0) {
		puts(d.text);
		return d.status;
	}
	readable = access(p.path, R_OK);
	puts(p.path);
	preload_path_release(&p);
	return readable;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_preload_path_finds_the_library_beside_the_executable),
		cmocka_unit_test(test_preload_path_finds_the_installed_library),
		cmocka_unit_test(test_preload_path_without_the_library_names_the_places),
		cmocka_unit_test(test_preload_path_with_a_space_or_colon_becomes_a_link_that_is_removed),
	};

	if (argc == 2 && strcmp(argv[1], "print") == 0)
		return print_path();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
