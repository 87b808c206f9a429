/*
 * map_snapshots.c - puts snapshots together from their metadata records. Relies on records coming by
 * stamp, so the parts of one snapshot follow each other, whatever other processes write.
 */
#include "trace/map_snapshots.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"
#include "varint.h"

/* Text of a snapshot under way. */
struct piece {
	uint32_t pid;
	uint64_t stamp, next_part;
	char *text;
	size_t bytes, capacity;
};

struct gathering {
	struct map_snapshots *s;
	const struct recording *r;
	struct piece *pieces; size_t piece_count, piece_capacity;
	size_t capacity, own_capacity;
};

struct fields { const uint8_t *p, *end; };

static uint64_t number(struct fields *f)
{
	const uint8_t *next;
	uint64_t v;

	next = f->p ? varint_get(f->p, f->end, &v) : NULL;
	f->p = next;
	return next ? v : 0;
}

/* A string field: its bytes and their number; NULL where it is cut off. */
static const char *text(struct fields *f, size_t *bytes)
{
	uint64_t n = number(f);
	const char *s = (const char *)f->p;

	*bytes = 0;
	if (!f->p || n > (size_t)(f->end - f->p))
		return NULL;
	f->p += n;
	*bytes = (size_t)n;
	return s;
}

static struct map_snapshot *snapshot_of(struct gathering *g, uint32_t pid, uint64_t stamp)
{
	const struct image *image;
	struct map_snapshot *s;

	for (size_t i = g->s->count; i > 0; i--)
		if (g->s->items[i - 1].pid == pid && g->s->items[i - 1].stamp == stamp)
			return &g->s->items[i - 1];
	xgrow(&g->s->items, &g->capacity, g->s->count, sizeof(*g->s->items));
	s = &g->s->items[g->s->count++];
	*s = (struct map_snapshot){ .pid = pid, .stamp = stamp };
	image = recording_image_at(g->r, pid, stamp);
	s->image = image ? image->number : 0;
	return s;
}

static struct piece *piece_of(struct gathering *g, uint32_t pid, uint64_t stamp)
{
	for (size_t i = g->piece_count; i > 0; i--)
		if (g->pieces[i - 1].pid == pid && g->pieces[i - 1].stamp == stamp)
			return &g->pieces[i - 1];
	xgrow(&g->pieces, &g->piece_capacity, g->piece_count, sizeof(*g->pieces));
	g->pieces[g->piece_count] = (struct piece){ .pid = pid, .stamp = stamp };
	return &g->pieces[g->piece_count++];
}

static void add_smaps(struct gathering *g, struct fields *f)
{
	uint32_t pid = (uint32_t)number(f);
	uint64_t stamp = number(f), moment = number(f), part;
	size_t label_bytes, bytes;
	const char *label = text(f, &label_bytes), *content;
	struct piece *piece;
	struct map_snapshot *s;
	bool is_last;

	part = number(f);
	is_last = number(f);
	content = text(f, &bytes);
	piece = piece_of(g, pid, stamp);
	/* a part is missing: what follows would be misread */
	if (!content || !label || part != piece->next_part) {
		piece->next_part = UINT64_MAX;
		return;
	}
	piece->next_part++;
	xgrow(&piece->text, &piece->capacity, piece->bytes + bytes, 1);
	if (bytes)
		memcpy(piece->text + piece->bytes, content, bytes);
	piece->bytes += bytes;
	if (!is_last)
		return;
	s = snapshot_of(g, pid, stamp);
	if (s->smaps)
		return;
	s->smaps = smaps_parse(piece->text ? piece->text : "", piece->bytes);
	s->moment = moment <= MEMORY_AT_MARK ? (uint8_t)moment : MEMORY_PERIODIC;
	s->label = xstrndup(label, label_bytes);
	free(piece->text);
	*piece = g->pieces[--g->piece_count];
}

