/*
 * findings.c - see findings.h: one function per finding, each with its
 * thresholds in its first lines. Relies on a finished replay. Promises the same
 * list for the same recording.
 */
#include "model/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/xmem.h"
#include "model/heap.h"
#include "model/sitegroups.h"

#define MIB ((uint64_t)1 << 20)

struct finder {
	const struct recording *recording;
	const struct heap *heap;
	const struct sitegroups *groups;
	struct findings *found;
	size_t capacity;
};

static double share_of(uint64_t part, uint64_t whole)
{
	if (part > whole)
		part = whole;
	return whole ? (double)part / (double)whole : 0;
}

/* Append FINDING (text and remedy are taken over). */
static void found(struct finder *f, const struct finding *finding)
{
	struct findings *l = f->found;

	xgrow(&l->items, &f->capacity, l->count, sizeof(*l->items));
	l->items[l->count++] = *finding;
}

/* The group of KIND with the largest VALUE; the first of equals; NULL: all zero. */
static const struct sitegroup *largest(const struct sitegroups *g, enum alloc_kind kind,
				       uint64_t (*value)(const struct sitegroup *))
{
	const struct sitegroup *best = NULL;

	for (size_t i = 0; i < g->count; i++) {
		const struct sitegroup *s = &g->items[i];

		if (s->kind == kind && value(s) > (best ? value(best) : 0))
			best = s;
	}
	return best;
}

static uint64_t peak_bytes(const struct sitegroup *s) { return s->peak.bytes; }
static uint64_t end_bytes(const struct sitegroup *s) { return s->end.bytes; }
static uint64_t temporary_blocks(const struct sitegroup *s) { return s->temporary.blocks; }
static uint64_t moved_bytes(const struct sitegroup *s) { return s->moved.bytes; }

/* ---- CPython ---- */

static const char *file_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path ? path : "";
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* Does IMAGE run a program or library of a name that begins so? */
static bool has_python(const struct image *image, const char *program, const char *library)
{
	if (starts_with(file_name(image->exe), program))
		return true;
	for (size_t i = 0; i < image->map_count; i++) {
		if (starts_with(file_name(image->maps[i].path), library))
			return true;
	}
	return false;
}

static bool is_python(const struct image *image)
{
	return has_python(image, "python", "libpython");
}

/* PYTHONMALLOC came with CPython 3.6; what came before cannot be asked to show its objects. */
static const char *arena_remedy(const struct image *image)
{
	if (has_python(image, "python2", "libpython2"))
		return "Python 2 cannot show its objects to malloc: look at the callers of the "
		       "arenas: allotrope sites";
	return "see each object with: allotrope record --python-malloc (PYTHONMALLOC=malloc)";
}

static bool has_python_malloc(const struct image *image)
{
	for (size_t i = 0; i < image->setting_count; i++) {
		const struct setting *s = &image->settings[i];

		if (strcmp(s->key, "PYTHONMALLOC") == 0 &&
		    starts_with(s->value, "malloc"))
			return true;
	}
	return false;
}

/* Arenas are 256 KiB until CPython 3.9 and 1 MiB from 3.10 on (Objects/obmalloc.c). */
static bool is_arena_size(uint64_t size)
{
	return size == 256 << 10 || size == 1 << 20;
}

static void find_hidden_arenas(struct finder *f)
{
	const struct heap *h = f->heap;
	struct amount peak = { 0 };
	char count[UNITS_MAX], bytes[UNITS_MAX], size_text[UNITS_MAX];
	const struct site *largest_site = NULL;

	if (!is_python(h->image) || has_python_malloc(h->image))
		return;
	for (size_t i = 0; i < h->site_count; i++) {
		const struct site *s = &h->sites[i];

		if (s->kind != KIND_MAPPING || !is_arena_size(s->main_size) ||
		    s->main_blocks != s->total.blocks)
			continue;
		if (!largest_site || s->peak.bytes > largest_site->peak.bytes)
			largest_site = s;
		peak.blocks += s->peak.blocks;
		peak.bytes += s->peak.bytes;
	}
	if (peak.bytes < MIB)
		return;
	units_count(count, peak.blocks);
	units_bytes(bytes, peak.bytes);
	units_bytes(size_text, largest_site->main_size);
	found(f, &(struct finding){
		.kind = FINDING_HIDDEN_ARENAS,
		.severity = SEVERITY_HINT,
		.stack = largest_site->stack,
		.count = peak.blocks,
		.bytes = peak.bytes,
		.size = largest_site->main_size,
		.share = share_of(peak.bytes, sum_saturated(h->peak.bytes,
							    h->mapped_peak.bytes)),
		.text = xasprintf("Python keeps its objects in %s arena%s of %s (%s at the "
				  "peak), which hide them: only the arenas are seen as "
				  "allocations", count, peak.blocks == 1 ? "" : "s",
				  size_text, bytes),
		.remedy = xstrdup(arena_remedy(h->image)),
	});
}

