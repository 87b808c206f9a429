/* test_sitegroups.c - sites of one name and kind are one group. */
#include "model/sitegroups.h"

#include "fixture/story.h"

#include "test.h"

/* Stacks 1..9 are of "small", 10..19 of "large"; the others are unknown. */
static const char *name_of(stack_id stack, enum alloc_kind kind, void *ctx)
{
	(void)kind;
	(void)ctx;
	return stack < 10 ? "small" : stack < 20 ? "large" : NULL;
}

static const struct site_naming naming = { name_of, NULL };

TEST(test_sitegroups_add_up_what_has_one_name)
{
	struct story *s = story_new(0);
	struct sitegroups *g;

	story_alloc(s, 0, 1, 0x1000, 10, 3);
	story_alloc(s, 0, 2, 0x2000, 20, 4);
	story_alloc(s, 0, 3, 0x3000, 500, 10);
	story_alloc(s, 0, 4, 0x4000, 20, 4);
	story_alloc(s, 0, 5, 0x5000, 1, 30);
	story_alloc(s, 0, 6, 0x6000, 1, STACK_NONE);
	story_syscall(s, 0, 7, SYS_MEM_mmap, STORY_ARGS(0, 4096, 3, 0x22), 0x70000, 0, 3);
	g = sitegroups_new(story_end(s, 1), &naming, NULL);
	assert_int_equal(g->count, 4);
	assert_string_equal(g->items[0].name, "small");
	assert_int_equal(g->items[0].total.blocks, 3);
	assert_int_equal(g->items[0].peak.bytes, 50);
	assert_int_equal(g->items[0].stack, 4);
	assert_int_equal(g->items[0].main_size, 20);
	assert_int_equal(g->items[0].main_blocks, 2);
	assert_string_equal(g->items[1].name, "large");
	assert_string_equal(g->items[2].name, "unknown code");
	assert_int_equal(g->items[2].total.blocks, 2);
	assert_string_equal(g->items[3].name, "small");
	assert_int_equal(g->items[3].kind, KIND_MAPPING);
	sitegroups_free(g);
	story_free(s);
}

TEST(test_sitegroups_without_names_are_one_unknown_group_a_kind)
{
	struct story *s = story_new(0);
	struct sitegroups *g;

	story_alloc(s, 0, 1, 0x1000, 10, 3);
	story_alloc(s, 0, 2, 0x2000, 10, 13);
	g = sitegroups_new(story_end(s, 1), NULL, NULL);
	assert_int_equal(g->count, 1);
	assert_string_equal(g->items[0].name, "unknown code");
	sitegroups_free(g);
	story_free(s);
}

TEST(test_sitegroups_of_an_empty_heap_are_none)
{
	struct story *s = story_new(0);
	struct sitegroups *g = sitegroups_new(story_end(s, 1), &naming, NULL);

	assert_int_equal(g->count, 0);
	sitegroups_free(g);
	story_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sitegroups_add_up_what_has_one_name),
		cmocka_unit_test(test_sitegroups_without_names_are_one_unknown_group_a_kind),
		cmocka_unit_test(test_sitegroups_of_an_empty_heap_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
