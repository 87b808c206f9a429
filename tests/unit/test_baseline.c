/* test_baseline.c - the text in which figures are kept. */
#include "forms/baseline.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

static const char text[] =
	"# allotrope baseline 1\n"
	"\n"
	"# a comment\n"
	"sampling 524288\n"
	"all\n"
	"program jq\n"
	"  peak_bytes 481234\r\n"
	"blocks 12\n"
	"site 262144 3 jv_parser_new(int, char)\n"
	"site 10 1 [libc.so.6]\n"
	"program a name with spaces\n"
	"end_blocks 0\n";

TEST(test_text_is_read)
{
	struct baseline b = { 0 };
	const struct baseline_program *p;

	assert_int_equal(baseline_parse(&b, text, strlen(text), "f", NULL), 0);
	assert_int_equal(b.sampling_bytes, 524288);
	assert_int_equal(b.count, 2);
	p = baseline_find(&b, "jq");
	assert_non_null(p);
	assert_true(b.is_all);
	assert_int_equal(p->line, 6);
	assert_true(p->has[FIGURE_PEAK_BYTES] && p->has[FIGURE_BLOCKS]);
	assert_false(p->has[FIGURE_END_BYTES]);
	assert_int_equal(p->figures[FIGURE_PEAK_BYTES], 481234);
	assert_int_equal(p->lines[FIGURE_PEAK_BYTES], 7);
	assert_int_equal(p->site_count, 2);
	assert_string_equal(p->sites[0].function, "jv_parser_new(int, char)");
	assert_int_equal(p->sites[0].peak.bytes, 262144);
	assert_int_equal(p->sites[0].peak.blocks, 3);
	assert_non_null(baseline_find(&b, "a name with spaces"));
	assert_null(baseline_find(&b, "j"));
	baseline_release(&b);
}

TEST(test_what_is_written_is_read_again)
{
	struct baseline b = { 0 }, again = { 0 };
	char *first = NULL, *second = NULL;
	size_t bytes;
	FILE *out;

	assert_int_equal(baseline_parse(&b, text, strlen(text), "f", NULL), 0);
	out = open_memstream(&first, &bytes);
	baseline_print(&b, out);
	fclose(out);
	assert_int_equal(baseline_parse(&again, first, bytes, "g", NULL), 0);
	out = open_memstream(&second, &bytes);
	baseline_print(&again, out);
	fclose(out);
	assert_string_equal(first, second);
	assert_non_null(strstr(first, "\nprogram jq\npeak_bytes 481234\nblocks 12\n"
				      "site 262144 3 jv_parser_new(int, char)\nsite 10 1 [libc.so.6]\n"));
	baseline_release(&b);
	baseline_release(&again);
	free(first);
	free(second);
}

static void refused(const char *wrong, const char *reason)
{
	struct baseline b = { 0 };
	struct diag d = { 0 };

	assert_int_equal(baseline_parse(&b, wrong, strlen(wrong), "f", &d), -1);
	assert_int_equal(d.status, STATUS_USAGE);
	assert_string_equal(d.text, reason);
	baseline_release(&b);
}

#define HEAD "# allotrope baseline 1\n"

TEST(test_wrong_lines_are_named)
{
	refused("", "'f', line 1: no baseline: it begins with '# allotrope baseline 1'");
	refused("program jq\n", "'f', line 1: no baseline: it begins with '# allotrope baseline 1'");
	refused("# allotrope baseline 2\n",
		"'f', line 1: a version of baselines that is not known here; this one is 1: "
		"'# allotrope baseline 2'");
	refused("# allotrope baseline x\n", "'f', line 1: no version: '# allotrope baseline x'");
	refused(HEAD, "'f', line 1: no program in it: is it cut off?");
	refused(HEAD "peak_bytes 1\n", "'f', line 2: expected 'program NAME' first: 'peak_bytes 1'");
	refused(HEAD "program\n", "'f', line 2: program without a name");
	refused(HEAD "program a\nprogram a\n", "'f', line 3: this program stands there twice: 'a'");
	refused(HEAD "program a\npeak_bytes -1\n",
		"'f', line 3: expected a name and a number: 'peak_bytes -1'");
	refused(HEAD "program a\npeak_bytes 1 2\n",
		"'f', line 3: expected a name and a number: 'peak_bytes 1 2'");
	refused(HEAD "program a\npeak_bytes 99999999999999999999\n",
		"'f', line 3: expected a name and a number: 'peak_bytes 99999999999999999999'");
	refused(HEAD "program a\npeak_bytes 1\npeak_bytes 1\n",
		"'f', line 4: this figure stands there twice: 'peak_bytes 1'");
	refused(HEAD "program a\npeak_byte 1\n", "'f', line 3: no figure of a baseline: 'peak_byte 1'");
	refused(HEAD "program a\nsite 1 f\n",
		"'f', line 3: expected 'site BYTES BLOCKS FUNCTION': 'site 1 f'");
	refused(HEAD "program a\nsite 1 2\n",
		"'f', line 3: expected 'site BYTES BLOCKS FUNCTION': 'site 1 2'");
	refused(HEAD "sampling many\n", "'f', line 2: expected 'sampling BYTES': 'sampling many'");
	refused(HEAD "program a\nall\n", "'f', line 3: no figure of a baseline: 'all'");
	refused(HEAD "program a\nsampling 1\n", "'f', line 3: no figure of a baseline: 'sampling 1'");
}

TEST(test_figures_have_their_names)
{
	for (int f = 0; f < FIGURE_COUNT; f++) {
		const char *key = figure_key((enum figure)f);

		assert_int_equal(figure_find(key, strlen(key)), f);
	}
	assert_int_equal(figure_find("peak_bytes", 4), FIGURE_COUNT);
	assert_true(figure_is_bytes(FIGURE_BYTES));
	assert_false(figure_is_bytes(FIGURE_BLOCKS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_is_read),
		cmocka_unit_test(test_what_is_written_is_read_again),
		cmocka_unit_test(test_wrong_lines_are_named),
		cmocka_unit_test(test_figures_have_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
