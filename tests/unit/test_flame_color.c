/*
 * test_flame_color.c - colours say whose code it is, and dark text reads on all of them.
 */
#include "test.h"

#include <math.h>
#include <stdio.h>

#include "forms/flame_color.h"

static enum flame_owner owner(const char *module, const char *function, const char *file)
{
	struct symbol_frame f = { .module = module, .function = function, .file = file };

	return flame_owner_of(&f, "/usr/bin/prog");
}

TEST(test_owner_is_that_of_the_object)
{
	assert_int_equal(owner("/usr/bin/prog", "main", NULL), FLAME_PROGRAM);
	assert_int_equal(owner("/usr/lib/libq.so.1", "f", NULL), FLAME_LIBRARY);
	assert_int_equal(owner("/usr/lib/libcurl.so.4", "f", NULL), FLAME_LIBRARY);
	assert_int_equal(owner("/lib/x86_64-linux-gnu/libc.so.6", "getline", NULL), FLAME_LIBC);
	assert_int_equal(owner("/lib64/ld-linux-x86-64.so.2", "_dl_init", NULL), FLAME_LIBC);
	assert_int_equal(owner("/usr/lib/libstdc++.so.6", "f", NULL), FLAME_CXX);
	assert_int_equal(owner("/usr/bin/python3.11", "PyList_New", NULL), FLAME_INTERPRETER);
	assert_int_equal(owner("/usr/lib/libpython3.11.so.1.0", "PyList_New", NULL), FLAME_INTERPRETER);
	assert_int_equal(owner("/usr/bin/perl", "Perl_more_bodies", NULL), FLAME_INTERPRETER);
	assert_int_equal(owner("/usr/bin/shred", "main", NULL), FLAME_LIBRARY);
	assert_int_equal(owner(NULL, NULL, NULL), FLAME_UNKNOWN);
	assert_int_equal(owner(NULL, "[truncated: depth limit]", NULL), FLAME_UNKNOWN);
}

TEST(test_owner_is_that_of_the_source_where_it_tells_more)
{
	assert_int_equal(owner("/usr/bin/prog", "std::vector<int>::push_back(int&&)",
			       "/usr/include/c++/12/bits/stl_vector.h"), FLAME_CXX);
	assert_int_equal(owner("/usr/bin/python3.11", "load", "/srv/app/load.py"), FLAME_SCRIPT);
	assert_int_equal(owner(NULL, "load", "app.js"), FLAME_SCRIPT);
}

static double linear(uint32_t channel)
{
	double c = channel / 255.0;

	return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

/* https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio */
static double luminance(uint32_t rgb)
{
	return 0.2126 * linear(rgb >> 16) + 0.7152 * linear(rgb >> 8 & 255) + 0.0722 * linear(rgb & 255);
}

TEST(test_text_has_contrast_on_every_colour)
{
	double text = luminance(0x1b1d21);
	char function[16], module[16];

	for (enum flame_owner o = 0; o < FLAME_OWNERS; o++)
		for (int i = 0; i < 500; i++) {
			struct symbol_frame f = { .function = function, .module = module };

			snprintf(function, sizeof(function), "f%d", i);
			snprintf(module, sizeof(module), "m%d", i % 20);
			assert_true((luminance(flame_color(&f, o)) + 0.05) / (text + 0.05) >= 7);
		}
}

TEST(test_same_name_has_the_same_colour)
{
	struct symbol_frame a = { .function = "f", .module = "/lib/a.so" }, b = a;

	assert_int_equal(flame_color(&a, FLAME_LIBRARY), flame_color(&b, FLAME_LIBRARY));
	b.line = 7;
	b.module = "/usr/lib/a.so";
	assert_int_equal(flame_color(&a, FLAME_LIBRARY), flame_color(&b, FLAME_LIBRARY));
	assert_int_not_equal(flame_owner_color(FLAME_LIBRARY), flame_owner_color(FLAME_LIBC));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_owner_is_that_of_the_object),
		cmocka_unit_test(test_owner_is_that_of_the_source_where_it_tells_more),
		cmocka_unit_test(test_text_has_contrast_on_every_colour),
		cmocka_unit_test(test_same_name_has_the_same_colour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
