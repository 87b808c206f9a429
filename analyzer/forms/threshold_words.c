/*
 * threshold_words.c - what the figures of `threshold` mean, in sentences for a reader who
 * has not seen malloc's source: the terms are those of mallopt(3).
 */
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/xmem.h"
#include "forms/threshold_facts.h"

/* A setting that no memory reaches: mallopt(M_TRIM_THRESHOLD, -1). */
#define NO_LIMIT ((uint64_t)1 << 62)

struct texts {
	char **items;
	size_t count, capacity;
};

static void add(struct texts *t, char *text)
{
	xgrow(&t->items, &t->capacity, t->count, sizeof(*t->items));
	t->items[t->count++] = text;
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* "never", "once", "twice", "3 times" */
static const char *times(char *buffer, uint64_t n)
{
	char count[UNITS_MAX];

	if (n < 3)
		return n == 0 ? "never" : n == 1 ? "once" : "twice";
	snprintf(buffer, UNITS_MAX, "%s times", units_count(count, n));
	return buffer;
}

/* "128 KiB" where it is round, else "135,168 bytes"; "no limit" for (size_t)-1. */
static const char *amount(char *buffer, uint64_t bytes)
{
	char count[UNITS_MAX];

	if (bytes >= NO_LIMIT)
		return "no limit";
	if (bytes >= 1 << 20 && bytes % (1 << 20) == 0)
		snprintf(buffer, UNITS_MAX, "%s MiB", units_count(count, bytes >> 20));
	else if (bytes >= 1024 && bytes % 1024 == 0 && bytes < 1 << 20)
		snprintf(buffer, UNITS_MAX, "%s KiB", units_count(count, bytes >> 10));
	else
		snprintf(buffer, UNITS_MAX, "%s bytes", units_count(count, bytes));
	return buffer;
}

static void add_sources(struct texts *t, const struct threshold_facts *f)
{
	uint64_t threshold = f->found_settings->value[SET_MMAP_THRESHOLD];
	const struct served_row *sum = &f->sum;
	const struct syscall_totals *brk = &f->heap->syscalls[SYS_MEM_brk];
	char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX], d[UNITS_MAX], e[UNITS_MAX], resized[128];

	add(t, xasprintf("malloc takes memory from two places: the heap, which ends at the program "
			 "break and grows by brk; and mappings, each a piece of address space by "
			 "itself, made by mmap. It was asked for %s block%s. %s%s%s%s came from "
			 "heap that it had already, without a system call.",
			 units_count(a, sum->calls), plural(sum->calls),
			 sum->heap ? units_count(b, sum->heap) : "None", sum->heap ? " (" : "",
			 sum->heap ? units_percent(c, sum->heap, sum->calls) : "",
			 sum->heap ? ")" : ""));
	if (sum->brk && f->is_glibc && f->first.value[SET_TOP_PAD] == 0 &&
	    f->last.value[SET_TOP_PAD] == 0)
		add(t, xasprintf("For %s block%s the heap had to grow: %s in all. M_TOP_PAD was set to 0: "
				 "each time malloc takes what it needs, in whole pages, and no more.",
				 units_count(a, sum->brk), plural(sum->brk),
				 units_bytes(b, brk->grow_bytes)));
	else if (sum->brk)
		add(t, xasprintf("For %s block%s the heap had to grow: %s in all. Each time malloc "
				 "takes %s more than it needs (M_TOP_PAD), so that the next small "
				 "blocks need no system call.",
				 units_count(a, sum->brk), plural(sum->brk),
				 units_bytes(b, brk->grow_bytes), amount(c, f->last.value[SET_TOP_PAD])));
	*resized = '\0';
	if (sum->kept_maps)
		snprintf(resized, sizeof(resized), " %s of them had one before: realloc resized it "
			 "(mremap).", units_count(e, sum->kept_maps));
	if (sum->mapped && f->is_glibc)
		add(t, xasprintf("%s block%s got %s, being no smaller than M_MMAP_THRESHOLD. A "
				 "block needs 8 bytes more than was asked, rounded up to 16: with "
				 "a threshold of %s, requests of %s bytes and more are mapped. A "
				 "mapping has whole pages: %s for %s.%s",
				 units_count(a, sum->mapped), plural(sum->mapped),
				 sum->mapped == 1 ? "a mapping of its own" : "mappings of their own",
				 amount(b, threshold), units_count(c, malloc_threshold_request(threshold)),
				 units_bytes(d, sum->mapped_bytes),
				 sum->maps == 1 ? "it" : "all of them", resized));
	else if (f->is_glibc && f->last.value[SET_MMAP_MAX] == 0)
		add(t, xstrdup("No block got a mapping of its own: M_MMAP_MAX was set to 0."));
	else if (f->is_glibc)
		add(t, xasprintf("No block got a mapping of its own: none %s as large as "
				 "M_MMAP_THRESHOLD (%s: requests of %s bytes and more).",
				 f->found.reused ? "for which the heap had to grow was" : "was",
				 amount(a, f->last.value[SET_MMAP_THRESHOLD]),
				 units_count(b, malloc_threshold_request(
						     f->last.value[SET_MMAP_THRESHOLD]))));
	if (sum->arena)
		add(t, xasprintf("%s block%s came from arenas: heaps that malloc maps for further "
				 "threads, so that threads do not wait for each other. They grow "
				 "by mprotect.",
				 units_count(a, sum->arena), plural(sum->arena)));
}

