/*
 * test_proc_maps.c - lines of /proc/self/maps, given and real.
 */
#include "test.h"

#include <string.h>
#include <sys/mman.h>

#include "proc_maps.h"

TEST(test_maps_line_of_a_file_is_parsed)
{
	char text[] = "55d0c0a00000-55d0c0a21000 r-xs 00001000 08:01 1234"
		      "                       /usr/lib/a b.so (deleted)";
	struct maps_line line;

	assert_true(maps_parse(text, &line));
	assert_int_equal(line.start, 0x55d0c0a00000);
	assert_int_equal(line.end, 0x55d0c0a21000);
	assert_int_equal(line.prot, PROT_READ | PROT_EXEC);
	assert_true(line.is_shared);
	assert_int_equal(line.inode, 1234);
	assert_string_equal(line.name, "/usr/lib/a b.so (deleted)");
}

TEST(test_maps_line_of_anonymous_memory_has_no_name)
{
	char text[] = "7f0000000000-7f0000001000 rw-p 00000000 00:00 0 ";
	struct maps_line line;

	assert_true(maps_parse(text, &line));
	assert_false(line.is_shared);
	assert_string_equal(line.name, "");
}

TEST(test_maps_line_cut_anywhere_does_not_crash)
{
	const char whole[] = "7f0000000000-7f0000001000 rw-p 00000000 00:00 0 x";
	struct maps_line line;
	char text[sizeof(whole)];

	for (size_t cut = 0; cut < 40; cut++) {
		memcpy(text, whole, sizeof(whole));
		text[cut] = '\0';
		assert_false(maps_parse(text, &line));
	}
}

TEST(test_maps_reader_finds_a_mapping_with_many_others)
{
	struct maps_reader reader;
	struct maps_line line;
	unsigned found = 0, count = 0;
	char *pages[300];
	uint64_t last = 0;

	for (unsigned i = 0; i < 300; i++)
		pages[i] = mmap(NULL, 4096, i & 1 ? PROT_READ : PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(maps_open(&reader));
	while (maps_next(&reader, &line)) {
		assert_true(line.start >= last);
		last = line.end;
		count++;
		for (unsigned i = 0; i < 300; i++)
			found += (uint64_t)(uintptr_t)pages[i] >= line.start &&
				 (uint64_t)(uintptr_t)pages[i] < line.end;
	}
	maps_close(&reader);
	for (unsigned i = 0; i < 300; i++)
		munmap(pages[i], 4096);
	assert_int_equal(found, 300);
	assert_true(count > 150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_maps_line_of_a_file_is_parsed),
		cmocka_unit_test(test_maps_line_of_anonymous_memory_has_no_name),
		cmocka_unit_test(test_maps_line_cut_anywhere_does_not_crash),
		cmocka_unit_test(test_maps_reader_finds_a_mapping_with_many_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