/* ---- malloc and the kernel ---- */

static void find_trim_storm(struct finder *f)
{
	const uint64_t least = 100, storm = 1000;
	const struct syscall_totals *brk = &f->heap->syscalls[SYS_MEM_brk];
	uint64_t threshold = MIB, need = difference(f->heap->break_peak,
						    f->heap->break_start);
	char up[UNITS_MAX], down[UNITS_MAX], bytes[UNITS_MAX], time[UNITS_MAX];
	char value[UNITS_MAX];

	if (brk->trim < least)
		return;
	while (threshold < need && threshold < (uint64_t)1 << 46)
		threshold *= 2;
	units_ns(time, (uint64_t)((double)brk->ticks * f->recording->ns_per_tick));
	snprintf(value, sizeof(value), "%llu", (unsigned long long)threshold);
	found(f, &(struct finding){
		.kind = FINDING_TRIM_STORM,
		.severity = brk->trim >= storm ? SEVERITY_PROBLEM : SEVERITY_HINT,
		.count = brk->trim,
		.bytes = brk->trim_bytes,
		.text = xasprintf("the program break moved up %s and down %s times: free "
				  "gave %s back to the kernel in small pieces (%s in brk)",
				  units_count(up, brk->grow), units_count(down, brk->trim),
				  units_bytes(bytes, brk->trim_bytes), time),
		.remedy = xasprintf("keep freed memory for reuse: "
				    "MALLOC_TRIM_THRESHOLD_=%s in the environment, or "
				    "mallopt(M_TRIM_THRESHOLD, ...)", value),
	});
}

static void find_mapping_churn(struct finder *f)
{
	const uint64_t least = 1000, storm = 10000;
	const struct heap *h = f->heap;
	const struct syscall_totals *map = &h->syscalls[SYS_MEM_mmap];
	const struct syscall_totals *unmap = &h->syscalls[SYS_MEM_munmap];
	char mapped[UNITS_MAX], unmapped[UNITS_MAX], mean[UNITS_MAX];
	const struct amount *served = &h->by_class[CLASS_MAPPED];
	uint64_t pairs = map->in_allocator < unmap->in_allocator ?
			 map->in_allocator : unmap->in_allocator;

	if (pairs < least || !served->blocks)
		return;
	found(f, &(struct finding){
		.kind = FINDING_MAPPING_CHURN,
		.severity = pairs >= storm ? SEVERITY_PROBLEM : SEVERITY_HINT,
		.count = pairs,
		.bytes = served->bytes,
		.share = share_of(pairs, h->total.blocks),
		.text = xasprintf("malloc made a mapping of its own for %s blocks of %s on "
				  "average, and gave %s mappings back: each is a system call "
				  "and fresh pages", units_count(mapped, served->blocks),
				  units_bytes(mean, served->bytes / served->blocks),
				  units_count(unmapped, unmap->in_allocator)),
		.remedy = xasprintf("serve them from the heap: MALLOC_MMAP_THRESHOLD_=33554432 "
				    "in the environment, or mallopt(M_MMAP_THRESHOLD, ...), "
				    "or reuse the blocks"),
	});
}

/* ---- sites ---- */

static void find_size_storms(struct finder *f)
{
	const uint64_t least = 10000;
	const double least_share = 0.3;
	const struct heap *h = f->heap;

	for (size_t i = 0; i < f->groups->count; i++) {
		const struct sitegroup *g = &f->groups->items[i];
		char count[UNITS_MAX], size[UNITS_MAX], blocks[UNITS_MAX];
		char bytes[UNITS_MAX];
		bool is_all = g->main_blocks == g->total.blocks;
		uint64_t sum;

		if (g->kind != KIND_HEAP || g->main_blocks < least ||
		    g->main_blocks * 2 <= g->total.blocks ||
		    share_of(g->main_blocks, h->total.blocks) < least_share)
			continue;
		if (__builtin_mul_overflow(g->main_blocks, g->main_size, &sum))
			sum = UINT64_MAX;
		found(f, &(struct finding){
			.kind = FINDING_SIZE_STORM,
			.severity = SEVERITY_HINT,
			.stack = g->stack,
			.count = g->main_blocks,
			.bytes = sum,
			.size = g->main_size,
			.share = share_of(g->main_blocks, h->total.blocks),
			.text = xasprintf("%s made %s%s blocks of %s bytes: %s of all blocks, "
					  "%s of all bytes requested", g->name,
					  is_all ? "" : "at least ",
					  units_count(count, g->main_blocks),
					  units_count(size, g->main_size),
					  units_percent(blocks, g->main_blocks,
							h->total.blocks),
					  units_percent(bytes, sum, h->total.bytes)),
			.remedy = xasprintf("many small blocks of one size: take them from "
					    "larger pieces, or see who asks: "
					    "allotrope sites --sort=blocks"),
		});
	}
}