/* "The break went down twice, by 2.0 MiB in all": whoever called brk. */
static char *break_text(const struct threshold_facts *f)
{
	const struct syscall_totals *brk = &f->heap->syscalls[SYS_MEM_brk];
	char count[UNITS_MAX], bytes[UNITS_MAX];

	return xasprintf("the break went down %s, by %s%s", times(count, brk->trim),
			 units_bytes(bytes, brk->trim_bytes), brk->trim > 1 ? " in all" : "");
}

/* " (128 KiB)" where there was one trim threshold, else nothing. */
static const char *trim_amount(char buffer[UNITS_MAX + 4], const struct threshold_facts *f)
{
	uint64_t trim = f->first.value[SET_TRIM_THRESHOLD];
	char text[UNITS_MAX];

	*buffer = '\0';
	if (trim == f->last.value[SET_TRIM_THRESHOLD])
		snprintf(buffer, UNITS_MAX + 4, " (%s)", amount(text, trim));
	return buffer;
}

/* " The other 6 stayed with malloc, ...": of the blocks without a munmap; "" for none. The caller's. */
static char *kept_text(const struct served_row *sum)
{
	uint64_t rest = sum->kept + sum->trimmed;
	char count[UNITS_MAX], quiet[UNITS_MAX];
	char *which, *text;

	if (rest == 0)
		return xstrdup("");
	which = sum->unmapped ? xasprintf("The other %s", rest == 1 ? "one" : units_count(count, rest)) :
		xstrdup(rest == 1 ? "It" : "They");
	if (sum->trimmed)
		text = sum->kept ?
			xasprintf(" %s became free memory of malloc's, for the next requests: of %s of "
				  "these frees the system saw nothing.", which,
				  units_count(quiet, sum->kept)) :
			xasprintf(" %s became free memory of malloc's, for the next requests.", which);
	else
		text = xasprintf(" %s stayed with malloc as free memory, for the next requests: the system "
				 "saw nothing of %s free.", which, rest == 1 ? "its" : "their");
	free(which);
	return text;
}

/* A free that gave back the end of the heap, or of a thread's arena. */
static void add_trims(struct texts *t, const struct threshold_facts *f)
{
	uint64_t of_arenas = f->sum.arena_trimmed, of_heap = f->sum.trimmed - of_arenas;
	char a[UNITS_MAX], limit[UNITS_MAX + 4];

	if (of_heap) {
		char *broke = break_text(f);

		add(t, xasprintf("With %s free%s the free memory at the end of the heap had reached "
				 "M_TRIM_THRESHOLD%s, and malloc gave it back but for M_TOP_PAD: %s.",
				 units_count(a, of_heap), plural(of_heap), trim_amount(limit, f), broke));
		free(broke);
	}
	if (of_arenas)
		add(t, xasprintf("%s free%s gave back the free end of a thread's arena: its pages by "
				 "madvise, or a whole piece of it by munmap.",
				 units_count(a, of_arenas), plural(of_arenas)));
}

/* The break went down for another reason than a free, or it never did. */
static void add_break(struct texts *t, const struct threshold_facts *f)
{
	const struct syscall_totals *brk = &f->heap->syscalls[SYS_MEM_brk];
	uint64_t of_frees = f->sum.trimmed - f->sum.arena_trimmed;
	uint64_t trim = f->last.value[SET_TRIM_THRESHOLD];
	const char *main_heap = f->sum.arena ? "main heap" : "heap";
	char a[UNITS_MAX], limit[UNITS_MAX + 4];
	char *broke;

	if (brk->trim && of_frees == 0) {
		broke = break_text(f);
		*broke = 'T';
		add(t, xasprintf("%s, but by no free: malloc_trim(3) does that, or the program itself by "
				 "brk or sbrk.", broke));
		free(broke);
	} else if (brk->trim > of_frees && !f->heap->sampling_bytes) {
		add(t, xasprintf("In %s of these calls no free was under way: malloc_trim(3) does that, "
				 "or the program itself by brk or sbrk.",
				 units_count(a, brk->trim - of_frees)));
	} else if (brk->trim == 0 && trim >= NO_LIMIT) {
		add(t, xasprintf("The %s never shrank: with M_TRIM_THRESHOLD as it was set free never lowers "
				 "the break.", main_heap));
	} else if (brk->trim == 0) {
		add(t, xasprintf("The %s never shrank: that takes free memory of M_TRIM_THRESHOLD%s at its "
				 "end, and one block there that is in use, or that its thread keeps "
				 "for itself (tcache), holds all below it.",
				 main_heap, trim_amount(limit, f)));
	}
}