static void add_pages(struct gathering *g, struct fields *f)
{
	uint32_t pid = (uint32_t)number(f);
	uint64_t stamp = number(f), page_bytes = number(f), flags = number(f), at = 0;
	struct map_snapshot *s;

	if (!f->p || page_bytes == 0 || page_bytes > 1u << 20)
		return;
	s = snapshot_of(g, pid, stamp);
	s->has_pages = true;
	s->page_bytes = page_bytes;
	if (flags & PAGES_CUT)
		s->pages_are_cut = true;
	while (f->p && f->p < f->end) {
		uint64_t gap = number(f), pages = number(f);
		uint64_t limit = UINT64_MAX / page_bytes;

		/* addresses beyond the last one: damage */
		if (!f->p || gap > limit - at || pages > limit - at - gap)
			return;
		at += gap;
		xgrow(&s->touched, &s->touched_capacity, s->touched_count, sizeof(*s->touched));
		s->touched[s->touched_count++] = (struct address_range){
			at * page_bytes, (at + pages) * page_bytes };
		at += pages;
	}
}

/* What A and the range from START to END have in common. */
static uint64_t overlap(const struct address_range *a, uint64_t start, uint64_t end)
{
	uint64_t from = a->start > start ? a->start : start;
	uint64_t to = a->end < end ? a->end : end;

	return to > from ? to - from : 0;
}

uint64_t map_snapshots_own_bytes(const struct map_snapshots *s, uint32_t pid, uint64_t start, uint64_t end)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < s->own_count; i++)
		if (s->own[i].pid == pid)
			bytes += overlap(&s->own[i].range, start, end);
	return bytes;
}

static void add_own(struct gathering *g, struct fields *f)
{
	uint32_t pid = (uint32_t)number(f);

	number(f);
	while (f->p && f->p < f->end) {
		uint64_t start = number(f), bytes = number(f);

		if (!f->p || bytes > UINT64_MAX - start)
			return;
		/* each snapshot tells all of them again */
		if (map_snapshots_own_bytes(g->s, pid, start, start + bytes))
			continue;
		xgrow(&g->s->own, &g->own_capacity, g->s->own_count, sizeof(*g->s->own));
		g->s->own[g->s->own_count++] = (struct own_memory){ pid, { start, start + bytes } };
	}
}

static void add_record(enum meta_kind kind, const uint8_t *payload, size_t bytes, void *ctx)
{
	struct fields f = { payload, payload + bytes };

	if (kind == META_SMAPS)
		add_smaps(ctx, &f);
	else if (kind == META_PAGES)
		add_pages(ctx, &f);
	else if (kind == META_OWN_MEMORY)
		add_own(ctx, &f);
}

static int compare_ranges(const void *pa, const void *pb)
{
	const struct address_range *a = pa, *b = pb;

	return a->start < b->start ? -1 : a->start > b->start;
}

static int compare_snapshots(const void *pa, const void *pb)
{
	const struct map_snapshot *a = pa, *b = pb;

	if (a->stamp != b->stamp)
		return a->stamp < b->stamp ? -1 : 1;
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

static void release(struct map_snapshot *s)
{
	free(s->label);
	free(s->touched);
	smaps_free(s->smaps);
}

struct map_snapshots *map_snapshots_new(struct recording *r)
{
	struct map_snapshots *s = xcalloc(1, sizeof(*s));
	struct gathering g = { .s = s, .r = r };
	size_t kept = 0;

	recording_each_meta(r, add_record, &g);
	for (size_t i = 0; i < g.piece_count; i++)
		free(g.pieces[i].text);
	free(g.pieces);
	for (size_t i = 0; i < s->count; i++) {
		struct map_snapshot *item = &s->items[i];

		/* a process that died while it wrote: pages without a text */
		if (!item->smaps || item->smaps->count == 0) {
			release(item);
			continue;
		}
		if (item->touched_count > 1)
			qsort(item->touched, item->touched_count, sizeof(*item->touched),
			      compare_ranges);
		s->items[kept++] = *item;
	}
	s->count = kept;
	if (s->count > 1)
		qsort(s->items, s->count, sizeof(*s->items), compare_snapshots);
	return s;
}

void map_snapshots_free(struct map_snapshots *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		release(&s->items[i]);
	free(s->items);
	free(s->own);
	free(s);
}

uint64_t map_snapshot_touched(const struct map_snapshot *s, uint64_t start, uint64_t end)
{
	size_t low = 0, high = s->touched_count;
	uint64_t bytes = 0;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (s->touched[middle].end <= start)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < s->touched_count && s->touched[low].start < end; low++)
		bytes += overlap(&s->touched[low], start, end);
	return bytes;
}
