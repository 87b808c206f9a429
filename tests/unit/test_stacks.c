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

/* Calls of one function from many places: ids in the order of first use, whatever comes between. */
TEST(test_stacks_wide_nodes_find_each_child_again)
{
	enum { PARENTS = 3, WIDE = 5000 };
	struct stacks *s = stacks_new();
	stack_id parents[PARENTS], children[PARENTS][WIDE];
	uint64_t at = 1;

	for (int p = 0; p < PARENTS; p++)
		parents[p] = stacks_child(s, STACK_NONE, 1, pc(p), 0);
	for (int i = 0; i < WIDE; i++) {
		for (int p = 0; p < PARENTS; p++) {
			children[p][i] = stacks_child(s, parents[p], 1, pc(i), 0);
			assert_int_equal(children[p][i], PARENTS + i * PARENTS + p + 1);
			/* any of those so far, the first ones included */
			at = (at * 2862933555777941757u + 3037000493u) >> 1;
			assert_int_equal(stacks_child(s, parents[p], 1, pc(at % (i + 1)), 0),
					 children[p][at % (i + 1)]);
		}
	}
	assert_int_equal(stacks_count(s), PARENTS + PARENTS * WIDE);
	for (int p = 0; p < PARENTS; p++) {
		for (int i = 0; i < WIDE; i++) {
			const struct stack_node *n = stacks_node(s, children[p][i]);

			assert_int_equal(n->parent, parents[p]);
			assert_int_equal(n->value, i);
			assert_int_equal(n->depth, 2);
			assert_int_equal(stacks_child(s, parents[p], 1, pc(i), 9), children[p][i]);
		}
	}
	stacks_free(s);
}

TEST(test_stacks_children_of_a_wide_node_are_told_apart_by_all_they_differ_in)
{
	struct stacks *s = stacks_new();
	struct frame special = { .value = 3, .type = FRAME_SPECIAL };

	for (uint64_t i = 0; i < 20; i++)
		stacks_child(s, STACK_NONE, 1, pc(i), 0);
	assert_int_equal(stacks_child(s, STACK_NONE, 1, pc(3), 0), 4);
	assert_int_equal(stacks_child(s, STACK_NONE, 2, pc(3), 0), 21);
	assert_int_equal(stacks_child(s, STACK_NONE, 1, special, 0), 22);
	assert_int_equal(stacks_child_of(s, STACK_NONE, 1, pc(3), 0, 1), 23);
	assert_int_equal(stacks_child(s, STACK_NONE, 2, pc(3), 0), 21);
	assert_int_equal(stacks_child(s, STACK_NONE, 1, special, 0), 22);
	assert_int_equal(stacks_child_of(s, STACK_NONE, 1, pc(3), 0, 1), 23);
	assert_int_equal(stacks_child(s, STACK_NONE, 1, pc(3), 0), 4);
	assert_int_equal(stacks_count(s), 23);
	stacks_free(s);
}

/* Lists put the last used child in front: no order of use may lose one. */
TEST(test_stacks_few_children_in_any_order_stay_the_same)
{
	struct stacks *s = stacks_new();
	uint64_t at = 7;

	for (uint64_t i = 0; i < 8; i++)
		assert_int_equal(stacks_child(s, STACK_NONE, 1, pc(i), 0), i + 1);
	for (int i = 0; i < 1000; i++) {
		at = (at * 2862933555777941757u + 3037000493u) >> 1;
		assert_int_equal(stacks_child(s, STACK_NONE, 1, pc(at % 8), 0), at % 8 + 1);
	}
	assert_int_equal(stacks_count(s), 8);
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
		cmocka_unit_test(test_stacks_wide_nodes_find_each_child_again),
		cmocka_unit_test(test_stacks_children_of_a_wide_node_are_told_apart_by_all_they_differ_in),
		cmocka_unit_test(test_stacks_few_children_in_any_order_stay_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