static void add_frees(struct texts *t, const struct threshold_facts *f)
{
	const struct served_row *sum = &f->sum;
	uint64_t freed = served_freed(sum);
	char a[UNITS_MAX], b[UNITS_MAX];
	char *unmapped, *kept;

	if (freed == 0) {
		add(t, xstrdup("Nothing was freed."));
	} else {
		unmapped = sum->unmapped == 0 ? xstrdup("") :
			xasprintf(" %s%s went back at once with %s (munmap).",
				  freed == 1 ? "It" : sum->unmapped == freed ? "All" :
				  units_count(b, sum->unmapped), sum->unmapped < freed ? " of them" : "",
				  sum->unmapped == 1 ? "its own mapping" : "their own mappings");
		kept = kept_text(sum);
		add(t, xasprintf("%s block%s freed.%s%s", units_count(a, freed),
				 freed == 1 ? " was" : "s were", unmapped, kept));
		free(unmapped);
		free(kept);
	}
	if (f->is_glibc) {
		add_trims(t, f);
		/* of a heap that nothing came from there is nothing to say */
		if (f->sum.calls || freed || f->heap->syscalls[SYS_MEM_brk].grow)
			add_break(t, f);
	}
}

/* Which setting keeps the threshold from moving: "M_MMAP_THRESHOLD and M_TOP_PAD"; the caller's. */
static char *settings_text(const struct malloc_settings *s)
{
	char *text = xstrdup("");

	for (unsigned i = SET_MMAP_THRESHOLD; i <= SET_MMAP_MAX; i++) {
		char *longer;

		if (!s->is_set[i])
			continue;
		longer = xasprintf("%s%s%s", text, *text ? " and " : "",
				   malloc_setting_name((enum malloc_setting)i));
		free(text);
		text = longer;
	}
	return text;
}

static void add_moves(struct texts *t, const struct threshold_facts *f)
{
	uint64_t boundary = malloc_threshold_request(f->track->first.value[SET_MMAP_THRESHOLD]);
	const struct threshold_found *found = &f->found;
	char a[UNITS_MAX], b[UNITS_MAX];
	uint64_t moves = 0;

	for (size_t i = 0; i < f->move_count; i++)
		moves += f->moves[i].setting == NULL;
	if (moves)
		add(t, xasprintf("The threshold moved %s by itself. When a block with a mapping of "
				 "its own is freed (up to 32 MiB), glibc takes such blocks for "
				 "short-lived: M_MMAP_THRESHOLD becomes the size of that block, so "
				 "that the next ones come from the heap and are kept there, and "
				 "M_TRIM_THRESHOLD twice that size. In the end requests of %s "
				 "bytes and more get mappings.",
				 times(a, moves), units_count(b, malloc_threshold_request(
					f->last.value[SET_MMAP_THRESHOLD]))));
	if (found->moved)
		add(t, xasprintf("For %s request%s of %s bytes and more the heap grew for that reason: at "
				 "the threshold of the beginning %s would have been mapped.",
				 units_count(a, found->moved), plural(found->moved),
				 units_count(b, boundary), found->moved == 1 ? "it" : "they"));
	if (found->refused && f->sum.mapped)
		add(t, xasprintf("For %s request%s the heap grew although %s large enough for a mapping: "
				 "%s.", units_count(a, found->refused), plural(found->refused),
				 found->refused == 1 ? "it was" : "they were",
				 f->last.is_set[SET_MMAP_MAX] ? "there were as many as M_MMAP_MAX allows" :
				 "there were as many as M_MMAP_MAX allows, or mmap failed"));
	if (found->reused && f->last.value[SET_MMAP_MAX])
		add(t, xasprintf("%s request%s came from the heap although %s large enough for a "
				 "mapping: malloc first looks for free memory in the heap, and "
				 "there was enough.",
				 units_count(a, found->reused), plural(found->reused),
				 found->reused == 1 ? "it was" : "they were"));
	if (!f->last.is_dynamic) {
		char *which = settings_text(&f->last);

		add(t, xasprintf("The threshold does not move by itself%s: %s was set, and setting "
				 "any of M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, M_TOP_PAD and "
				 "M_MMAP_MAX ends that.", moves ? " any more" : "", which));
		free(which);
	} else if (!moves && f->sum.mapped) {
		add(t, xstrdup("The threshold did not move: no block with a mapping of its own "
			       "that was larger than it, and at most 32 MiB, was freed."));
	}
}

