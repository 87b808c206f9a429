/* test_sitetable.c - one site per image, stack and kind, whoever asks first. */
#include "model/sitetable.h"

#include "test.h"

TEST(test_sitetable_same_stack_gives_the_same_site)
{
	struct site_index index = { 0 };
	struct sitetable t = { .index = &index };
	struct heap heap = { 0 };
	site_id first = sitetable_get(&t, &heap, 5, KIND_HEAP);

	assert_int_equal(sitetable_get(&t, &heap, 100000, KIND_HEAP), first + 1);
	assert_int_equal(sitetable_get(&t, &heap, 5, KIND_HEAP), first);
	assert_int_equal(heap.site_count, 2);
	assert_int_equal(heap.sites[first].stack, 5);
	sitetable_release(&t, &heap);
	site_index_release(&index);
}

TEST(test_sitetable_kinds_of_one_stack_are_two_sites)
{
	struct site_index index = { 0 };
	struct sitetable t = { .index = &index };
	struct heap heap = { 0 };
	site_id mapping = sitetable_get(&t, &heap, 5, KIND_MAPPING);
	site_id block = sitetable_get(&t, &heap, 5, KIND_HEAP);

	assert_int_not_equal(mapping, block);
	assert_int_equal(sitetable_get(&t, &heap, 5, KIND_MAPPING), mapping);
	assert_int_equal(sitetable_get(&t, &heap, 5, KIND_HEAP), block);
	assert_int_equal(heap.sites[mapping].kind, KIND_MAPPING);
	sitetable_release(&t, &heap);
	site_index_release(&index);
}

TEST(test_sitetable_stack_of_another_image_has_a_site_of_its_own)
{
	struct site_index index = { 0 };
	struct sitetable parent = { .index = &index }, child = { .index = &index };
	struct heap of_parent = { 0 }, of_child = { 0 };
	site_id p, c, empty;

	sitetable_get(&parent, &of_parent, 8, KIND_HEAP);
	p = sitetable_get(&parent, &of_parent, 9, KIND_HEAP);
	sitetable_get(&child, &of_child, 1, KIND_HEAP);
	sitetable_get(&child, &of_child, 2, KIND_HEAP);
	sitetable_get(&child, &of_child, 3, KIND_HEAP);
	c = sitetable_get(&child, &of_child, 9, KIND_HEAP);
	assert_int_equal(of_child.sites[c].stack, 9);
	assert_int_equal(sitetable_get(&child, &of_child, 9, KIND_HEAP), c);
	assert_int_equal(sitetable_get(&parent, &of_parent, 9, KIND_HEAP), p);
	empty = sitetable_get(&child, &of_child, STACK_NONE, KIND_HEAP);
	assert_int_equal(sitetable_get(&child, &of_child, STACK_NONE, KIND_HEAP), empty);
	assert_int_equal(of_child.site_count, 5);
	sitetable_release(&parent, &of_parent);
	sitetable_release(&child, &of_child);
	site_index_release(&index);
}

TEST(test_sitetable_empty_stack_has_one_site_for_each_kind_and_image)
{
	struct site_index index = { 0 };
	struct sitetable a = { .index = &index }, b = { .index = &index };
	struct heap of_a = { 0 }, of_b = { 0 };
	site_id first = sitetable_get(&a, &of_a, STACK_NONE, KIND_HEAP);

	assert_int_not_equal(sitetable_get(&a, &of_a, STACK_NONE, KIND_MAPPING), first);
	assert_int_equal(sitetable_find(&a, &of_a, STACK_NONE, KIND_HEAP), first);
	assert_int_equal(sitetable_get(&a, &of_a, STACK_NONE, KIND_HEAP), first);
	assert_int_equal(of_a.site_count, 2);
	sitetable_get(&b, &of_b, 7, KIND_HEAP);
	assert_int_equal(sitetable_get(&b, &of_b, STACK_NONE, KIND_HEAP), 1);
	assert_int_equal(of_b.sites[1].stack, STACK_NONE);
	sitetable_release(&a, &of_a);
	sitetable_release(&b, &of_b);
	site_index_release(&index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sitetable_same_stack_gives_the_same_site),
		cmocka_unit_test(test_sitetable_kinds_of_one_stack_are_two_sites),
		cmocka_unit_test(test_sitetable_stack_of_another_image_has_a_site_of_its_own),
		cmocka_unit_test(test_sitetable_empty_stack_has_one_site_for_each_kind_and_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
