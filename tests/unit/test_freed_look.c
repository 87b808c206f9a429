/*
 * test_freed_look.c - looks at pages of this very process, and how they are rationed: counted,
 * with stamps made up, as time is what the machine makes of it.
 */
#include <string.h>
#include <sys/mman.h>

#include "freed_look.h"
#include "session.h"
#include "test.h"

#define PAGE 4096u

static struct looks looks;
static struct look seen;

static char *map(size_t pages)
{
	char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(p != MAP_FAILED);
	madvise(p, pages * PAGE, MADV_NOHUGEPAGE);
	return p;
}

static int set_up(void **state)
{
	(void)state;
	session.options.look_at_free = 1;
	block_is_glibc = true;
	freed_look_init();
	looks = (struct looks){ 0 };
	looks_begin(&looks, 1000);
	return 0;
}

TEST(test_absent_bytes_are_those_of_the_block)
{
	char *p = map(64);

	/* as malloc gives it: 16 bytes of header, the end within the last page */
	assert_true(freed_look_scan(&looks, p + 16, 64 * PAGE - 16 - 100, &seen));
	assert_int_equal(seen.absent, 64 * PAGE - 16 - 100);
	assert_int_equal(seen.flags, LOOK_LAST_ABSENT);
	p[0] = 1;
	assert_true(freed_look_scan(&looks, p + 16, 64 * PAGE - 16 - 100, &seen));
	assert_int_equal(seen.absent, 63 * PAGE - 100);
	p[63 * PAGE] = 1;
	p[40 * PAGE] = 1;
	assert_true(freed_look_scan(&looks, p + 16, 64 * PAGE - 16 - 100, &seen));
	assert_int_equal(seen.absent, 61 * PAGE);
	assert_int_equal(seen.flags, 0);
	/* whole pages */
	assert_true(freed_look_scan(&looks, p + PAGE, 4 * PAGE, &seen));
	assert_int_equal(seen.absent, 4 * PAGE);
	assert_int_equal(seen.flags, LOOK_LAST_ABSENT);
	munmap(p, 64 * PAGE);
}

TEST(test_larger_blocks_take_several_calls)
{
	size_t pages = 3 * sizeof(looks.present) + 5;
	char *p = map(pages);

	for (size_t i = 0; i < pages; i += 7)
		p[i * PAGE] = 1;
	assert_true(freed_look_scan(&looks, p + 16, pages * PAGE - 16, &seen));
	assert_int_equal(seen.absent, (pages - (pages + 6) / 7) * PAGE);
	munmap(p, pages * PAGE);
}

TEST(test_of_a_giant_the_first_part_is_looked_at)
{
	uint64_t bytes = LOOK_BYTES_MAX + (1u << 20);
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		SKIP("no room for so large a mapping");
	madvise(p, bytes, MADV_NOHUGEPAGE);
	p[0] = 1;
	assert_true(freed_look_scan(&looks, p + 16, bytes - 16, &seen));
	assert_int_equal(seen.absent, LOOK_BYTES_MAX - PAGE);
	assert_int_equal(seen.flags, LOOK_PARTIAL);
	munmap(p, bytes);
}

TEST(test_what_is_not_mapped_is_no_look)
{
	char *p = map(4);

	munmap(p, 4 * PAGE);
	assert_false(freed_look_scan(&looks, p, 4 * PAGE, &seen));
}

/* Releases of BYTES from stamp FROM on, STEP ticks apart; a look takes COST ticks. Looks made. */
static unsigned release(uint64_t bytes, unsigned count, uint64_t from, uint64_t step, uint64_t cost)
{
	unsigned made = 0;

	for (unsigned i = 0; i < count; i++) {
		uint64_t stamp = from + i * step;

		if (looks_due(&looks, bytes, stamp)) {
			looks_paid(&looks, bytes, stamp, stamp + cost);
			made++;
		}
	}
	return made;
}

TEST(test_the_first_looks_are_free)
{
	assert_int_equal(release(LOOK_BYTES_MIN, LOOK_FREE, 1000, 0, 500), LOOK_FREE);
	assert_int_equal(looks.spent, 0);
	/* no time has passed: no more of them */
	assert_int_equal(release(LOOK_BYTES_MIN, 10000, 1000, 0, 500), 0);
}

TEST(test_large_blocks_use_more_of_what_is_free)
{
	/* 1 GiB: 65 units of 128 */
	assert_int_equal(release((uint64_t)1 << 30, 5, 1000, 0, 500), 1);
	assert_int_equal(release(LOOK_BYTES_MIN, 1000, 1000, 0, 500), LOOK_FREE - 65);
}