char **threshold_paragraphs(const struct threshold_facts *f, size_t *count)
{
	struct texts t = { 0 };

	if (f->sum.calls)
		add_sources(&t, f);
	else
		add(&t, xstrdup("malloc was not asked for a block."));
	add_frees(&t, f);
	if (f->is_glibc)
		add_moves(&t, f);
	else
		add(&t, xstrdup("This program's malloc is not glibc's: its rules are its own, and "
				"there is no M_MMAP_THRESHOLD. A mapping made while malloc was "
				"called counts as that block's."));
	*count = t.count;
	return t.items;
}

/* "131,072 bytes at first, 1,052,672 bytes in the end" */
static char *value_text(const struct threshold_facts *f, enum malloc_setting which)
{
	char first[UNITS_MAX], last[UNITS_MAX];
	const char *set = f->last.is_set[which] ? ", as it was set" : "";

	if (f->first.value[which] == f->last.value[which])
		return xasprintf("%s%s", amount(first, f->first.value[which]), set);
	return xasprintf("%s at first, %s in the end%s", amount(first, f->first.value[which]),
			 amount(last, f->last.value[which]), set);
}

char **threshold_terms(const struct threshold_facts *f, size_t *count)
{
	struct texts t = { 0 };
	char *value[SET_COUNT];
	char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];
	uint64_t grows = f->heap->syscalls[SYS_MEM_brk].grow;
	uint64_t trims = f->sum.trimmed - f->sum.arena_trimmed;
	const char *arenas = f->sum.arena ? units_count(b, f->sum.arena) : "no";
	uint64_t arena_count = f->sum.arena ? f->sum.arena : 1;

	for (unsigned i = 0; i < SET_COUNT; i++)
		value[i] = value_text(f, (enum malloc_setting)i);
	add(&t, xasprintf("M_MMAP_THRESHOLD (%s): a request that needs as much or more gets a "
			  "mapping of its own. For it: its free gives the pages back at once, and "
			  "no small block can keep them. Against it: a system call to get it, one "
			  "to free it, and each page is new and zeroed again by the kernel at its "
			  "first use. Here %s block%s got one.",
			  value[SET_MMAP_THRESHOLD], f->sum.mapped ? units_count(a, f->sum.mapped) : "no",
			  plural(f->sum.mapped ? f->sum.mapped : 1)));
	add(&t, xasprintf("M_TRIM_THRESHOLD (%s): free calls brk to lower the break when so much "
			  "is free at the end of the heap. Smaller: less memory held, more system "
			  "calls. Here that was done %s.", value[SET_TRIM_THRESHOLD],
			  trims ? times(c, trims) : "by no free"));
	add(&t, xasprintf("M_TOP_PAD (%s): what malloc takes in addition each time the heap grows, "
			  "and leaves at its end when it is trimmed. Here the heap %s%s.",
			  value[SET_TOP_PAD], grows ? "grew " : "never grew", grows ? times(c, grows) : ""));
	add(&t, xasprintf("M_MMAP_MAX (%s): so many blocks may have mappings of their own at a "
			  "time; 0: none.", units_count(a, f->last.value[SET_MMAP_MAX])));
	if (f->last.value[SET_ARENA_MAX])
		add(&t, xasprintf("M_ARENA_MAX (%s): threads share at most so many arenas. Here %s "
				  "block%s came from arenas.",
				  units_count(a, f->last.value[SET_ARENA_MAX]),
				  arenas, plural(arena_count)));
	else
		add(&t, xasprintf("M_ARENA_MAX (not set: 8 for each processor): so many arenas at "
				  "most for the threads. Here %s block%s came from arenas.",
				  arenas, plural(arena_count)));
	add(&t, xasprintf("glibc.malloc.tcache_count (%s): each thread keeps so many freed blocks "
			  "of each small size for itself. They look used to the heap: one at its "
			  "end keeps free from trimming it.",
			  units_count(a, f->last.value[SET_TCACHE_COUNT])));
	add(&t, xstrdup("They are set by mallopt(3), by "
			"GLIBC_TUNABLES=glibc.malloc.mmap_threshold=..., or by "
			"MALLOC_MMAP_THRESHOLD_=... in the environment."));
	for (unsigned i = 0; i < SET_COUNT; i++)
		free(value[i]);
	*count = t.count;
	return t.items;
}
