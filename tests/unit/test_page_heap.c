/*
 * test_page_heap.c - system calls as memory of call stacks.
 */
#include "test.h"

#include <string.h>
#include <sys/mman.h>

#include "model/page_heap.h"

#define PAGES(n) ((uint64_t)(n) * 4096)

static struct image image = { .number = 1, .page_size = 4096 };

static void begin(struct page_heap *p, enum memory_syscall number, unsigned flags,
		  stack_id stack, const uint64_t *args)
{
	struct event e = { .image = 1, .stream = 1, .stack = stack };

	e.r.kind = EVENT_SYSCALL_BEGIN;
	e.r.number = number;
	e.r.flags = (uint8_t)flags;
	e.r.func = FUNC_MALLOC;
	e.r.has_stack = flags == 0;
	memcpy(e.r.args, args, sizeof(e.r.args));
	assert_false(page_heap_event(p, &e, NULL));
}

static bool end(struct page_heap *p, enum memory_syscall number, int64_t result)
{
	struct event e = { .image = 1, .stream = 1 };

	e.r.kind = EVENT_SYSCALL_END;
	e.r.number = number;
	e.r.result = result;
	return page_heap_event(p, &e, NULL);
}

static bool syscall_of(struct page_heap *p, enum memory_syscall number, stack_id stack,
		       int64_t result, const uint64_t *args)
{
	begin(p, number, 0, stack, args);
	return end(p, number, result);
}

#define ARGS(...) ((const uint64_t[6]){ __VA_ARGS__ })
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static uint64_t live(const struct page_heap *p, stack_id stack)
{
	for (size_t i = 0; i < p->site_count; i++)
		if (p->sites[i].stack == stack)
			return p->sites[i].bytes;
	return 0;
}

TEST(test_maps_count_whole_pages_until_they_are_gone)
{
	struct page_heap p;

	page_heap_init(&p, &image);
	assert_true(syscall_of(&p, SYS_MEM_mmap, 5, 0x700000, ARGS(0, 5000, 3, ANON, 0, 0)));
	assert_int_equal(live(&p, 5), PAGES(2));
	assert_true(syscall_of(&p, SYS_MEM_munmap, 6, 0, ARGS(0x700000, 4096)));
	assert_int_equal(live(&p, 5), PAGES(1));
	/* nothing is there any more */
	assert_false(syscall_of(&p, SYS_MEM_munmap, 6, 0, ARGS(0x700000, 4096)));
	assert_int_equal(p.live_bytes, PAGES(1));
	assert_int_equal(p.moved_bytes, PAGES(3));
	page_heap_release(&p);
}

TEST(test_failed_calls_change_nothing)
{
	struct page_heap p;

	page_heap_init(&p, &image);
	assert_false(syscall_of(&p, SYS_MEM_mmap, 5, -12, ARGS(0, 5000, 3, ANON, 0, 0)));
	assert_int_equal(p.live_bytes, 0);
	page_heap_release(&p);
}

TEST(test_the_break_goes_up_and_down)
{
	struct page_heap p;

	page_heap_init(&p, &image);
	assert_false(syscall_of(&p, SYS_MEM_brk, 5, 0x100000, ARGS(0)));
	assert_true(syscall_of(&p, SYS_MEM_brk, 5, 0x103000, ARGS(0x103000)));
	assert_true(syscall_of(&p, SYS_MEM_brk, 6, 0x105000, ARGS(0x105000)));
	assert_int_equal(live(&p, 5), PAGES(3));
	assert_int_equal(live(&p, 6), PAGES(2));
	assert_true(syscall_of(&p, SYS_MEM_brk, 7, 0x102000, ARGS(0x102000)));
	assert_int_equal(live(&p, 5), PAGES(2));
	assert_int_equal(live(&p, 6), 0);
	assert_int_equal(live(&p, 7), 0);
	page_heap_release(&p);
}

TEST(test_mremap_belongs_to_the_call_that_moved_it)
{
	struct page_heap p;

	page_heap_init(&p, &image);
	syscall_of(&p, SYS_MEM_mmap, 5, 0x700000, ARGS(0, PAGES(4), 3, ANON, 0, 0));
	syscall_of(&p, SYS_MEM_mremap, 6, 0x900000, ARGS(0x700000, PAGES(4), PAGES(6), 1));
	assert_int_equal(live(&p, 5), 0);
	assert_int_equal(live(&p, 6), PAGES(6));
	page_heap_release(&p);
}

TEST(test_a_fixed_map_replaces_what_was_there)
{
	struct page_heap p;
	struct event e = { .image = 1, .stream = 1 };

	page_heap_init(&p, &image);
	syscall_of(&p, SYS_MEM_mmap, 5, 0x700000, ARGS(0, PAGES(4), 3, ANON, 0, 0));
	begin(&p, SYS_MEM_mmap, 0, 6, ARGS(0x701000, PAGES(2), 3, ANON | MAP_FIXED, 0, 0));
	e.r.kind = EVENT_SYSCALL_END;
	e.r.number = SYS_MEM_mmap;
	e.r.result = 0x701000;
	assert_true(page_heap_gives_back(&p, &e));
	assert_true(page_heap_event(&p, &e, NULL));
	assert_int_equal(live(&p, 5), PAGES(2));
	assert_int_equal(live(&p, 6), PAGES(2));
	page_heap_release(&p);
}

TEST(test_what_malloc_asks_for_has_the_call_stack_of_that_malloc)
{
	struct event acquire = { .image = 1, .stream = 1, .stack = 9 };
	struct page_heap p;

	page_heap_init(&p, &image);
	/* the stack in force, 4, is that of the call before */
	begin(&p, SYS_MEM_mmap, SYSCALL_IN_ALLOCATOR, 4, ARGS(0, PAGES(4), 3, ANON, 0, 0));
	assert_false(end(&p, SYS_MEM_mmap, 0x700000));
	assert_int_equal(p.live_bytes, 0);
	acquire.r.kind = EVENT_ALLOC;
	acquire.stream = 2;
	assert_false(page_heap_event(&p, &acquire, NULL));
	acquire.stream = 1;
	assert_true(page_heap_event(&p, &acquire, NULL));
	assert_int_equal(live(&p, 4), 0);
	assert_int_equal(live(&p, 9), PAGES(4));
	assert_int_equal(p.waiting_count, 0);
	page_heap_release(&p);
}

TEST(test_what_was_there_before_is_one_site)
{
	struct region regions[] = {
		{ .start = 0x400000, .end = 0x402000 },
		{ .start = 0x7f0000, .end = 0x7f1000 },
	};
	struct image old = { .number = 1, .page_size = 4096, .regions = regions, .region_count = 2 };
	struct page_heap p;

	page_heap_init(&p, &old);
	assert_int_equal(live(&p, STACK_BEFORE), PAGES(3));
	assert_int_equal(p.moved_bytes, 0);
	syscall_of(&p, SYS_MEM_munmap, 6, 0, ARGS(0x401000, PAGES(1)));
	assert_int_equal(live(&p, STACK_BEFORE), PAGES(2));
	page_heap_release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_maps_count_whole_pages_until_they_are_gone),
		cmocka_unit_test(test_failed_calls_change_nothing),
		cmocka_unit_test(test_the_break_goes_up_and_down),
		cmocka_unit_test(test_mremap_belongs_to_the_call_that_moved_it),
		cmocka_unit_test(test_a_fixed_map_replaces_what_was_there),
		cmocka_unit_test(test_what_malloc_asks_for_has_the_call_stack_of_that_malloc),
		cmocka_unit_test(test_what_was_there_before_is_one_site),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
