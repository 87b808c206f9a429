/* test_findings.c - each finding where it is due, with its figures, and nowhere else. */
#include "model/findings.h"

#include <string.h>
#include <sys/mman.h>

#include "base/xmem.h"
#include "fixture/story.h"
#include "model/freed_pages.h"

#include "test.h"

#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

static const char *name_of(stack_id stack, enum alloc_kind kind, void *ctx)
{
	static const char *const names[] = { "none", "fill", "range", "arena" };

	(void)kind;
	(void)ctx;
	return stack < 4 ? names[stack] : NULL;
}

static const struct site_naming naming = { name_of, NULL };

/* The finding of KIND, or NULL. */
static const struct finding *find(const struct findings *f, enum finding_kind kind)
{
	for (size_t i = 0; i < f->count; i++) {
		assert_non_null(f->items[i].text);
		assert_non_null(f->items[i].remedy);
		if (f->items[i].kind == kind)
			return &f->items[i];
	}
	return NULL;
}

static struct findings *end(struct story *s)
{
	return findings_new(&s->recording, story_end(s, 1), &naming, NULL);
}

TEST(test_findings_of_an_empty_heap_are_none)
{
	struct story *s = story_new(0);
	struct findings *f = end(s);

	assert_int_equal(f->count, 0);
	findings_free(f);
	findings_free(NULL);
	story_free(s);
}

TEST(test_storm_of_one_size_names_site_size_and_shares)
{
	struct story *s = story_new(0);
	const struct finding *x;
	struct findings *f;

	for (uint64_t i = 1; i <= 20000; i++)
		story_alloc(s, 0, i, i * 1008, 992, 1);
	story_alloc(s, 0, 30000, 8, 80000, 2);
	f = end(s);
	x = find(f, FINDING_SIZE_STORM);
	assert_non_null(x);
	assert_int_equal(x->count, 20000);
	assert_int_equal(x->size, 992);
	assert_int_equal(x->stack, 1);
	assert_string_equal(x->text, "fill made 20,000 blocks of 992 bytes: 100.0 % of all "
			    "blocks, 99.6 % of all bytes requested");
	x = find(f, FINDING_NEVER_FREED);
	assert_non_null(x);
	assert_int_equal(x->bytes, 20000 * 992 + 80000);
	x = find(f, FINDING_BIGGEST_SITE);
	assert_non_null(x);
	assert_int_equal(x->bytes, 20000 * 992);
	assert_int_equal(f->count, 3);
	findings_free(f);
	story_free(s);
}

TEST(test_temporary_blocks_are_a_problem_where_most_are)
{
	struct story *s = story_new(0);
	const struct finding *x;
	struct findings *f;

	for (uint64_t i = 1; i <= 20000; i++) {
		story_alloc(s, 0, i * 2, 0x1000, i % 100, 1);
		story_free_block(s, 0, i * 2 + 1, 0x1000);
	}
	f = end(s);
	x = find(f, FINDING_TEMPORARY);
	assert_non_null(x);
	assert_int_equal(x->count, 20000);
	assert_int_equal(x->severity, SEVERITY_PROBLEM);
	assert_ptr_equal(x, &f->items[0]);
	assert_null(find(f, FINDING_NEVER_FREED));
	assert_null(find(f, FINDING_SIZE_STORM));
	findings_free(f);
	story_free(s);
}

TEST(test_trim_storm_names_the_threshold_that_would_hold_the_heap)
{
	struct story *s = story_new(0);
	const struct finding *x;
	struct findings *f;

	for (uint64_t i = 0; i < 4002; i++)
		story_syscall(s, 0, 10 + i * 2, SYS_MEM_brk, STORY_ARGS(0),
			      0x1000000 + (i & 1 ? 0x600000 : 0), SYSCALL_IN_ALLOCATOR, 1);
	f = end(s);
	x = find(f, FINDING_TRIM_STORM);
	assert_non_null(x);
	assert_int_equal(x->count, 2000);
	assert_int_equal(x->severity, SEVERITY_PROBLEM);
	assert_non_null(strstr(x->remedy, "MALLOC_TRIM_THRESHOLD_=8388608 "));
	findings_free(f);
	story_free(s);
}

