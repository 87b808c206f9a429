/*
 * test_page_scan.c - touched pages of this very process.
 */
#include <string.h>
#include <sys/mman.h>

#include "page_scan.h"
#include "test.h"

#define PAGE 4096u

static uint64_t found, runs;

static void count(uint64_t start, uint64_t end)
{
	found += (end - start) / PAGE;
	runs++;
}

static void scan(const void *p, size_t pages)
{
	found = runs = 0;
	page_scan((uint64_t)(uintptr_t)p, (uint64_t)(uintptr_t)p + pages * PAGE, count);
}

TEST(test_only_written_pages_are_touched)
{
	size_t pages = 2048;
	char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(p != MAP_FAILED);
	madvise(p, pages * PAGE, MADV_NOHUGEPAGE);
	page_scan_begin();
	scan(p, pages);
	assert_int_equal(found, 0);
	/* every other of 1,200: more runs than one look of the kernel gives */
	for (size_t i = 0; i < 1200; i += 2)
		p[i * PAGE] = 1;
	scan(p, pages);
	assert_int_equal(found, 600);
	assert_int_equal(runs, 600);
	p[1 * PAGE] = 1;
	scan(p, pages);
	assert_int_equal(found, 601);
	assert_int_equal(runs, 599);
	page_scan_end();
	munmap(p, pages * PAGE);
}

TEST(test_without_pagemap_mincore_answers)
{
	size_t pages = 64;
	char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(p != MAP_FAILED);
	madvise(p, pages * PAGE, MADV_NOHUGEPAGE);
	memset(p + 3 * PAGE, 1, 5 * PAGE);
	p[63 * PAGE] = 1;
	/* not begun: no descriptor */
	scan(p, pages);
	assert_int_equal(found, 6);
	assert_int_equal(runs, 2);
	munmap(p, pages * PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_written_pages_are_touched),
		cmocka_unit_test(test_without_pagemap_mincore_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
