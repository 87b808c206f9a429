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

#define RING \
	"700000-740000 rw-s 00000000 00:01 3 /dev/shm/allotrope-0123456789abcdef.ring\n" \
	"Rss: %d kB\nShared_Dirty: %d kB\n"

/* A block with a mapping of its own, and one of the program's; both are gone at the later moment. */
static struct mktrace *vanishing_story(void)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/usr/bin/prog");
	char text[1000];

	mk_malloc_mapped(t, s, 1000, 0x200010, 0x3f000);
	mk_syscall(t, s, 1100, SYS_MEM_mmap, MK_ARGS(0, 0x2000, 3, 0x22, UINT64_MAX, 0), 0x300000, 0);
	snprintf(text, sizeof(text),
		 "200000-240000 rw-p 00000000 00:00 0 \nRss: 4 kB\nAnonymous: 4 kB\nPrivate_Dirty: 4 kB\n"
		 "300000-302000 rw-p 00000000 00:00 0 \nRss: 8 kB\nAnonymous: 8 kB\nPrivate_Dirty: 8 kB\n"
		 RING, 20, 20);
	snapshot(t, 1500, MEMORY_AT_MARK, "one", text);
	mk_free(t, s, 1600, 0x200010);
	mk_syscall(t, s, 1700, SYS_MEM_munmap, MK_ARGS(0x300000, 0x2000), 0, 0);
	snprintf(text, sizeof(text), RING, 84, 84);
	snapshot(t, 2500, MEMORY_AT_EXIT, "", text);
	mk_exit(t, 1, 4000, 0);
	return t;
}

TEST(test_what_has_vanished_has_the_name_that_it_had)
{
	struct mktrace *t = vanishing_story();

	assert_report_has(mktrace_file(t), "maps --diff start end --format=csv",
		"\ngone,0x200000,-262144,-4096,-4096,rw-p,malloc mapping,\n"
		"gone,0x300000,-8192,-8192,-8192,rw-p,program's map,\n");
	/* and the other way round what is new has the name that it has then */
	assert_report_has(mktrace_file(t), "maps --diff end start --format=csv",
		"\nnew,0x200000,262144,4096,4096,rw-p,malloc mapping,\n"
		"new,0x300000,8192,8192,8192,rw-p,program's map,\n");
	mktrace_free(t);
}

TEST(test_the_sum_of_a_diff_is_the_programs_own)
{
	struct mktrace *t = vanishing_story();

	assert_report_has(mktrace_file(t), "maps --diff start end",
		"\nin all: virtual -264.0 KiB, resident -12.0 KiB, dirty -12.0 KiB\n"
		"(allotrope's, not counted: virtual 0, resident +64.0 KiB, dirty +64.0 KiB)\n");
	assert_report_lacks(mktrace_file(t), "maps --diff start end", ".ring");
	/* for programs the type tells it */
	assert_report_has(mktrace_file(t), "maps --diff start end --format=csv",
		"\npaged in,0x700000,0,65536,65536,rw-s,allotrope,/dev/shm/");
	mktrace_free(t);
}

/* What a mapping, and a block, have in a second row of the kernel's list. */
static struct mktrace *split_story(void)
{
	struct mktrace *t = mktrace_new();
	mk_stream s = mk_process(t, 1, 100, "/usr/bin/prog");

	mk_syscall(t, s, 1000, SYS_MEM_mmap, MK_ARGS(0, 0x10000, 0, 0x22, UINT64_MAX, 0), 0x300000, 0);
	mk_malloc_mapped(t, s, 1100, 0x400010, 0x3f000);
	snapshot(t, 1500, MEMORY_AT_EXIT, "",
		"300000-301000 ---p 00000000 00:00 0 \nRss: 0 kB\n"
		"301000-310000 rw-p 00000000 00:00 0 \nRss: 8 kB\nAnonymous: 8 kB\n"
		"400000-402000 rw-p 00000000 00:00 0 \nRss: 4 kB\nAnonymous: 4 kB\n"
		"402000-440000 r--p 00000000 00:00 0 \nRss: 0 kB\n");
	mk_exit(t, 1, 4000, 0);
	return t;
}

TEST(test_the_parts_of_a_mapping_are_told_from_the_mapping)
{
	struct mktrace *t = split_story();

	assert_report_has(mktrace_file(t), "maps",
		"program's map at 0x301000: 60.0 KiB, 8.0 KiB resident\n"
		"    60.0 KiB         1 x  ");
	assert_report_has(mktrace_file(t), "maps",
		"reserved at 0x300000: 4.0 KiB, 0 B resident\n"
		"     4.0 KiB    (a part)  ");
	assert_report_has(mktrace_file(t), "maps",
		"malloc mapping at 0x402000: 248.0 KiB, 0 B resident\n"
		"  = 244.0 KiB in 1 block + ");
	assert_report_has(mktrace_file(t), "maps", "  = 8.0 KiB in a part of a block + ");
	assert_report_lacks(mktrace_file(t), "maps", " 0 x ");
	assert_report_has(mktrace_file(t), "maps --sites --format=csv", "\nmapping,1,65536,");
	assert_report_has(mktrace_file(t), "maps --sites --format=csv", "\nheap,1,258048,");
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
	/* each process has an address space of its own */
	assert_int_equal(status_of(t, "--all", NULL), STATUS_USAGE);
	assert_int_equal(status_of(t, "--list", NULL), 0);
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
		cmocka_unit_test(test_what_has_vanished_has_the_name_that_it_had),
		cmocka_unit_test(test_the_sum_of_a_diff_is_the_programs_own),
		cmocka_unit_test(test_the_parts_of_a_mapping_are_told_from_the_mapping),
		cmocka_unit_test(test_moments_are_listed),
		cmocka_unit_test(test_unknown_moments_and_missing_snapshots_are_said_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
