/*
 * test_infer.c - system calls concluded from glibc's traces, with this process's
 * own malloc as the subject.
 */
#include "test.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "event.h"
#include "infer.h"

static struct seen {
	enum memory_syscall number;
	long args[6];
	long result;
} seen[16];
static unsigned seen_count;

bool event_syscall_begin(enum memory_syscall number, const long args[6],
			 unsigned flags, const struct unwind_context *ctx)
{
	assert_int_equal(flags, SYSCALL_INFERRED);
	assert_null(ctx);
	seen[seen_count % 16].number = number;
	memcpy(seen[seen_count % 16].args, args, sizeof(seen[0].args));
	return true;
}

void event_syscall_end(enum memory_syscall number, long result)
{
	assert_int_equal(seen[seen_count % 16].number, number);
	seen[seen_count++ % 16].result = result;
}

/*
 * A chunk as malloc/malloc.c lays it out: the mapping at MAP, the block OFFSET + 16
 * bytes into it. (The process's own mapped blocks are the sanitizer's in a
 * sanitized build.)
 */
static void *mapped_block(uint64_t *map, uint64_t offset, uint64_t bytes)
{
	uint64_t *chunk = map + offset / 8;

	chunk[0] = offset;
	chunk[1] = (bytes - offset) | 2;
	return chunk + 2;
}

static int begin(void **state)
{
	(void)state;
	infer_before();
	infer_after(NULL, CLASS_HEAP);
	seen_count = 0;
	return 0;
}

TEST(test_infer_mapped_block_was_an_mmap_of_its_pages)
{
	uint64_t map[64];
	void *p = mapped_block(map, 0, 266240);

	infer_before();
	infer_after(p, CLASS_MAPPED);
	assert_int_equal(seen_count, 1);
	assert_int_equal(seen[0].number, SYS_MEM_mmap);
	assert_int_equal(seen[0].args[1], 266240);
	assert_int_equal(seen[0].args[2], PROT_READ | PROT_WRITE);
	assert_int_equal(seen[0].args[3], MAP_PRIVATE | MAP_ANONYMOUS);
	assert_int_equal(seen[0].result, (long)map);
}

TEST(test_infer_aligned_block_has_its_mapping_before_it)
{
	uint64_t map[64];
	void *p = mapped_block(map, 128, 8192);

	infer_before();
	infer_after(p, CLASS_MAPPED);
	assert_int_equal(seen[0].args[1], 8192);
	assert_int_equal(seen[0].result, (long)map);
}

TEST(test_infer_release_of_a_mapped_block_is_a_munmap)
{
	uint64_t map[64];
	void *p = mapped_block(map, 0, 4096 * 40);

	infer_before();
	infer_release(p, CLASS_MAPPED);
	infer_after(NULL, CLASS_HEAP);
	assert_int_equal(seen_count, 1);
	assert_int_equal(seen[0].number, SYS_MEM_munmap);
	assert_int_equal(seen[0].args[0], (long)map);
	assert_int_equal(seen[0].args[1], 4096 * 40);
}

TEST(test_infer_realloc_of_a_mapped_block_is_an_mremap)
{
	uint64_t old[64], new[64];
	void *p = mapped_block(old, 0, 135168), *q = mapped_block(new, 0, 270336);

	infer_before();
	infer_release(p, CLASS_MAPPED);
	infer_after(q, CLASS_MAPPED);
	assert_int_equal(seen_count, 1);
	assert_int_equal(seen[0].number, SYS_MEM_mremap);
	assert_int_equal(seen[0].args[0], (long)old);
	assert_int_equal(seen[0].args[1], 135168);
	assert_int_equal(seen[0].args[2], 270336);
	assert_int_equal(seen[0].args[3], MREMAP_MAYMOVE);
	assert_int_equal(seen[0].result, (long)new);
}

TEST(test_infer_realloc_within_the_mapping_is_no_call)
{
	uint64_t map[64];
	void *p = mapped_block(map, 0, 135168);

	infer_before();
	infer_release(p, CLASS_MAPPED);
	infer_after(p, CLASS_MAPPED);
	assert_int_equal(seen_count, 0);
}

TEST(test_infer_failed_call_leaves_nothing_behind)
{
	uint64_t map[64];

	infer_before();
	infer_release(mapped_block(map, 0, 135168), CLASS_MAPPED);
	/* the call failed: infer_after() is not called; the next one is another's */
	infer_before();
	infer_after(NULL, CLASS_HEAP);
	assert_int_equal(seen_count, 0);
}

TEST(test_infer_moved_break_is_a_brk_once)
{
	char *old = sbrk(0);

	infer_before();
	assert_ptr_equal(sbrk(4096), old);
	infer_after(NULL, CLASS_HEAP);
	infer_before();
	infer_after(NULL, CLASS_HEAP);
	assert_int_equal(seen_count, 1);
	assert_int_equal(seen[0].number, SYS_MEM_brk);
	assert_int_equal(seen[0].args[0], (long)(old + 4096));
	assert_int_equal(seen[0].result, (long)(old + 4096));
}

TEST(test_infer_break_moved_by_the_program_is_not_the_allocators)
{
	infer_before();
	sbrk(4096);
	infer_break_moved();
	infer_after(NULL, CLASS_HEAP);
	assert_int_equal(seen_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_infer_mapped_block_was_an_mmap_of_its_pages, begin),
		cmocka_unit_test_setup(test_infer_aligned_block_has_its_mapping_before_it, begin),
		cmocka_unit_test_setup(test_infer_release_of_a_mapped_block_is_a_munmap, begin),
		cmocka_unit_test_setup(test_infer_realloc_of_a_mapped_block_is_an_mremap, begin),
		cmocka_unit_test_setup(test_infer_realloc_within_the_mapping_is_no_call, begin),
		cmocka_unit_test_setup(test_infer_failed_call_leaves_nothing_behind, begin),
		cmocka_unit_test_setup(test_infer_moved_break_is_a_brk_once, begin),
		cmocka_unit_test_setup(test_infer_break_moved_by_the_program_is_not_the_allocators, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
