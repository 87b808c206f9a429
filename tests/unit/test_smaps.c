/*
 * test_smaps.c - the text of /proc/PID/smaps.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "trace/smaps.h"

static const char text[] =
	"55d0c0a00000-55d0c0a21000 rw-p 00001000 fe:01 77      /usr/bin/a b (deleted)\n"
	"Size:                132 kB\n"
	"Rss:                  20 kB\n"
	"Private_Dirty:        16 kB\n"
	"Private_Clean:         4 kB\n"
	"NewField:            999 kB\n"
	"VmFlags: rd wr mr mw me ac\n"
	"7f0000000000-7f0000100000 ---s 00000000 00:00 0 \n"
	"Rss:                   0 kB\n"
	"Swap:                 12 kB\n";

TEST(test_rows_have_what_the_kernel_says)
{
	struct smaps *s = smaps_parse(text, sizeof(text) - 1);

	assert_int_equal(s->count, 2);
	assert_int_equal(s->rows[0].start, 0x55d0c0a00000);
	assert_int_equal(s->rows[0].size, 132 * 1024);
	assert_int_equal(s->rows[0].offset, 0x1000);
	assert_int_equal(s->rows[0].major, 0xfe);
	assert_int_equal(s->rows[0].inode, 77);
	assert_int_equal(s->rows[0].prot, PROT_READ | PROT_WRITE);
	assert_false(s->rows[0].is_shared);
	assert_string_equal(s->rows[0].name, "/usr/bin/a b (deleted)");
	assert_int_equal(s->rows[0].rss, 20 * 1024);
	assert_int_equal(s->rows[0].private_dirty, 16 * 1024);
	assert_int_equal(s->rows[0].private_clean, 4 * 1024);
	assert_true(s->rows[1].is_shared);
	assert_int_equal(s->rows[1].prot, 0);
	assert_string_equal(s->rows[1].name, "");
	assert_int_equal(s->rows[1].swap, 12 * 1024);
	smaps_free(s);
}

TEST(test_an_address_is_found_in_its_row_only)
{
	struct smaps *s = smaps_parse(text, sizeof(text) - 1);

	assert_ptr_equal(smaps_find(s, 0x55d0c0a00000), &s->rows[0]);
	assert_ptr_equal(smaps_find(s, 0x55d0c0a20fff), &s->rows[0]);
	assert_null(smaps_find(s, 0x55d0c0a21000));
	assert_null(smaps_find(s, 0));
	assert_ptr_equal(smaps_find(s, 0x7f00000fffff), &s->rows[1]);
	assert_null(smaps_find(s, UINT64_MAX));
	smaps_free(s);
}

TEST(test_nonsense_is_passed_over)
{
	static const char bad[] = "Rss: 5 kB\nzzz\n1-\n-\n9-3 rw-p 0 0:0 0\nabc\nff-\nRss:";
	struct smaps *s = smaps_parse(bad, sizeof(bad) - 1);

	assert_int_equal(s->count, 0);
	smaps_free(s);
	s = smaps_parse("", 0);
	assert_int_equal(s->count, 0);
	assert_null(smaps_find(s, 1));
	smaps_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_have_what_the_kernel_says),
		cmocka_unit_test(test_an_address_is_found_in_its_row_only),
		cmocka_unit_test(test_nonsense_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
