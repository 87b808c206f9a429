/*
 * address_space.c - what each mapping is for.
 */
#include "forms/address_space.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/xmem.h"

const char *region_type_name(enum region_type type)
{
	static const char *const names[REGION_TYPES] = {
		[REGION_HEAP] = "heap (break)",
		[REGION_ARENA] = "malloc arena",
		[REGION_MALLOC_MAP] = "malloc mapping",
		[REGION_PROGRAM_MAP] = "program's map",
		[REGION_ANONYMOUS] = "anonymous",
		[REGION_STACK] = "stack",
		[REGION_CODE] = "code",
		[REGION_DATA] = "file data",
		[REGION_READ_ONLY] = "file read-only",
		[REGION_SHARED] = "shared",
		[REGION_RESERVED] = "reserved",
		[REGION_KERNEL] = "kernel",
		[REGION_RECORDER] = "allotrope",
	};

	return names[type];
}

static bool starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* The ring (session_file.c: allotrope-0123456789abcdef.ring, deleted by now or not) and the library. */
static bool is_recorder(const struct smaps_region *m)
{
	const char *slash = strrchr(m->name, '/');

	return strcmp(m->name, "[anon:allotrope]") == 0 ||
	       (slash && (starts_with(slash, "/liballotrope.so") ||
			  (starts_with(slash, "/allotrope-") && strlen(slash) > 27 &&
			   starts_with(slash + 27, ".ring"))));
}

/*
 * The library's mappings, joined by the kernel with neighbours or not, and what stands behind its
 * file: its .bss.
 */
static bool is_own(const struct smaps *smaps, size_t i, const struct map_snapshots *own, uint32_t pid)
{
	const struct smaps_region *m = &smaps->rows[i];

	if (is_recorder(m))
		return true;
	if (*m->name)
		return false;
	if (i > 0 && smaps->rows[i - 1].end == m->start && is_recorder(&smaps->rows[i - 1]))
		return true;
	return own && map_snapshots_own_bytes(own, pid, m->start, m->end) > m->size / 2;
}

static enum region_type type_of(const struct smaps_region *m)
{
	bool is_file = *m->name == '/';

	if (strcmp(m->name, "[heap]") == 0)
		return REGION_HEAP;
	if (starts_with(m->name, "[stack"))
		return REGION_STACK;
	if (*m->name == '[' && !starts_with(m->name, "[anon"))
		return REGION_KERNEL;
	if (m->is_shared && (!is_file || m->prot & PROT_WRITE || starts_with(m->name, "/dev/shm/") ||
			     starts_with(m->name, "/memfd:") || starts_with(m->name, "/SYSV")))
		return REGION_SHARED;
	if (!(m->prot & (PROT_READ | PROT_WRITE | PROT_EXEC)))
		return REGION_RESERVED;
	if (!is_file)
		return REGION_ANONYMOUS;
	if (m->prot & PROT_EXEC)
		return REGION_CODE;
	return m->prot & PROT_WRITE ? REGION_DATA : REGION_READ_ONLY;
}

struct address_space *address_space_new(const struct smaps *smaps, const struct map_snapshots *own,
					uint32_t pid)
{
	struct address_space *a = xcalloc(1, sizeof(*a));

	a->smaps = smaps;
	a->count = smaps->count;
	a->rows = xcalloc(smaps->count ? smaps->count : 1, sizeof(*a->rows));
	for (size_t i = 0; i < smaps->count; i++) {
		const struct smaps_region *m = &smaps->rows[i];

		a->rows[i].map = m;
		a->rows[i].type = is_own(smaps, i, own, pid) ? REGION_RECORDER : type_of(m);
	}
	return a;
}

void address_space_free(struct address_space *a)
{
	if (!a)
		return;
	free(a->rows);
	free(a);
}

struct region_view *address_space_find(const struct address_space *a, uint64_t address)
{
	const struct smaps_region *m = smaps_find(a->smaps, address);

	return m ? &a->rows[m - a->smaps->rows] : NULL;
}

