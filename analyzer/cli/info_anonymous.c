/*
 * info_anonymous.c - see info_anonymous.h. Relies on address_space.c for what each mapping
 * is; the kernel joins neighbours, so a mapping counts by what most of it is.
 */
#include "cli/info_anonymous.h"

#include <stdlib.h>
#include <string.h>

#include "base/emit.h"
#include "base/units.h"
#include "base/xmem.h"
#include "forms/address_space.h"
#include "trace/map_snapshots.h"

/* Programs shown in text, the largest first. */
#define SHOWN_MAX 5

/* Of one image's last snapshot. */
struct rest {
	const struct map_snapshot *snapshot;
	const struct image *image;
	uint64_t bytes;        /* resident, in `maps` mappings */
	size_t maps;
	uint64_t largest, largest_start;
};

struct anonymous {
	const struct recording *recording;
	struct map_snapshots *snapshots;
	struct rest *rests;    /* by stamp */
	size_t count, next;
};

/* The last snapshot of each image that has one. */
struct anonymous *anonymous_new(struct recording *r)
{
	struct anonymous *a = xcalloc(1, sizeof(*a));
	bool *seen = xcalloc(r->image_count + 1, sizeof(*seen));
	struct map_snapshots *s = map_snapshots_new(r);

	a->recording = r;
	a->snapshots = s;
	a->rests = xcalloc(s->count + 1, sizeof(*a->rests));
	for (size_t i = s->count; i-- > 0;) {
		const struct image *image = recording_image(r, s->items[i].image);

		if (!image || seen[image - r->images])
			continue;
		seen[image - r->images] = true;
		a->rests[a->count++] = (struct rest){ .snapshot = &s->items[i], .image = image };
	}
	/* they were found from the last to the first */
	for (size_t i = 0; i < a->count / 2; i++) {
		struct rest swap = a->rests[i];

		a->rests[i] = a->rests[a->count - 1 - i];
		a->rests[a->count - 1 - i] = swap;
	}
	free(seen);
	return a;
}

void anonymous_free(struct anonymous *a)
{
	if (!a)
		return;
	map_snapshots_free(a->snapshots);
	free(a->rests);
	free(a);
}

/* M was there before the library, in IMAGE or in those that it was forked from. */
static bool was_before(const struct recording *r, const struct image *image,
		       const struct smaps_region *m)
{
	for (; image; image = image->how == PROCESS_FORKED ? image_parent(r, image) : NULL)
		for (size_t i = 0; i < image->region_count; i++)
			if (image->regions[i].start < m->end && m->start < image->regions[i].end)
				return true;
	return false;
}

/* Row I of A is what stands behind the data of a file: its .bss. */
static bool is_bss(const struct address_space *a, size_t i)
{
	const struct smaps_region *m = a->rows[i].map, *before = i ? a->rows[i - 1].map : NULL;

	return before && before->end == m->start && *before->name == '/';
}

/* Resident bytes of row I that nothing explains. */
static uint64_t unexplained(const struct address_space *a, size_t i, const struct rest *t,
			    const struct recording *r)
{
	const struct region_view *v = &a->rows[i];
	uint64_t left;

	if (is_bss(a, i) || was_before(r, t->image, v->map))
		return 0;
	if (v->type == REGION_ANONYMOUS)
		return v->map->rss;
	if (v->type != REGION_PROGRAM_MAP || v->mapped.bytes + v->live.bytes >= v->map->size)
		return 0;
	/* which part is resident is not known: it is less than a page that matters */
	left = v->map->size - v->mapped.bytes - v->live.bytes;
	return left > v->map->rss ? v->map->rss : left;
}

static void look_at(struct anonymous *a, struct rest *t, const struct replay *rp)
{
	const struct map_snapshot *s = t->snapshot;
	const struct heap *heap = replay_image_heap(rp, t->image->number);
	struct address_space *space = address_space_new(s->smaps, a->snapshots, s->pid);

	if (heap)
		address_space_add_heap(space, rp, heap, s);
	for (size_t i = 0; i < space->count; i++) {
		uint64_t bytes = unexplained(space, i, t, a->recording);

		if (!bytes)
			continue;
		t->bytes += bytes;
		t->maps++;
		if (bytes > t->largest) {
			t->largest = bytes;
			t->largest_start = space->rows[i].map->start;
		}
	}
	address_space_free(space);
}

void anonymous_watch(struct anonymous *a, const struct replay *rp, uint64_t stamp)
{
	for (; a->next < a->count && a->rests[a->next].snapshot->stamp <= stamp; a->next++)
		look_at(a, &a->rests[a->next], rp);
}

static int compare_rests(const void *pa, const void *pb)
{
	const struct rest *a = *(const struct rest *const *)pa, *b = *(const struct rest *const *)pb;

	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	return a < b ? -1 : a > b;
}

void anonymous_lines(const struct anonymous *a, info_put *put)
{
	const struct rest **order = xcalloc(a->count + 1, sizeof(*order));
	char bytes[UNITS_MAX], maps[UNITS_MAX], most[UNITS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < a->count; i++)
		if (a->rests[i].bytes)
			order[n++] = &a->rests[i];
	qsort(order, n, sizeof(*order), compare_rests);
	for (size_t i = 0; i < n && i < SHOWN_MAX; i++)
		put(i ? "" : "unexplained", "process %u: %s resident in %s anonymous mapping%s that no call "
		    "explains; most, %s, at 0x%llx", order[i]->image->pid,
		    units_bytes(bytes, order[i]->bytes), units_count(maps, order[i]->maps),
		    order[i]->maps == 1 ? "" : "s", units_bytes(most, order[i]->largest),
		    (unsigned long long)order[i]->largest_start);
	if (n > SHOWN_MAX)
		put("", "and of %s more processes", units_count(maps, n - SHOWN_MAX));
	if (!n && a->count)
		put("unexplained", "no anonymous memory, of %s program%s whose address space was seen",
		    units_count(maps, a->count), a->count == 1 ? "" : "s");
	if (!a->count)
		put("unexplained", "not known: no address space was seen");
	free(order);
}

json_t *anonymous_json(const struct anonymous *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->count; i++) {
		const struct rest *t = &a->rests[i];

		json_array_append_new(list, json_pack("{s:o, s:o, s:f, s:o, s:o, s:o}",
			"pid", json_from_number(t->image->pid),
			"image", json_from_number(t->image->number),
			"time_s", (double)recording_ns(a->recording, t->snapshot->stamp) / 1e9,
			"resident_bytes", json_from_number(t->bytes),
			"maps", json_from_number(t->maps),
			"largest", json_from_number(t->largest)));
	}
	return list;
}