static void find_temporary(struct finder *f)
{
	const uint64_t least = 10000;
	const double least_share = 0.1, high_share = 0.5;
	const struct heap *h = f->heap;
	const struct sitegroup *g = largest(f->groups, KIND_HEAP, temporary_blocks);
	char count[UNITS_MAX], part[UNITS_MAX], most[UNITS_MAX];
	double share = share_of(h->temporary.blocks, h->total.blocks);
	/* a block freed at the beginning of a window was acquired before it */
	uint64_t of_total = h->temporary.blocks < h->total.blocks ? h->temporary.blocks :
			    h->total.blocks;

	if (!g || h->temporary.blocks < least || share < least_share)
		return;
	found(f, &(struct finding){
		.kind = FINDING_TEMPORARY,
		.severity = share >= high_share ? SEVERITY_PROBLEM : SEVERITY_HINT,
		.stack = g->stack,
		.count = h->temporary.blocks,
		.bytes = h->temporary.bytes,
		.share = share,
		.text = xasprintf("%s blocks (%s) were freed before their thread asked for "
				  "another one; %s of these in %s",
				  units_count(count, h->temporary.blocks),
				  units_percent(part, of_total, h->total.blocks),
				  units_percent(most, g->temporary.blocks,
						h->temporary.blocks), g->name),
		.remedy = xasprintf("keep one buffer and use it again, or put it on the stack"),
	});
}

static void find_realloc_growth(struct finder *f)
{
	const uint64_t least_moves = 100, least_bytes = 16 * MIB;
	const struct sitegroup *g = largest(f->groups, KIND_HEAP, moved_bytes);
	char resized[UNITS_MAX], moved[UNITS_MAX], bytes[UNITS_MAX];

	if (!g || g->moved.blocks < least_moves || g->moved.bytes < least_bytes)
		return;
	found(f, &(struct finding){
		.kind = FINDING_REALLOC_GROWTH,
		.severity = SEVERITY_HINT,
		.stack = g->stack,
		.count = g->reallocs,
		.bytes = g->moved.bytes,
		.share = share_of(g->moved.blocks, g->reallocs),
		.text = xasprintf("%s resized blocks %s times; %s of these moved, with %s in "
				  "them", g->name, units_count(resized, g->reallocs),
				  units_count(moved, g->moved.blocks),
				  units_bytes(bytes, g->moved.bytes)),
		.remedy = xasprintf("reserve the final size, or grow by a factor (twice) and "
				    "not by a step"),
	});
}

static uint64_t never_touched(const struct sitegroup *s) { return freed_row_untouched(&s->large); }

static void find_never_touched(struct finder *f)
{
	const uint64_t least = 16 * MIB;
	const double least_share = 0.5;
	const struct sitegroup *g = largest(f->groups, KIND_HEAP, never_touched);
	uint64_t untouched = g ? never_touched(g) : 0;
	char blocks[UNITS_MAX], size[UNITS_MAX], used[UNITS_MAX], part[UNITS_MAX];
	const struct amount *asked;
	bool is_one;

	if (!g || untouched < least || share_of(untouched, g->large.freed.bytes) < least_share)
		return;
	asked = &g->large.freed;
	is_one = asked->blocks == 1;
	units_count(blocks, asked->blocks);
	units_bytes(size, asked->bytes / asked->blocks);
	units_bytes(used, difference(asked->bytes, untouched) / asked->blocks);
	units_percent(part, difference(asked->bytes, untouched), asked->bytes);
	found(f, &(struct finding){
		.kind = FINDING_NEVER_TOUCHED,
		.severity = SEVERITY_HINT,
		.stack = g->stack,
		.count = asked->blocks,
		.bytes = untouched,
		.share = share_of(untouched, asked->bytes),
		.text = is_one ?
			xasprintf("%s asked for a block of %s and touched %s of it at most (%s)",
				  g->name, size, used, part) :
			xasprintf("%s asked for %s blocks of %s on average and touched %s of each "
				  "at most (%s)%s", g->name, blocks, size, used, part,
				  freed_row_is_estimate(&g->large) ? ", as far as was looked" : ""),
		.remedy = xasprintf("memory that is never touched takes no RAM, but address space "
				    "(VIRT, limits) and time to map it: ask for what is used; see: "
				    "allotrope sites --touched=freed, or --touched"),
	});
}

