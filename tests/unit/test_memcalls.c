/* test_memcalls.c - the break, the allocator's mappings and the program's own. */
#include "model/memcalls.h"

#include <sys/mman.h>

#include "fixture/story.h"

#include "test.h"

#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)
#define PAGE 4096

static const struct change *do_mmap(struct story *s, uint64_t stamp, uint64_t addr,
				    uint64_t bytes, uint64_t flags, int64_t result,
				    unsigned how)
{
	return story_syscall(s, 0, stamp, SYS_MEM_mmap,
			     STORY_ARGS(addr, bytes, 3, flags, UINT64_MAX, 0), result, how, 7);
}

static const struct change *do_munmap(struct story *s, uint64_t stamp, uint64_t addr,
				      uint64_t bytes, int64_t result, unsigned how)
{
	return story_syscall(s, 0, stamp, SYS_MEM_munmap, STORY_ARGS(addr, bytes), result,
			     how, 9);
}

TEST(test_anonymous_mmap_of_the_program_is_an_allocation)
{
	struct story *s = story_new(0);
	const struct change *c = do_mmap(s, 10, 0, 5000, ANONYMOUS, 0x70000, 0);
	const struct heap *h;

	assert_true(c->acquired && !c->has_call);
	assert_int_equal(c->kind, KIND_MAPPING);
	assert_int_equal(c->block.addr, 0x70000);
	assert_int_equal(c->block.size, 2 * PAGE);
	c = do_munmap(s, 20, 0x70000, 5000, 0, 0);
	assert_true(c->released && !c->old_is_partial);
	h = story_end(s, 1);
	assert_int_equal(h->mapped_total.blocks, 1);
	assert_int_equal(h->mapped_live.bytes, 0);
	assert_int_equal(h->mapped_peak.bytes, 2 * PAGE);
	assert_int_equal(h->total.blocks, 0);
	assert_int_equal(story_site(h, 7, KIND_MAPPING)->peak.bytes, 2 * PAGE);
	assert_int_equal(h->syscalls[SYS_MEM_mmap].calls, 1);
	assert_int_equal(h->syscalls[SYS_MEM_munmap].trim_bytes, 2 * PAGE);
	story_free(s);
}

TEST(test_mapping_of_a_file_is_only_a_system_call)
{
	struct story *s = story_new(0);

	assert_false(do_mmap(s, 10, 0, PAGE, MAP_PRIVATE, 0x70000, 0)->acquired);
	assert_int_equal(story_end(s, 1)->mapped_total.blocks, 0);
	assert_int_equal(replay_heap(s->replay, 0)->syscalls[SYS_MEM_mmap].grow_bytes, PAGE);
	story_free(s);
}

TEST(test_munmap_in_parts_ends_the_block_with_its_last_byte)
{
	struct story *s = story_new(0);
	const struct change *c;

	do_mmap(s, 10, 0, 10 * PAGE, ANONYMOUS, 0x70000, 0);
	c = do_munmap(s, 20, 0x70000 + 2 * PAGE, 3 * PAGE, 0, 0);
	assert_true(c->released && c->old_is_partial);
	assert_int_equal(c->old.size, 3 * PAGE);
	assert_int_equal(c->heap->mapped_live.bytes, 7 * PAGE);
	assert_int_equal(c->heap->mapped_live.blocks, 1);
	c = do_munmap(s, 30, 0x70000, 100 * PAGE, 0, 0);
	assert_true(c->released && c->also && c->also->released);
	assert_true(c->old_is_partial != c->also->old_is_partial);
	assert_int_equal(c->heap->mapped_live.bytes, 0);
	assert_int_equal(c->heap->mapped_live.blocks, 0);
	story_free(s);
}

TEST(test_failed_munmap_changes_nothing)
{
	struct story *s = story_new(0);
	const struct change *c;

	do_mmap(s, 10, 0, 2 * PAGE, ANONYMOUS, 0x70000, 0);
	c = do_munmap(s, 20, 0x70000, PAGE, -22, 0);
	assert_false(c->released);
	assert_int_equal(c->heap->mapped_live.bytes, 2 * PAGE);
	assert_int_equal(c->heap->syscalls[SYS_MEM_munmap].errors, 1);
	c = do_munmap(s, 30, 0x70000, 2 * PAGE, 0, 0);
	assert_int_equal(c->heap->mapped_live.bytes, 0);
	assert_int_equal(c->heap->mapped_live.blocks, 0);
	story_free(s);
}

TEST(test_fixed_mapping_over_another_replaces_it)
{
	struct story *s = story_new(0);
	const struct change *c;

	do_mmap(s, 10, 0, 4 * PAGE, ANONYMOUS, 0x70000, 0);
	c = do_mmap(s, 20, 0x70000, 2 * PAGE, ANONYMOUS | MAP_FIXED, 0x70000, 0);
	assert_true(c->released && c->acquired && c->old_is_partial);
	assert_int_equal(c->heap->mapped_live.bytes, 4 * PAGE);
	assert_int_equal(c->heap->mapped_live.blocks, 2);
	/* a file mapped over it takes it away */
	c = do_mmap(s, 30, 0x70000, 2 * PAGE, MAP_PRIVATE | MAP_FIXED, 0x70000, 0);
	assert_true(c->released && !c->acquired);
	assert_int_equal(c->heap->mapped_live.bytes, 2 * PAGE);
	story_free(s);
}

