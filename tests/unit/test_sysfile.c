/*
 * test_sysfile.c - small files by raw system calls.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sysfile.h"
#include "test.h"

TEST(test_sysfile_read_fills_at_most_the_buffer_and_terminates_it)
{
	char name[] = "/tmp/allotrope-sysfile-XXXXXX", buffer[6];
	int fd = mkstemp(name);

	assert_int_equal(write(fd, "123456789", 9), 9);
	close(fd);
	assert_int_equal(sysfile_read(name, buffer, sizeof(buffer)), 5);
	assert_string_equal(buffer, "12345");
	unlink(name);
	assert_int_equal(sysfile_read(name, buffer, sizeof(buffer)), -ENOENT);
	assert_string_equal(buffer, "");
}

TEST(test_sysfile_start_time_is_found_behind_any_command_name)
{
	const char *stat = "17 (a) b (c)) S 1 17 17 0 -1 4194304 11 12 13 14 15 16 17 18 20 0 1 0 "
			   "987654 23 24\n";

	struct sysfile_self self;

	assert_true(sysfile_self_parse(&self, stat));
	assert_int_equal(self.start_time, 987654);
	assert_int_equal(self.threads, 1);
	assert_false(sysfile_self_parse(&self, "17 (x) S 1 2"));
	assert_int_equal(self.start_time, 0);
	assert_false(sysfile_self_parse(&self, ""));
	assert_true(sysfile_self(&self));
	assert_true(self.start_time > 0);
	assert_int_equal(self.threads, 1);
}

TEST(test_sysfile_decimal_writes_the_digits_of_any_number)
{
	char text[21], expected[21];
	static const uint64_t numbers[] = { 0, 9, 10, 4294967296u, UINT64_MAX };

	for (size_t i = 0; i < 5; i++) {
		char *end = sysfile_decimal(text, numbers[i]);

		snprintf(expected, sizeof(expected), "%llu", (unsigned long long)numbers[i]);
		assert_string_equal(text, expected);
		assert_ptr_equal(end, text + strlen(expected));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sysfile_read_fills_at_most_the_buffer_and_terminates_it),
		cmocka_unit_test(test_sysfile_start_time_is_found_behind_any_command_name),
		cmocka_unit_test(test_sysfile_decimal_writes_the_digits_of_any_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
