/*
 * test_stacks.c - the tree of call stacks.
 */
#include "test.h"
#include "trace/stacks.h"

static struct frame pc(uint64_t value)
{
	return (struct frame){ .value = value, .type = FRAME_NATIVE };
}

TEST(test_stacks_same_path_is_same_number)
{
	struct stacks *s = stacks_new();
	stack_id main_fn = stacks_child(s, STACK_NONE, 1, pc(0x10), 5);
	stack_id leaf = stacks_child(s, main_fn, 1, pc(0x20), 6);

	assert_int_equal(stacks_child(s, STACK_NONE, 1, pc(0x10), 9), main_fn);
	assert_int_equal(stacks_child(s, main_fn, 1, pc(0x20), 9), leaf);
	assert_int_equal(stacks_count(s), 2);
	assert_int_equal(stacks_node(s, leaf)->parent, main_fn);
	assert_int_equal(stacks_node(s, leaf)->depth, 2);
	assert_int_equal(stacks_node(s, leaf)->stamp, 6);
	assert_int_equal(stacks_node(s, main_fn)->depth, 1);
	stacks_free(s);
}

TEST(test_stacks_ids_are_dense_from_one)
{
	struct stacks *s = stacks_new();

	assert_int_equal(stacks_count(s), 0);
	for (uint32_t i = 1; i <= 100; i++)
		assert_int_equal(stacks_child(s, i - 1, 1, pc(7), 0), i);
	stacks_free(s);
}

TEST(test_stacks_images_share_no_node)
{
	struct stacks *s = stacks_new();
	stack_id a = stacks_child(s, STACK_NONE, 1, pc(0x10), 0);
	stack_id b = stacks_child(s, STACK_NONE, 2, pc(0x10), 0);

	assert_int_not_equal(a, b);
	assert_int_equal(stacks_node(s, b)->image, 2);
	stacks_free(s);
}

TEST(test_stacks_frame_types_are_told_apart)
{
	struct stacks *s = stacks_new();
	struct frame truncated = { .value = SPECIAL_TRUNCATED, .type = FRAME_SPECIAL };
	stack_id a = stacks_child(s, STACK_NONE, 1, pc(SPECIAL_TRUNCATED), 0);
	stack_id b = stacks_child(s, STACK_NONE, 1, truncated, 0);

	assert_int_not_equal(a, b);
	assert_int_equal(stacks_node(s, b)->type, FRAME_SPECIAL);
	stacks_free(s);
}

TEST(test_stacks_many_nodes_are_all_found_again)
{
	enum { WIDE = 300, DEEP = 300 };
	struct stacks *s = stacks_new();

	for (int round = 0; round < 2; round++) {
		uint32_t expected = 0;

		for (uint64_t i = 0; i < WIDE; i++) {
			stack_id id = STACK_NONE;

			for (uint64_t k = 0; k < DEEP; k++) {
				id = stacks_child(s, id, 1, pc(0x400000 + i * 16), k);
				assert_int_equal(id, ++expected);
			}
		}
	}
	assert_int_equal(stacks_count(s), WIDE * DEEP);
	stacks_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stacks_same_path_is_same_number),
		cmocka_unit_test(test_stacks_ids_are_dense_from_one),
		cmocka_unit_test(test_stacks_images_share_no_node),
		cmocka_unit_test(test_stacks_frame_types_are_told_apart),
		cmocka_unit_test(test_stacks_many_nodes_are_all_found_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