TEST(test_mapping_churn_counts_pairs_of_the_allocator)
{
	struct story *s = story_new(0);
	const struct finding *x;
	struct findings *f;

	for (uint64_t i = 0; i < 1500; i++) {
		story_syscall(s, 0, i * 10, SYS_MEM_mmap,
			      STORY_ARGS(0, 266240, 3, ANONYMOUS), 0x70000,
			      SYSCALL_IN_ALLOCATOR, 1);
		s->event.r.cls = CLASS_MAPPED;
		story_alloc(s, 0, i * 10 + 2, 0x70010, 262144, 1);
		story_free_block(s, 0, i * 10 + 3, 0x70010);
		story_syscall(s, 0, i * 10 + 4, SYS_MEM_munmap, STORY_ARGS(0x70000, 266240),
			      0, SYSCALL_IN_ALLOCATOR, 1);
	}
	f = end(s);
	x = find(f, FINDING_MAPPING_CHURN);
	assert_non_null(x);
	assert_int_equal(x->count, 1500);
	assert_int_equal(x->severity, SEVERITY_HINT);
	findings_free(f);
	story_free(s);
}

TEST(test_realloc_growth_tells_what_moved)
{
	struct story *s = story_new(0);
	const struct finding *x;
	struct findings *f;

	story_alloc(s, 0, 1, 0x100000, 100000, 2);
	for (uint64_t i = 1; i <= 300; i++) {
		story_realloc_begin(s, 0, i * 4, 0x100000 * i);
		story_realloc_end(s, 0, i * 4 + 1, 0x100000 * (i + 1), 100000 + i, 1);
	}
	f = end(s);
	x = find(f, FINDING_REALLOC_GROWTH);
	assert_non_null(x);
	assert_int_equal(x->count, 300);
	assert_in_range(x->bytes, 30000000, 30100000);
	findings_free(f);
	story_free(s);
}

static struct story *python_story(void)
{
	struct story *s = story_new(0);

	s->images[0].exe = (char *)"/usr/bin/python3.11";
	for (uint64_t i = 0; i < 9; i++)
		story_syscall(s, 0, 10 + i * 2, SYS_MEM_mmap,
			      STORY_ARGS(0, 1 << 20, 3, ANONYMOUS),
			      (int64_t)(0x7000000 + (i << 20)), 0, 3);
	return s;
}

TEST(test_arenas_of_python_hide_the_objects_in_them)
{
	struct story *s = python_story();
	struct findings *f = end(s);
	const struct finding *x = find(f, FINDING_HIDDEN_ARENAS);

	assert_non_null(x);
	assert_int_equal(x->count, 9);
	assert_int_equal(x->bytes, 9 << 20);
	assert_non_null(strstr(x->remedy, "--python-malloc"));
	assert_string_equal(x->text, "Python keeps its objects in 9 arenas of 1.0 MiB (9.0 MiB at "
			    "the peak), which hide them: only the arenas are seen as "
			    "allocations");
	findings_free(f);
	story_free(s);
}

TEST(test_arenas_of_python_2_have_a_remedy_that_works_there)
{
	struct story *s = python_story();
	struct findings *f;
	const struct finding *x;

	s->images[0].exe = (char *)"/usr/bin/python2.7";
	f = end(s);
	x = find(f, FINDING_HIDDEN_ARENAS);
	assert_non_null(x);
	assert_null(strstr(x->remedy, "--python-malloc"));
	findings_free(f);
	story_free(s);
}

TEST(test_arenas_are_no_finding_in_other_programs_or_with_python_malloc)
{
	struct setting setting = { 0, (char *)"PYTHONMALLOC", (char *)"malloc" };
	struct story *s = python_story();
	struct findings *f;

	s->images[0].settings = &setting;
	s->images[0].setting_count = 1;
	f = end(s);
	assert_null(find(f, FINDING_HIDDEN_ARENAS));
	findings_free(f);
	s->images[0].setting_count = 0;
	s->images[0].exe = (char *)"/usr/bin/perl";
	f = findings_new(&s->recording, replay_heap(s->replay, 0), &naming, NULL);
	assert_null(find(f, FINDING_HIDDEN_ARENAS));
	findings_free(f);
	story_free(s);
}

/* BLOCKS blocks of 1 MiB of site 1 that were freed, each with ABSENT bytes untouched. */
static struct findings *freed_blocks(struct story *s, unsigned blocks, uint64_t absent)
{
	struct freed_pages freed = { 0 };
	struct findings *f;