TEST(test_mremap_ends_the_old_mapping_and_begins_one_in_its_own_site)
{
	struct story *s = story_new(0);
	const struct change *c;
	const struct heap *h;

	do_mmap(s, 10, 0, 2 * PAGE, ANONYMOUS, 0x70000, 0);
	c = story_syscall(s, 0, 20, SYS_MEM_mremap,
			  STORY_ARGS(0x70000, 2 * PAGE, 5 * PAGE, MREMAP_MAYMOVE), 0x90000, 0, 8);
	assert_true(c->released && c->acquired);
	assert_int_equal(c->block.addr, 0x90000);
	h = story_end(s, 1);
	assert_int_equal(h->mapped_live.bytes, 5 * PAGE);
	assert_int_equal(h->mapped_live.blocks, 1);
	assert_int_equal(h->mapped_peak.bytes, 5 * PAGE);
	assert_int_equal(story_site(h, 7, KIND_MAPPING)->live.blocks, 0);
	assert_int_equal(story_site(h, 8, KIND_MAPPING)->live.bytes, 5 * PAGE);
	assert_int_equal(h->syscalls[SYS_MEM_mremap].grow_bytes, 3 * PAGE);
	story_free(s);
}

TEST(test_mappings_inside_the_allocator_are_its_own)
{
	struct story *s = story_new(0);
	const struct change *c;

	c = do_mmap(s, 10, 0, 266240, ANONYMOUS, 0x70000, SYSCALL_IN_ALLOCATOR);
	assert_false(c->acquired);
	assert_int_equal(c->heap->heap_mapped_live, 266240);
	c = do_munmap(s, 20, 0x70000, 266240, 0, SYSCALL_IN_ALLOCATOR);
	assert_false(c->released);
	assert_int_equal(c->heap->heap_mapped_live, 0);
	assert_int_equal(c->heap->heap_mapped_peak, 266240);
	assert_int_equal(c->heap->mapped_total.blocks, 0);
	assert_int_equal(c->heap->syscalls[SYS_MEM_mmap].in_allocator, 1);
	story_free(s);
}

static void brk_to(struct story *s, uint64_t stamp, uint64_t wanted, uint64_t result)
{
	story_syscall(s, 0, stamp, SYS_MEM_brk, STORY_ARGS(wanted), (int64_t)result,
		      SYSCALL_IN_ALLOCATOR, 7);
}

TEST(test_break_is_split_into_growing_and_trimming)
{
	struct story *s = story_new(0);
	const struct syscall_totals *t;
	const struct heap *h;

	brk_to(s, 10, 0, 0x100000);         /* sbrk(0): where it is */
	brk_to(s, 20, 0x121000, 0x121000);
	brk_to(s, 30, 0x142000, 0x142000);
	brk_to(s, 40, 0x121000, 0x121000);
	brk_to(s, 50, 0x900000, 0x121000);  /* refused */
	brk_to(s, 60, 0x131000, 0x131000);
	h = story_end(s, 1);
	t = &h->syscalls[SYS_MEM_brk];
	assert_int_equal(t->calls, 6);
	assert_int_equal(t->errors, 1);
	assert_int_equal(t->grow, 3);
	assert_int_equal(t->trim, 1);
	assert_int_equal(t->grow_bytes, 0x42000 + 0x10000);
	assert_int_equal(t->trim_bytes, 0x21000);
	assert_int_equal(t->turns, 2);
	assert_int_equal(t->ticks, 6);
	assert_int_equal(h->break_start, 0x100000);
	assert_int_equal(h->break_now, 0x131000);
	assert_int_equal(h->break_peak, 0x142000);
	story_free(s);
}

TEST(test_end_without_a_begin_is_counted_and_harmless)
{
	struct story *s = story_new(0);

	s->event.r.number = SYS_MEM_munmap;
	story_step(s, 0, 10, EVENT_SYSCALL_END);
	s->event.r.number = SYS_MEM_munmap;
	s->event.r.args[0] = 0;
	s->event.r.args[1] = UINT64_MAX;
	story_step(s, 0, 20, EVENT_SYSCALL_BEGIN);
	s->event.r.number = SYS_MEM_mmap;
	s->event.r.result = 0x70000;
	story_step(s, 0, 30, EVENT_SYSCALL_END);
	assert_int_equal(story_end(s, 1)->mapped_total.blocks, 0);
	assert_int_equal(replay_heap(s->replay, 0)->syscalls[SYS_MEM_munmap].calls, 2);
	story_free(s);
}

TEST(test_ranges_at_the_end_of_the_address_space_do_not_wrap)
{
	struct story *s = story_new(0);

	do_mmap(s, 10, 0, UINT64_MAX, ANONYMOUS, 0x70000, 0);
	do_mmap(s, 20, 0, UINT64_MAX, ANONYMOUS, INT64_MAX, 0);
	do_mmap(s, 30, UINT64_MAX - 10, 100, ANONYMOUS | MAP_FIXED, INT64_MIN, 0);
	do_munmap(s, 40, 0, UINT64_MAX, 0, 0);
	assert_int_equal(story_end(s, 1)->mapped_live.blocks, 0);
	story_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_anonymous_mmap_of_the_program_is_an_allocation),
		cmocka_unit_test(test_mapping_of_a_file_is_only_a_system_call),
		cmocka_unit_test(test_munmap_in_parts_ends_the_block_with_its_last_byte),
		cmocka_unit_test(test_failed_munmap_changes_nothing),
		cmocka_unit_test(test_fixed_mapping_over_another_replaces_it),
		cmocka_unit_test(test_mremap_ends_the_old_mapping_and_begins_one_in_its_own_site),
		cmocka_unit_test(test_mappings_inside_the_allocator_are_its_own),
		cmocka_unit_test(test_break_is_split_into_growing_and_trimming),
		cmocka_unit_test(test_end_without_a_begin_is_counted_and_harmless),
		cmocka_unit_test(test_ranges_at_the_end_of_the_address_space_do_not_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
