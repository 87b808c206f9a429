/*
 * test_maps.c - the report `maps` on snapshots written by hand.
 */
#include "unit/form_subject.h"

#define SMAPS_EARLY \
	"10000-12000 r-xp 00000000 fe:01 9 /usr/bin/prog\nRss: 8 kB\nShared_Clean: 8 kB\n" \
	"100000-121000 rw-p 00000000 00:00 0 [heap]\nRss: 12 kB\nAnonymous: 12 kB\nPrivate_Dirty: 12 kB\n"
#define SMAPS_LATE \
	"10000-12000 r-xp 00000000 fe:01 9 /usr/bin/prog\nRss: 8 kB\nShared_Clean: 8 kB\n" \
	"100000-142000 rw-p 00000000 00:00 0 [heap]\nRss: 40 kB\nAnonymous: 40 kB\nPrivate_Dirty: 40 kB\n" \
	"200000-240000 rw-p 00000000 00:00 0 \nRss: 4 kB\nAnonymous: 4 kB\nPrivate_Dirty: 4 kB\n"

static void snapshot(struct mktrace *t, uint64_t stamp, enum memory_moment moment, const char *label,
		     const char *text)
{
	mk_meta(t, META_SMAPS, "vvvsvvs", (uint64_t)100, stamp, (uint64_t)moment, label, (uint64_t)0,
		(uint64_t)1, text);
}

/* At the later moment: 1000 and 16384 bytes on the heap, the second touched on one page. */
static struct mktrace *story(void)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/usr/bin/prog");

	mk_malloc(t, s, 1000, 0x100010, 1000);
	snapshot(t, 1500, MEMORY_AT_MARK, "one", SMAPS_EARLY);
	mk_malloc(t, s, 2000, 0x101000, 16384);
	mk_meta(t, META_PAGES, "vvvvvv", (uint64_t)100, (uint64_t)2500, (uint64_t)4096, (uint64_t)0,
		(uint64_t)0x101, (uint64_t)1);
	snapshot(t, 2500, MEMORY_AT_EXIT, "", SMAPS_LATE);
	mk_free(t, s, 3000, 0x101000);
	mk_exit(t, 1, 4000, 0);
	return t;
}

TEST(test_the_heap_is_explained_by_what_was_live_then)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "maps", "at the end: 2.5 us\n");
	assert_report_has(mktrace_file(t), "maps", "heap (break)  264.0 KiB  40.0 KiB");
	/* 2 blocks: 17,384 bytes, 16 of rounding, 16 of headers */
	assert_report_has(mktrace_file(t), "maps", "= 17.0 KiB in 2 blocks + ");
	assert_report_has(mktrace_file(t), "maps --at=mark:one", "= 1000 B in 1 block + ");
	assert_report_has(mktrace_file(t), "maps --at=start", "at mark 'one'");
	mktrace_free(t);
}

TEST(test_pmap_has_its_own_format)
{
	struct mktrace *t = story();

	assert_report(mktrace_file(t), "maps -x",
		"100:   /usr/bin/prog\n"
		"Address           Kbytes     RSS   Dirty Mode  Mapping\n"
		"0000000000010000       8       8       0 r-x-- prog\n"
		"0000000000100000     264      40      40 rw---   [ anon ]\n"
		"0000000000200000     256       4       4 rw---   [ anon ]\n"
		"---------------- ------- ------- ------- \n"
		"total kB             528      52      44\n");
	mktrace_free(t);
}

TEST(test_untouched_pages_are_told_by_call_stack)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "maps --sites --format=csv",
		"kind,blocks,asked,resident,untouched,function,file,line,stack\n"
		"heap,2,17384,5096,12288,");
	mktrace_free(t);
}

TEST(test_diff_tells_what_came_and_grew)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "maps --diff start end --format=csv",
		"change,start,size_change,rss_change,dirty_change,mode,type,name\n"
		"grown,0x100000,135168,28672,28672,rw-p,heap (break),[heap]\n"
		"new,0x200000,262144,4096,4096,rw-p,anonymous,\n");
	assert_report_has(mktrace_file(t), "maps --diff start end",
		"in all: virtual +388.0 KiB, resident +32.0 KiB, dirty +32.0 KiB\n");
	mktrace_free(t);
}

TEST(test_moments_are_listed)
{
	struct mktrace *t = story();

	assert_report_has(mktrace_file(t), "maps --list --format=csv",
		"time_s,pid,moment,size,rss,mappings,touched\n");
	assert_report_has(mktrace_file(t), "maps --list --format=csv", ",at mark 'one',");
	mktrace_free(t);
}

static int status_of(struct mktrace *t, const char *option, const char *more)
{
	char *args[] = { (char *)"maps", (char *)option, (char *)mktrace_file(t), (char *)more, NULL };

	return command_run_form(form_find("maps"), more ? 4 : 3, args);
}

TEST(test_unknown_moments_and_missing_snapshots_are_said_so)
{
	struct mktrace *t = story(), *none = mktrace_new();

	mk_process(none, 1, 100, "p");
	assert_int_equal(status_of(t, "--at=mark:two", NULL), STATUS_USAGE);
	assert_int_equal(status_of(t, "--at=noon", NULL), STATUS_USAGE);
	assert_int_equal(status_of(none, "-x", NULL), STATUS_USAGE);
	mktrace_free(t);
	mktrace_free(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_heap_is_explained_by_what_was_live_then),
		cmocka_unit_test(test_pmap_has_its_own_format),
		cmocka_unit_test(test_untouched_pages_are_told_by_call_stack),
		cmocka_unit_test(test_diff_tells_what_came_and_grew),
		cmocka_unit_test(test_moments_are_listed),
		cmocka_unit_test(test_unknown_moments_and_missing_snapshots_are_said_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