	for (unsigned i = 0; i < blocks; i++)
		story_alloc(s, 0, i + 1, 0x100000 * (i + 1), 1 << 20, 1);
	freed.rows = xcalloc(1, sizeof(*freed.rows));
	freed.rows[freed.count++] = (struct freed_row){
		.heap = story_end(s, 1),
		.freed = { blocks, (uint64_t)blocks << 20 },
		.recorded = blocks,
		.looked = blocks,
		.untouched_seen = blocks * absent,
	};
	f = findings_new(&s->recording, story_end(s, 1), &naming, &freed);
	freed_pages_release(&freed);
	return f;
}

TEST(test_large_blocks_that_are_hardly_touched_are_a_finding)
{
	struct story *s = story_new(0);
	struct findings *f = freed_blocks(s, 20, (1 << 20) - 8192);
	const struct finding *x = find(f, FINDING_NEVER_TOUCHED);

	assert_non_null(x);
	assert_int_equal(x->count, 20);
	assert_int_equal(x->bytes, 20 * ((1 << 20) - 8192));
	assert_non_null(strstr(x->text, "asked for 20 blocks of 1.0 MiB on average and touched 8.0 KiB of "
			       "each at most (0.8 %)"));
	assert_null(strstr(x->text, "as far as"));
	assert_non_null(strstr(x->remedy, "sites --touched=freed"));
	findings_free(f);
	story_free(s);
}

TEST(test_one_large_block_is_told_of_as_one)
{
	struct story *s = story_new(0);
	struct freed_pages freed = { 0 };
	const struct finding *x;
	struct findings *f;

	story_alloc(s, 0, 1, 0x100000, 32 << 20, 1);
	freed.rows = xcalloc(1, sizeof(*freed.rows));
	freed.rows[freed.count++] = (struct freed_row){
		.heap = story_end(s, 1), .freed = { 1, 32 << 20 }, .recorded = 1, .looked = 1,
		.untouched_seen = 24 << 20,
	};
	f = findings_new(&s->recording, story_end(s, 1), &naming, &freed);
	x = find(f, FINDING_NEVER_TOUCHED);
	assert_non_null(x);
	assert_non_null(strstr(x->text, "asked for a block of 32.0 MiB and touched 8.0 MiB of it at most "
			       "(25.0 %)"));
	freed_pages_release(&freed);
	findings_free(f);
	story_free(s);
}

TEST(test_little_and_mostly_touched_memory_is_no_finding)
{
	struct story *s = story_new(0);
	/* 15 MiB untouched */
	struct findings *f = freed_blocks(s, 15, 1 << 20);

	assert_null(find(f, FINDING_NEVER_TOUCHED));
	findings_free(f);
	story_free(s);
	s = story_new(0);
	/* less than half of each */
	f = freed_blocks(s, 100, 400 << 10);
	assert_null(find(f, FINDING_NEVER_TOUCHED));
	findings_free(f);
	story_free(s);
}

TEST(test_findings_have_keys_and_severities_have_names)
{
	assert_string_equal(finding_key(FINDING_SIZE_STORM), "size_storm");
	assert_string_equal(finding_key(FINDING_COUNT), "unknown");
	assert_string_equal(finding_severity_name(SEVERITY_HINT), "hint");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_findings_of_an_empty_heap_are_none),
		cmocka_unit_test(test_storm_of_one_size_names_site_size_and_shares),
		cmocka_unit_test(test_temporary_blocks_are_a_problem_where_most_are),
		cmocka_unit_test(test_trim_storm_names_the_threshold_that_would_hold_the_heap),
		cmocka_unit_test(test_mapping_churn_counts_pairs_of_the_allocator),
		cmocka_unit_test(test_realloc_growth_tells_what_moved),
		cmocka_unit_test(test_arenas_of_python_hide_the_objects_in_them),
		cmocka_unit_test(test_arenas_of_python_2_have_a_remedy_that_works_there),
		cmocka_unit_test(test_arenas_are_no_finding_in_other_programs_or_with_python_malloc),
		cmocka_unit_test(test_large_blocks_that_are_hardly_touched_are_a_finding),
		cmocka_unit_test(test_one_large_block_is_told_of_as_one),
		cmocka_unit_test(test_little_and_mostly_touched_memory_is_no_finding),
		cmocka_unit_test(test_findings_have_keys_and_severities_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
