/*
 * test_config.c - the environment variables of a bare run.
 */
#include <string.h>

#include "config.h"
#include "test.h"

TEST(test_stacks_of_system_calls_are_asked_for_by_a_word)
{
	char *const env[] = { "ALLOTROPE_SYSCALLS=stacks", NULL };
	struct config c;

	config_read(&c, env);
	assert_int_equal(c.options.syscalls, SYSCALLS_STACKS);
}

TEST(test_config_empty_environment_gives_the_documented_defaults)
{
	struct config c;

	config_read(&c, NULL);
	assert_null(c.ring);
	assert_string_equal(c.out, "allotrope.%p.ring");
	assert_true(c.size == 64ull << 30);
	assert_int_equal(c.options.depth, 1024);
	assert_int_equal(c.options.when_full, WHEN_FULL_DROP);
	assert_int_equal(c.options.syscalls, SYSCALLS_EXACT);
	assert_int_equal(c.options.follow, FOLLOW_TREE);
	assert_int_equal(c.options.callgraph, CALLGRAPH_CFI);
	assert_int_equal(c.options.bare, 1);
	assert_int_equal(c.options.look_at_free, 1);
	assert_false(c.verbose);
}

TEST(test_config_every_variable_reaches_its_option)
{
	char *const env[] = {
		"HOME=/", "ALLOTROPE_OUT=/tmp/%p", "ALLOTROPE_SIZE=3M", "ALLOTROPE_SYSCALLS=off",
		"ALLOTROPE_FOLLOW=no", "ALLOTROPE_CALL_GRAPH=libunwind", "ALLOTROPE_DEPTH=7",
		"ALLOTROPE_FREE_STACKS=1", "ALLOTROPE_TIMING=all", "ALLOTROPE_CHECK_STACKS=5",
		"ALLOTROPE_WHEN_FULL=overwrite", "ALLOTROPE_SAMPLE=512K", "ALLOTROPE_TOUCHED=0",
		"ALLOTROPE_VERBOSE=1", "ALLOTROPE_RING=/r", NULL,
	};
	struct config c;

	config_read(&c, env);
	assert_string_equal(c.out, "/tmp/%p");
	assert_string_equal(c.ring, "/r");
	assert_int_equal(c.size, 3 << 20);
	assert_int_equal(c.options.syscalls, SYSCALLS_OFF);
	assert_int_equal(c.options.follow, FOLLOW_NO);
	assert_int_equal(c.options.callgraph, CALLGRAPH_LIBUNWIND);
	assert_int_equal(c.options.depth, 7);
	assert_int_equal(c.options.free_stacks, 1);
	assert_int_equal(c.options.look_at_free, 0);
	assert_int_equal(c.options.timing_all, 1);
	assert_int_equal(c.options.check_stacks, 5);
	assert_int_equal(c.options.sample_bytes, 512 << 10);
	assert_int_equal(c.options.when_full, WHEN_FULL_OVERWRITE);
	assert_true(c.verbose);
}

TEST(test_config_value_that_is_not_understood_leaves_the_default)
{
	char *const env[] = {
		"ALLOTROPE_DEPTH=0", "ALLOTROPE_DEPTH=5000", "ALLOTROPE_DEPTH=12x",
		"ALLOTROPE_DEPTH=99999999999999999999999", "ALLOTROPE_SIZE=0", "ALLOTROPE_SIZE=-1",
		"ALLOTROPE_SIZE=99999999999999G", "ALLOTROPE_SYSCALLS=maybe", "ALLOTROPE_RING=",
		"ALLOTROPE_FREE_STACKS=", "ALLOTROPE_DEPTHS=3", "ALLOTROPE_", "ALLOTROPE_DEPTH",
		"ALLOTROPE_SAMPLE=1023", "ALLOTROPE_SAMPLE=2G", "ALLOTROPE_SAMPLE=x", NULL,
	};
	struct config c, defaults;

	config_read(&defaults, NULL);
	config_read(&c, env);
	assert_memory_equal(&c, &defaults, sizeof(c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config_empty_environment_gives_the_documented_defaults),
		cmocka_unit_test(test_config_every_variable_reaches_its_option),
		cmocka_unit_test(test_stacks_of_system_calls_are_asked_for_by_a_word),
		cmocka_unit_test(test_config_value_that_is_not_understood_leaves_the_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