/* Whether PART is the larger one, of equal ones the first. */
static bool is_larger(const struct region_part *part, const struct region_part *most)
{
	return !most->view || part->bytes > most->bytes;
}

void address_space_parts(const struct address_space *a, uint64_t address, uint64_t bytes,
			 void (*visit)(const struct region_part *part, void *ctx), void *ctx)
{
	uint64_t end = address + bytes;
	struct region_part most = { 0 };

	for (int pass = 0; pass < 2; pass++) {
		uint64_t at = address;

		do {
			struct region_part part = { .view = address_space_find(a, at), .start = at };
			uint64_t to;

			if (!part.view)
				break;
			to = part.view->map->end < end ? part.view->map->end : end;
			part.bytes = to - at;
			part.is_most = pass == 1 && at == most.start;
			if (pass == 1)
				visit(&part, ctx);
			else if (is_larger(&part, &most))
				most = part;
			at = to;
		} while (at < end);
	}
}

uint64_t region_part_bytes(const struct region_part *part, const struct block *b, struct amount weight)
{
	if (part->bytes == b->size)
		return weight.bytes;
	if (weight.bytes == b->size)
		return part->bytes;
	return (uint64_t)((double)weight.bytes * ((double)part->bytes / (double)b->size));
}

struct adding {
	struct address_space *a;
	const struct heap *heap;
	const struct map_snapshot *snapshot;
};

struct adding_block {
	const struct adding *adding;
	const struct block *block;
	struct amount weight;
};

static void add_part(const struct region_part *part, void *ctx)
{
	const struct adding_block *one = ctx;
	const struct map_snapshot *snapshot = one->adding->snapshot;
	const struct block *b = one->block;
	struct region_view *v = part->view;

	v->live.bytes += region_part_bytes(part, b, one->weight);
	if (snapshot && snapshot->has_pages)
		v->touched += map_snapshot_touched(snapshot, part->start, part->start + part->bytes);
	if (b->cls == CLASS_ARENA)
		v->has_arena = true;
	v->has_parts |= !part->is_most;
	if (!part->is_most)
		return;
	v->live.blocks += one->weight.blocks;
	v->rounding += b->slack * one->weight.blocks;
	/* glibc: a chunk has a size word before it, one with a mapping of its own two */
	v->headers += (b->cls == CLASS_MAPPED ? 16 : b->cls == CLASS_FOREIGN ? 0 : 8) *
		      one->weight.blocks;
}

static void add_block(const struct block *b, void *ctx)
{
	const struct adding *adding = ctx;
	struct adding_block one = { adding, b, replay_weight(adding->heap, b) };

	address_space_parts(adding->a, b->addr, b->size, add_part, &one);
}

static void add_mapped_part(const struct region_part *part, void *ctx)
{
	(void)ctx;
	part->view->mapped.blocks += part->is_most;
	part->view->mapped.bytes += part->bytes;
}

static void add_mapping(const struct block *b, void *ctx)
{
	const struct adding *adding = ctx;

	address_space_parts(adding->a, b->addr, b->size, add_mapped_part, NULL);
}

/* The kernel joins neighbouring mappings into one row: it is what most of it is. */
static enum region_type anonymous_type(const struct region_view *v)
{
	if (v->has_arena)
		return REGION_ARENA;
	if (v->mapped.bytes && v->mapped.bytes >= v->live.bytes)
		return REGION_PROGRAM_MAP;
	return v->live.blocks || v->live.bytes ? REGION_MALLOC_MAP : REGION_ANONYMOUS;
}

void address_space_add_heap(struct address_space *a, const struct replay *rp,
			    const struct heap *heap, const struct map_snapshot *snapshot)
{
	struct adding adding = { a, heap, snapshot };

	a->has_heap = true;
	a->has_pages = snapshot && snapshot->has_pages;
	replay_each_live(rp, heap, add_block, &adding);
	replay_each_mapping(rp, heap, add_mapping, &adding);
	for (size_t i = 0; i < a->count; i++)
		if (a->rows[i].type == REGION_ANONYMOUS)
			a->rows[i].type = anonymous_type(&a->rows[i]);
}
