/*
 * mappings.c - see mappings.h. The ranges are a tsearch(3) tree in which ranges
 * that overlap compare as equal: so a search with a range finds any that
 * touches it. That is an order as long as the ranges in the tree are disjoint,
 * which each function here keeps.
 */
#include "model/mappings.h"

#include <search.h>
#include <stdlib.h>

#include "base/xmem.h"

static int range_compare(const void *a, const void *b)
{
	const struct mapping_piece *x = a, *y = b;

	if (x->end <= y->start)
		return -1;
	return x->start >= y->end;
}

static void holder_drop(struct mapping *mapping)
{
	if (--mapping->holders == 0)
		free(mapping);
}

static void range_free(void *range)
{
	struct mapping_piece *r = range;

	holder_drop(r->mapping);
	free(r);
}

/* The range becomes a holder of its mapping. */
static void range_insert(struct mappings *m, uint64_t start, uint64_t end,
			 struct mapping *mapping)
{
	struct mapping_piece *r = xmalloc(sizeof(*r));

	*r = (struct mapping_piece){ start, end, mapping };
	mapping->holders++;
	m->count++;
	/* a tree node that cannot be had: xmalloc would have ended the program too */
	if (!tsearch(r, &m->ranges, range_compare)) {
		m->count--;
		range_free(r);
	}
}

void mappings_release(struct mappings *m)
{
	tdestroy(m->ranges, range_free);
	*m = (struct mappings){ 0 };
}

void mappings_take(struct mappings *m, uint64_t start, uint64_t end,
		   struct mapping_pieces *pieces)
{
	struct mapping_piece wanted = { start, end, NULL };

	if (start >= end)
		return;
	for (;;) {
		void *node = tfind(&wanted, &m->ranges, range_compare);
		struct mapping_piece *r, *piece;

		if (!node)
			return;
		r = *(struct mapping_piece **)node;
		tdelete(r, &m->ranges, range_compare);
		m->count--;
		if (r->start < start)
			range_insert(m, r->start, start, r->mapping);
		if (r->end > end)
			range_insert(m, end, r->end, r->mapping);
		xgrow(&pieces->items, &pieces->capacity, pieces->count,
		      sizeof(*pieces->items));
		piece = &pieces->items[pieces->count++];
		*piece = *r;
		piece->start = r->start < start ? start : r->start;
		piece->end = r->end > end ? end : r->end;
		free(r); /* the piece is the holder now */
	}
}

/* Put [START, END) of MAPPING back where it is free. */
static void range_put_back(struct mappings *m, uint64_t start, uint64_t end,
			   struct mapping *mapping)
{
	while (start < end) {
		struct mapping_piece wanted = { start, end, NULL };
		void *node = tfind(&wanted, &m->ranges, range_compare);
		const struct mapping_piece *other;

		if (!node) {
			range_insert(m, start, end, mapping);
			return;
		}
		other = *(struct mapping_piece **)node;
		if (other->start > start)
			range_put_back(m, start, other->start, mapping);
		start = other->end;
	}
}

void mappings_restore(struct mappings *m, struct mapping_pieces *pieces)
{
	for (size_t i = 0; i < pieces->count; i++) {
		struct mapping_piece *p = &pieces->items[i];

		range_put_back(m, p->start, p->end, p->mapping);
		holder_drop(p->mapping);
	}
	pieces->count = 0;
}

bool mapping_piece_end(struct mapping_piece *piece)
{
	struct mapping *mapping = piece->mapping;
	uint64_t bytes = piece->end - piece->start;
	bool is_last;

	mapping->bytes_left -= bytes < mapping->bytes_left ? bytes :
							     mapping->bytes_left;
	is_last = mapping->bytes_left == 0;
	piece->mapping = NULL;
	holder_drop(mapping);
	return is_last;
}

void mappings_add(struct mappings *m, uint64_t start, uint64_t end,
		  uint64_t birth_stamp, site_id site, uint32_t stream)
{
	struct mapping *mapping = xmalloc(sizeof(*mapping));

	*mapping = (struct mapping){
		.birth_stamp = birth_stamp,
		.bytes_left = end - start,
		.stream = stream,
		.site = site,
	};
	range_insert(m, start, end, mapping);
}

struct visitor {
	void (*visit)(const struct mapping_piece *range, void *ctx);
	void *ctx;
};

static void visit_node(const void *node, VISIT order, void *closure)
{
	const struct visitor *v = closure;

	if (order == postorder || order == leaf)
		v->visit(*(struct mapping_piece *const *)node, v->ctx);
}

void mappings_each(const struct mappings *m,
		   void (*visit)(const struct mapping_piece *range, void *ctx),
		   void *ctx)
{
	struct visitor v = { visit, ctx };

	twalk_r(m->ranges, visit_node, &v);
}

struct copier {
	struct mappings *to;
	site_id (*site)(site_id from, void *ctx);
	void *ctx;
};

static void copy_range(const struct mapping_piece *range, void *ctx)
{
	const struct copier *c = ctx;
	struct mapping *from = range->mapping;

	/* all ranges of one mapping become ranges of one copy */
	if (from->copy_in != c->to) {
		from->copy = xmalloc(sizeof(*from->copy));
		*from->copy = *from;
		from->copy->site = c->site(from->site, c->ctx);
		from->copy->holders = 0;
		from->copy->copy_in = NULL;
		from->copy_in = c->to;
	}
	range_insert(c->to, range->start, range->end, from->copy);
}

void mappings_copy(struct mappings *to, const struct mappings *from,
		   site_id (*site)(site_id from, void *ctx), void *ctx)
{
	struct copier c = { to, site, ctx };

	mappings_each(from, copy_range, &c);
}