/* A loop that does nothing but recycle: a release each 60 ticks, a look takes 200. */
TEST(test_beyond_them_looks_take_one_part_in_two_hundred)
{
	unsigned made = release(LOOK_BYTES_MIN, 1000000, 1000, 60, 200);
	uint64_t whole = 1000000 * 60;

	assert_true(looks.spent <= whole / LOOK_SHARE + 200);
	assert_int_equal(made - LOOK_FREE, looks.spent / 200);
	/* and are not given up: half of what is allowed is used at least */
	assert_true(looks.spent >= whole / LOOK_SHARE / 3);
}

TEST(test_seldom_releases_are_all_looked_at)
{
	assert_int_equal(release(LOOK_BYTES_MIN, 3000, 100000, 100000, 400), 3000);
}

/* A million small ones do not hide a large one among them: other sizes have a count of their own. */
TEST(test_a_seldom_size_is_looked_at_among_many_of_another)
{
	unsigned made = 0;

	for (unsigned i = 0; i < 1000; i++) {
		release(LOOK_BYTES_MIN, 1000, 1000 + i * 60000, 60, 200);
		made += release((uint64_t)8 << 20, 1, 1000 + (i + 1) * 60000, 0, 300);
	}
	assert_in_range(made, 100, 1000);
}

TEST(test_each_release_is_in_one_weight)
{
	uint64_t stood_for = 0;

	for (unsigned i = 0; i < 100000; i++) {
		if (looks_due(&looks, 300000, 1000 + i * 60)) {
			looks_paid(&looks, 300000, 1000 + i * 60, 1200 + i * 60);
			/* 256 KiB to 512 KiB */
			stood_for += looks.classes[2].passed;
			looks.classes[2].passed = 0;
		}
	}
	assert_int_equal(stood_for + looks.classes[2].passed, 100000);
	assert_true(stood_for > 50000);
}

/* Every second release is of one kind: chance must see both alike. */
TEST(test_no_pattern_is_always_hit_or_missed)
{
	unsigned odd = 0, all = 0;

	for (unsigned i = 0; i < 1000000; i++) {
		if (looks_due(&looks, LOOK_BYTES_MIN, 1000 + i * 60)) {
			looks_paid(&looks, LOOK_BYTES_MIN, 1000 + i * 60, 1200 + i * 60);
			odd += all >= LOOK_FREE && i % 2;
			all++;
		}
	}
	all -= LOOK_FREE;
	assert_in_range(odd, all * 4 / 10, all * 6 / 10);
}

TEST(test_sizes_beyond_all_classes_have_one)
{
	assert_true(looks_due(&looks, LOOK_BYTES_MIN, 1000));
	assert_true(looks_due(&looks, UINT64_MAX / 2, UINT64_MAX / 2));
	assert_int_equal(looks.classes[0].passed, 1);
	assert_int_equal(looks.classes[LOOK_CLASSES - 1].passed, 1);
}

TEST(test_it_is_off_where_it_was_not_asked_for_or_headers_cannot_be_read)
{
	void *volatile nowhere = (void *)8;

	freed_look_from = UINT64_MAX;
	session.options.look_at_free = 0;
	assert_int_equal(freed_look_init(), 0);
	assert_true(freed_look_from == UINT64_MAX);
	session.options.look_at_free = 1;
	block_is_glibc = false;
	assert_int_equal(freed_look_init(), 0);
	assert_true(freed_look_from == UINT64_MAX);
	/* what is off reads no header */
	assert_false(freed_look_wanted(nowhere));
	block_is_glibc = true;
	session.no_mincore = true;
	assert_int_equal(freed_look_init(), 0);
	session.no_mincore = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_absent_bytes_are_those_of_the_block, set_up),
		cmocka_unit_test_setup(test_larger_blocks_take_several_calls, set_up),
		cmocka_unit_test_setup(test_of_a_giant_the_first_part_is_looked_at, set_up),
		cmocka_unit_test_setup(test_what_is_not_mapped_is_no_look, set_up),
		cmocka_unit_test_setup(test_the_first_looks_are_free, set_up),
		cmocka_unit_test_setup(test_large_blocks_use_more_of_what_is_free, set_up),
		cmocka_unit_test_setup(test_beyond_them_looks_take_one_part_in_two_hundred, set_up),
		cmocka_unit_test_setup(test_seldom_releases_are_all_looked_at, set_up),
		cmocka_unit_test_setup(test_a_seldom_size_is_looked_at_among_many_of_another, set_up),
		cmocka_unit_test_setup(test_each_release_is_in_one_weight, set_up),
		cmocka_unit_test_setup(test_no_pattern_is_always_hit_or_missed, set_up),
		cmocka_unit_test_setup(test_sizes_beyond_all_classes_have_one, set_up),
		cmocka_unit_test_setup(test_it_is_off_where_it_was_not_asked_for_or_headers_cannot_be_read,
				       set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
