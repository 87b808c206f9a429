/*
 * test_threshold_words.c - the sentences of `threshold` say what the figures are, for each
 * combination of what can be: over recordings made by hand.
 */
#include "unit/form_subject.h"

#define BREAK 0x555555560000 /* where made recordings begin */
#define MAP 0x7f6541600000
#define ARENA 0x7f0000000000
#define RW 3
#define ANONYMOUS 0x22

/* All paragraphs, a line each; the caller's. */
static char *words_of(struct mktrace *t, const char *options)
{
	char *command = xasprintf("threshold --format=json%s%s", *options ? " " : "", options);
	char *json = form_output(mktrace_file(t), command), *text = xstrdup("");
	json_t *root = json_loads(json, 0, NULL);
	const json_t *list = json_object_get(root, "explanation");

	assert_non_null(root);
	for (size_t i = 0; i < json_array_size(list); i++) {
		char *longer = xasprintf("%s%s\n", text, json_string_value(json_array_get(list, i)));

		free(text);
		text = longer;
	}
	json_decref(root);
	free(json);
	free(command);
	return text;
}

static void assert_words(struct mktrace *t, const char *expected)
{
	char *text = words_of(t, "");

	if (!strstr(text, expected))
		fail_msg("'%s' is not in:\n%s", expected, text);
	free(text);
}

static void assert_no_words(struct mktrace *t, const char *unexpected)
{
	char *text = words_of(t, "");

	if (strstr(text, unexpected))
		fail_msg("'%s' is in:\n%s", unexpected, text);
	free(text);
}

struct subject { struct mktrace *t; mk_stream s; uint64_t stamp, block; };

static struct subject begin(void)
{
	struct subject u = { .t = mktrace_new(), .stamp = 100, .block = BREAK + 0x1000 };

	u.s = mk_process(u.t, 1, 100, "p");
	mk_syscall_inside(u.t, u.s, u.stamp, SYS_MEM_brk, MK_ARGS(BREAK + 0x41000), BREAK + 0x41000,
			  FUNC_MALLOC, MK_STACK());
	mk_malloc(u.t, u.s, u.stamp += 5, BREAK + 0x2a0, 40);
	return u;
}

static void brk_to(struct subject *u, uint64_t to, enum alloc_func inside)
{
	if (inside == FUNC_COUNT)
		mk_syscall(u->t, u->s, u->stamp += 5, SYS_MEM_brk, MK_ARGS(to), (int64_t)to, 0);
	else
		mk_syscall_inside(u->t, u->s, u->stamp += 5, SYS_MEM_brk, MK_ARGS(to), (int64_t)to,
				  inside, MK_STACK());
	u->stamp++;
}

/* A block of the heap is acquired and freed: without a system call. */
static void keep(struct subject *u)
{
	mk_malloc(u->t, u->s, u->stamp += 5, u->block, 100);
	mk_free(u->t, u->s, u->stamp += 5, u->block);
}

/* The same, and the break goes down by 4 KiB. */
static void trim(struct subject *u, unsigned times)
{
	keep(u);
	brk_to(u, BREAK + 0x41000 - times * 0x1000, FUNC_FREE);
}

static void map(struct subject *u, uint64_t at, uint64_t bytes)
{
	mk_syscall_inside(u->t, u->s, u->stamp += 5, SYS_MEM_mmap,
			  MK_ARGS(0, bytes + 4096, RW, ANONYMOUS, UINT64_MAX, 0), (int64_t)at,
			  FUNC_MALLOC, MK_STACK());
	mk_malloc_mapped(u->t, u->s, u->stamp += 5, at + 16, bytes);
}

static void unmap(struct subject *u, uint64_t at, uint64_t bytes)
{
	mk_free(u->t, u->s, u->stamp += 5, at + 16);
	mk_syscall_inside(u->t, u->s, u->stamp += 5, SYS_MEM_munmap, MK_ARGS(at, bytes + 4096), 0,
			  FUNC_FREE, MK_STACK());
	u->stamp++;
}

