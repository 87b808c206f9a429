/*
 * test_flame_svg.c - boxes upon boxes, drawn.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forms/flame_svg.h"

static char *draw(const struct flame_picture *p, const struct flame_box *boxes, size_t count)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	flame_svg_begin(out, p);
	for (size_t i = 0; i < count; i++)
		flame_svg_box(out, p, &boxes[i]);
	flame_svg_end(out, p);
	fclose(out);
	return text;
}

static void assert_has(const char *text, const char *expected)
{
	if (!strstr(text, expected))
		fail_msg("'%s' is not in:\n%s", expected, text);
}

TEST(test_boxes_are_as_wide_as_their_value_and_stand_on_their_level)
{
	struct flame_picture p = { .title = "t", .subtitle = "s", .width = 1024, .levels = 3, .total = 100 };
	struct flame_box boxes[] = {
		{ .level = 0, .value = 100, .name = "a", .detail = "all", .rgb = 0xffeedd },
		{ .level = 2, .start = 25, .value = 50, .name = "b", .detail = "x\ny", .rgb = 1 },
	};
	char *text = draw(&p, boxes, 2);

	assert_has(text, "<svg x=\"12.00\" y=\"114\" width=\"1000.00\" height=\"18\"><title>a\nall</title>"
		   "<rect width=\"999.30\" height=\"18\" fill=\"#ffeedd\"/></svg>");
	assert_has(text, "<svg x=\"262.00\" y=\"76\" width=\"500.00\" height=\"18\"><title>b\nx\ny</title>"
		   "<rect width=\"499.30\" height=\"18\" fill=\"#000001\"/></svg>");
	free(text);
	p.is_hanging = true;
	text = draw(&p, boxes, 2);
	assert_has(text, "<svg x=\"12.00\" y=\"76\"");
	assert_has(text, "<svg x=\"262.00\" y=\"114\"");
	free(text);
}

TEST(test_texts_are_escaped_wherever_they_stand)
{
	static const char *const notes[] = { "<n>" };
	struct flame_key key = { "<k>", 0 };
	struct flame_picture p = {
		.title = "<t>", .subtitle = "<s>", .keys = &key, .key_count = 1, .notes = notes,
		.note_count = 1, .width = 400, .levels = 1, .total = 1,
	};
	struct flame_box box = { .value = 1, .name = "<a>", .label = "<l>", .detail = "<d>" };
	char *text = draw(&p, &box, 1);

	assert_has(text, "<title>&lt;t&gt;</title>");
	assert_has(text, ">&lt;s&gt;</text>");
	assert_has(text, ">&lt;k&gt;</text>");
	assert_has(text, ">&lt;n&gt;</text>");
	assert_has(text, "<title>&lt;a&gt;\n&lt;d&gt;</title>");
	assert_has(text, ">&lt;l&gt;</text>");
	free(text);
}

TEST(test_long_details_are_whole)
{
	char name[3000];
	struct flame_picture p = { .title = "t", .subtitle = "s", .width = 400, .levels = 1, .total = 1 };
	struct flame_box box = { .value = 1, .name = "a", .detail = name };
	char *text;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	text = draw(&p, &box, 1);
	assert_has(text, name);
	free(text);
}

TEST(test_nothing_has_no_width)
{
	struct flame_picture p = { .title = "t", .subtitle = "s", .width = 400 };

	assert_true(flame_svg_pixels(&p, 0) == 0);
	assert_true(flame_svg_label_room(5) == 0);
	assert_true(flame_svg_label_room(30) > 20);
	assert_true(flame_svg_text_width("") == 0);
	assert_true(flame_svg_text_width("mmmm") > flame_svg_text_width("iiii"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boxes_are_as_wide_as_their_value_and_stand_on_their_level),
		cmocka_unit_test(test_texts_are_escaped_wherever_they_stand),
		cmocka_unit_test(test_long_details_are_whole),
		cmocka_unit_test(test_nothing_has_no_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