static void find_never_freed(struct finder *f)
{
	const uint64_t least = MIB;
	const struct heap *h = f->heap;
	const struct sitegroup *g = largest(f->groups, KIND_HEAP, end_bytes);
	char bytes[UNITS_MAX], blocks[UNITS_MAX], part[UNITS_MAX], most[UNITS_MAX];

	if (!g || h->end.bytes < least ||
	    h->end.bytes < h->peak.bytes - h->peak.bytes / 5)
		return;
	found(f, &(struct finding){
		.kind = FINDING_NEVER_FREED,
		.severity = SEVERITY_FACT,
		.stack = g->stack,
		.count = h->end.blocks,
		.bytes = h->end.bytes,
		.share = share_of(h->end.bytes, h->peak.bytes),
		.text = xasprintf("%s in %s blocks was still there at the end, %s of the peak; "
				  "%s of it from %s", units_bytes(bytes, h->end.bytes),
				  units_count(blocks, h->end.blocks),
				  units_percent(part, h->end.bytes, h->peak.bytes),
				  units_percent(most, g->end.bytes, h->end.bytes), g->name),
		.remedy = xasprintf("fine where the program needs it until it ends; else see: "
				    "allotrope sites --sort=end_bytes"),
	});
}

/* KIND's peak has WHOLE, called OF_WHAT in the sentence. */
static void find_biggest_site(struct finder *f, enum alloc_kind kind,
			      const struct amount *whole, const char *of_what)
{
	const double least_share = 0.1;
	const struct sitegroup *g = largest(f->groups, kind, peak_bytes);
	char bytes[UNITS_MAX], blocks[UNITS_MAX], part[UNITS_MAX];

	if (!g || share_of(g->peak.bytes, whole->bytes) < least_share)
		return;
	found(f, &(struct finding){
		.kind = FINDING_BIGGEST_SITE,
		.severity = SEVERITY_FACT,
		.stack = g->stack,
		.count = g->peak.blocks,
		.bytes = g->peak.bytes,
		.share = share_of(g->peak.bytes, whole->bytes),
		.text = xasprintf("at the peak %s held %s in %s %s%s: %s of %s", g->name,
				  units_bytes(bytes, g->peak.bytes),
				  units_count(blocks, g->peak.blocks),
				  kind == KIND_MAPPING ? "mapping" : "block",
				  g->peak.blocks == 1 ? "" : "s",
				  units_percent(part, g->peak.bytes, whole->bytes), of_what),
		.remedy = xasprintf("see its callers: allotrope sites --sort=peak_bytes"),
	});
}

/* ---- the list ---- */

static int finding_compare(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	if (x->severity != y->severity)
		return x->severity < y->severity ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return (x->stack > y->stack) - (x->stack < y->stack);
}

struct findings *findings_new(const struct recording *r, const struct heap *h,
			      const struct site_naming *naming, const struct freed_pages *freed)
{
	struct sitegroups *groups = sitegroups_new(h, naming, freed);
	struct finder f = {
		.recording = r,
		.heap = h,
		.groups = groups,
		.found = xcalloc(1, sizeof(struct findings)),
	};

	find_hidden_arenas(&f);
	find_trim_storm(&f);
	find_mapping_churn(&f);
	find_size_storms(&f);
	find_temporary(&f);
	find_realloc_growth(&f);
	find_never_touched(&f);
	find_never_freed(&f);
	find_biggest_site(&f, KIND_HEAP, &h->peak, "the heap");
	/* address space is worth a word where it is more than the heap */
	if (h->mapped_peak.bytes > h->peak.bytes)
		find_biggest_site(&f, KIND_MAPPING, &h->mapped_peak,
				  "the address space it mapped itself");
	if (f.found->count)
		qsort(f.found->items, f.found->count, sizeof(*f.found->items),
		      finding_compare);
	sitegroups_free(groups);
	return f.found;
}

void findings_free(struct findings *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->count; i++) {
		free(f->items[i].text);
		free(f->items[i].remedy);
	}
	free(f->items);
	free(f);
}

const char *finding_key(enum finding_kind kind)
{
	static const char *const keys[FINDING_COUNT] = {
#define ROW(name, key) [FINDING_##name] = key,
		FINDING_KINDS(ROW)
#undef ROW
	};

	return (unsigned)kind < FINDING_COUNT ? keys[kind] : "unknown";
}

const char *finding_severity_name(enum finding_severity severity)
{
	static const char *const names[] = {
		[SEVERITY_PROBLEM] = "problem",
		[SEVERITY_HINT] = "hint",
		[SEVERITY_FACT] = "fact",
	};

	return (unsigned)severity <= SEVERITY_FACT ? names[severity] : "unknown";
}