TEST(test_kept_trimmed_and_unmapped_blocks_are_each_said_to_be_so)
{
	static const struct { unsigned kept, trimmed, unmapped; const char *words; } cases[] = {
		{ 0, 0, 0, "\nNothing was freed.\n" },
		{ 1, 0, 0, "\n1 block was freed. It stayed with malloc as free memory, for the next "
			   "requests: the system saw nothing of its free.\n" },
		{ 2, 0, 0, "\n2 blocks were freed. They stayed with malloc as free memory, for the next "
			   "requests: the system saw nothing of their free.\n" },
		{ 0, 1, 0, "\n1 block was freed. It became free memory of malloc's, for the next "
			   "requests.\nWith 1 free " },
		{ 0, 0, 1, "\n1 block was freed. It went back at once with its own mapping (munmap).\n" },
		{ 0, 0, 2, "\n2 blocks were freed. All went back at once with their own mappings "
			   "(munmap).\n" },
		{ 1, 0, 1, "\n2 blocks were freed. 1 of them went back at once with its own mapping "
			   "(munmap). The other one stayed with malloc as free memory" },
		{ 1, 2, 0, "\n3 blocks were freed. They became free memory of malloc's, for the next "
			   "requests: of 1 of these frees the system saw nothing.\n"
			   "With 2 frees the free memory at the end of the heap had reached "
			   "M_TRIM_THRESHOLD (128 KiB), and malloc gave it back but for M_TOP_PAD: "
			   "the break went down twice, by 8.0 KiB in all.\n" },
		{ 2, 1, 2, "\n5 blocks were freed. 2 of them went back at once with their own mappings "
			   "(munmap). The other 3 became free memory of malloc's, for the next "
			   "requests: of 2 of these frees the system saw nothing.\n"
			   "With 1 free the free memory at the end of the heap had reached "
			   "M_TRIM_THRESHOLD, and malloc gave it back but for M_TOP_PAD: the break "
			   "went down once, by 4.0 KiB.\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct subject u = begin();

		for (unsigned k = 0; k < cases[i].kept; k++)
			keep(&u);
		for (unsigned k = 1; k <= cases[i].trimmed; k++)
			trim(&u, k);
		for (unsigned k = 0; k < cases[i].unmapped; k++) {
			map(&u, MAP + k * 0x100000, 200000);
			unmap(&u, MAP + k * 0x100000, 200000);
		}
		assert_words(u.t, cases[i].words);
		mktrace_free(u.t);
	}
}

TEST(test_a_heap_that_never_shrank_says_what_that_takes)
{
	struct subject u = begin();

	keep(&u);
	assert_words(u.t, "The heap never shrank: that takes free memory of M_TRIM_THRESHOLD (128 KiB) "
		     "at its end, and one block there that is in use, or that its thread keeps for itself "
		     "(tcache), holds all below it.");
	mktrace_free(u.t);
	u = begin();
	mk_setting(u.t, 1, "MALLOC_TRIM_THRESHOLD_", "-1");
	keep(&u);
	assert_words(u.t, "with M_TRIM_THRESHOLD as it was set free never lowers the break");
	mktrace_free(u.t);
}

TEST(test_a_break_lowered_outside_of_free_is_no_trim_of_frees)
{
	struct subject u = begin();

	keep(&u);
	brk_to(&u, BREAK + 0x30000, FUNC_COUNT);
	assert_words(u.t, "The break went down once, by 68.0 KiB, but by no free: malloc_trim(3) does "
		     "that, or the program itself by brk or sbrk.");
	assert_words(u.t, "saw nothing of its free");
	mktrace_free(u.t);
	u = begin();
	trim(&u, 1);
	brk_to(&u, BREAK + 0x30000, FUNC_COUNT);
	assert_words(u.t, "the break went down twice, by 68.0 KiB in all.\nIn 1 of these calls no free was "
		     "under way");
	mktrace_free(u.t);
}

TEST(test_arenas_that_shrink_are_told_from_the_heap)
{
	struct subject u = begin();

	for (int i = 0; i < 2; i++) {
		mk_alloc(u.t, u.s, u.stamp += 5, ARENA + 0xb70, 100, CLASS_ARENA, MK_STACK());
		mk_free(u.t, u.s, u.stamp += 5, ARENA + 0xb70);
		if (i == 0)
			mk_syscall_inside(u.t, u.s, u.stamp += 5, SYS_MEM_madvise,
					  MK_ARGS(ARENA + 0x22000, 0x10000, 4), 0, FUNC_FREE, MK_STACK());
		else
			mk_syscall_inside(u.t, u.s, u.stamp += 5, SYS_MEM_munmap,
					  MK_ARGS(ARENA, 0x4000000), 0, FUNC_FREE, MK_STACK());
		u.stamp++;
	}
	assert_words(u.t, "\n2 frees gave back the free end of a thread's arena: its pages by madvise, or a "
		     "whole piece of it by munmap.\nThe main heap never shrank");
	assert_no_words(u.t, "had reached");
	assert_report_has(mktrace_file(u.t), "threshold", "  100            2     0        2         0\n");
	mktrace_free(u.t);
}

TEST(test_pad_of_nothing_is_not_explained_as_a_reserve)
{
	struct subject u = begin();

	mk_setting(u.t, 1, "MALLOC_TOP_PAD_", "0");
	assert_words(u.t, "M_TOP_PAD was set to 0: each time malloc takes what it needs, in whole "
		     "pages, and no more.");
	assert_no_words(u.t, "so that the next small blocks");
	mktrace_free(u.t);
}

TEST(test_large_blocks_in_the_heap_have_the_reason_that_they_had)
{
	struct subject u = begin();

	mk_setting(u.t, 1, "MALLOC_MMAP_MAX_", "1");
	map(&u, MAP, 200000);
	brk_to(&u, BREAK + 0x91000, FUNC_MALLOC);
	mk_malloc(u.t, u.s, u.stamp += 5, BREAK + 0x41010, 200000);
	assert_words(u.t, "\nFor 1 request the heap grew although it was large enough for a mapping: "
		     "there were as many as M_MMAP_MAX allows.\n");
	assert_no_words(u.t, "there was enough");
	mktrace_free(u.t);
	u = begin();
	mk_malloc(u.t, u.s, u.stamp += 5, BREAK + 0x1010, 200000);
	assert_words(u.t, "\n1 request came from the heap although it was large enough for a mapping: malloc "
		     "first looks for free memory in the heap, and there was enough.\n");
	mktrace_free(u.t);
}

TEST(test_only_where_the_heap_grew_it_is_because_the_threshold_moved)
{
	struct subject u = begin();

	map(&u, MAP, 200000);
	unmap(&u, MAP, 200000);
	/* what is free there serves any size, at any threshold */
	mk_malloc(u.t, u.s, u.stamp += 5, BREAK + 0x1010, 150000);
	assert_no_words(u.t, "for that reason");
	mktrace_free(u.t);
	u = begin();
	map(&u, MAP, 200000);
	unmap(&u, MAP, 200000);
	brk_to(&u, BREAK + 0x91000, FUNC_MALLOC);
	mk_malloc(u.t, u.s, u.stamp += 5, BREAK + 0x41010, 150000);
	assert_words(u.t, "\nFor 1 request of 131,049 bytes and more the heap grew for that reason: at the "
		     "threshold of the beginning it would have been mapped.\n");
	mktrace_free(u.t);
}

TEST(test_a_mapping_that_realloc_resizes_is_no_new_one_and_tells_no_boundary)
{
	struct subject u = begin();

	map(&u, MAP, 300000);
	mk_realloc_begin(u.t, u.s, u.stamp += 5, MAP + 16, MK_STACK());
	mk_syscall_inside(u.t, u.s, u.stamp += 5, SYS_MEM_mremap, MK_ARGS(MAP, 303104, 4096, 1), MAP,
			  FUNC_REALLOC, MK_STACK());
	mk_usable(u.t, u.s, 4080);
	mk_realloc_end_mapped(u.t, u.s, u.stamp += 5, MAP + 16, 1000);
	assert_words(u.t, " 1 of them had one before: realloc resized it (mremap).");
	assert_report_has(mktrace_file(u.t), "threshold --format=json", "\"threshold_bytes\": 300000,");
	mktrace_free(u.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept_trimmed_and_unmapped_blocks_are_each_said_to_be_so),
		cmocka_unit_test(test_a_heap_that_never_shrank_says_what_that_takes),
		cmocka_unit_test(test_a_break_lowered_outside_of_free_is_no_trim_of_frees),
		cmocka_unit_test(test_arenas_that_shrink_are_told_from_the_heap),
		cmocka_unit_test(test_pad_of_nothing_is_not_explained_as_a_reserve),
		cmocka_unit_test(test_large_blocks_in_the_heap_have_the_reason_that_they_had),
		cmocka_unit_test(test_only_where_the_heap_grew_it_is_because_the_threshold_moved),
		cmocka_unit_test(test_a_mapping_that_realloc_resizes_is_no_new_one_and_tells_no_boundary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
