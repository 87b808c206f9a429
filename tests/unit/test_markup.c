/*
 * test_markup.c - names from a program in XML and HTML.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/markup.h"

static void assert_markup(const char *text, const char *expected)
{
	char *got = NULL;
	size_t bytes;
	FILE *out = open_memstream(&got, &bytes);

	markup_put(out, text);
	fclose(out);
	assert_string_equal(got, expected);
	free(got);
}

TEST(test_markup_is_only_text)
{
	assert_markup("operator<< <T&>(\"a\", 'b')",
		      "operator&lt;&lt; &lt;T&amp;&gt;(&quot;a&quot;, &#39;b&#39;)");
	assert_markup("</title><script>alert(1)</script>",
		      "&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;");
	assert_markup("]]>", "]]&gt;");
	assert_markup("", "");
}

TEST(test_characters_that_xml_forbids_do_not_arrive)
{
	assert_markup("a\x01" "b\x1b[2J", "a\\x01b\\x1b[2J");
	assert_markup("a\xff" "b", "a\\xffb");
	assert_markup("a\xef\xbf\xbe" "b\xef\xbf\xbf", "a\xef\xbf\xbd" "b\xef\xbf\xbd");
	assert_markup("\xc3\xa4\xef\xbf\xbd", "\xc3\xa4\xef\xbf\xbd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_markup_is_only_text),
		cmocka_unit_test(test_characters_that_xml_forbids_do_not_arrive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
