/*
 * massif_tree.c - call stacks put together from their allocation sites outwards. Frames
 * below main and beyond the depth are left out, as valgrind does; what is below
 * the threshold is one line.
 */
#include "forms/massif_tree.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/idmap.h"
#include "base/visible.h"
#include "base/xmem.h"

/* One line of a call stack: an address, and which of the calls that were inlined there. */
struct tree_frame {
	char *label;
	uint64_t address;
	bool is_last;        /* main, or where there is none what called it */
};

struct tree_node {
	uint32_t frame;
	uint32_t first_child, next_sibling; /* 0: none */
	uint64_t bytes;
};

struct massif_trees {
	struct resolver *resolver;
	const struct wrappers *wrappers;
	const struct stacks *stacks;
	bool is_pages;
	double threshold;
	uint32_t depth;
	struct idmap by_place;      /* see place_key -> frame */
	struct tree_frame *frames;  /* [0] is unused */
	size_t frame_count, frame_capacity;
	/* the tree being made */
	struct idmap by_parent;     /* parent << 32 | frame -> node */
	struct tree_node *nodes;    /* [0] is the root */
	size_t node_count, node_capacity;
	uint32_t *path;             /* frames of one stack, innermost first */
	size_t path_capacity;
};

struct massif_trees *massif_trees_new(struct resolver *resolver, const struct wrappers *wrappers,
				      const struct stacks *stacks, bool is_pages,
				      double threshold, uint32_t depth)
{
	struct massif_trees *t = xcalloc(1, sizeof(*t));

	*t = (struct massif_trees){
		.resolver = resolver, .wrappers = wrappers, .stacks = stacks,
		.is_pages = is_pages, .threshold = threshold, .depth = depth,
	};
	xgrow(&t->frames, &t->frame_capacity, 0, sizeof(*t->frames));
	t->frames[t->frame_count++] = (struct tree_frame){ 0 };
	return t;
}

void massif_trees_free(struct massif_trees *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->frame_count; i++)
		free(t->frames[i].label);
	free(t->frames);
	free(t->nodes);
	free(t->path);
	idmap_release(&t->by_place);
	idmap_release(&t->by_parent);
	free(t);
}

/* ---- frames ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* What starts a program: outside main nobody looks. */
static bool is_below_main(const struct symbol_frame *f)
{
	static const char *const names[] = {
		"_start", "__libc_start_main", "__libc_start_main_impl", "__libc_start_call_main",
		"generic_start_main",
	};

	for (size_t i = 0; f->function && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(f->function, names[i]) == 0)
			return true;
	return false;
}

static char *frame_label(uint64_t address, const struct symbol_frame *f)
{
	const char *function = is_below_main(f) ? "(below main)" :
			       f->function ? f->function : "\?\?\?";
	char *text, *safe;

	if (f->file && f->line > 0)
		text = xasprintf("0x%" PRIX64 ": %s (%s:%d)", address, function,
				 base_name(f->file), f->line);
	else if (f->module)
		text = xasprintf("0x%" PRIX64 ": %s (in %s)", address, function, f->module);
	else
		text = xasprintf("0x%" PRIX64 ": %s", address, function);
	safe = visible_text(text);
	free(text);
	return safe;
}

static uint32_t add_frame(struct massif_trees *t, uint64_t key, struct tree_frame frame)
{
	uint32_t id = idmap_add(&t->by_place, key, (uint32_t)t->frame_count);

	if (id == t->frame_count) {
		xgrow(&t->frames, &t->frame_capacity, t->frame_count, sizeof(*t->frames));
		t->frames[t->frame_count++] = frame;
	} else {
		free(frame.label);
	}
	return id;
}

/*
 * The same code has one number whichever stack it stands in: address, what was mapped
 * there, and the inlined call.
 */
static uint64_t place_key(const struct stack_node *n, uint32_t index)
{
	uint64_t key = n->value * 0x9e3779b97f4a7c15u;

	key ^= (uint64_t)n->type << 56 ^ (uint64_t)n->generation << 36 ^ index;
	return key * 0xbf58476d1ce4e5b9u + 1;
}

static uint32_t frame_at(struct massif_trees *t, stack_id stack, uint32_t index)
{
	const struct stack_node *n = stacks_node(t->stacks, stack);
	const struct symbol_frame *f = &resolver_frame(t->resolver, stack)->frames[index];
	uint64_t address = n->type == FRAME_NATIVE ? n->value : 0;
	uint64_t key = place_key(n, index);
	uint32_t known = idmap_find(&t->by_place, key);

	if (known)
		return known;
	return add_frame(t, key, (struct tree_frame){
		.label = frame_label(address, f),
		.address = address,
		.is_last = is_below_main(f) || (f->function && strcmp(f->function, "main") == 0),
	});
}

/* Code that is not known: a block without a call stack. */
static uint32_t no_frame(struct massif_trees *t, bool is_before)
{
	return add_frame(t, is_before ? 2 : 1, (struct tree_frame){
		.label = xstrdup(is_before ? "0x0: \?\?\? (mapped before the recording began)" :
					     "0x0: \?\?\? (no call stack)"),
	});
}

/* The lines of STACK into t->path; how many. */
static size_t find_path(struct massif_trees *t, stack_id stack)
{
	struct frame_place place = { 0 };
	size_t count = 0;
	uint32_t depth = 0, index;

	if (stack != STACK_NONE && stack != STACK_BEFORE)
		place = wrappers_site(t->wrappers, t->resolver, t->stacks, stack, t->is_pages);
	index = place.index;
	for (stack_id s = place.stack; s != STACK_NONE && depth < t->depth; depth++) {
		uint32_t lines = resolver_frame(t->resolver, s)->count;

		for (; index < lines; index++) {
			xgrow(&t->path, &t->path_capacity, count, sizeof(*t->path));
			t->path[count++] = frame_at(t, s, index);
			if (t->frames[t->path[count - 1]].is_last)
				return count;
		}
		index = 0;
		s = stacks_node(t->stacks, s)->parent;
	}
	if (count == 0) {
		xgrow(&t->path, &t->path_capacity, count, sizeof(*t->path));
		t->path[count++] = no_frame(t, stack == STACK_BEFORE);
	}
	return count;
}

/* ---- the tree ---- */

static uint32_t new_node(struct massif_trees *t, uint32_t frame)
{
	xgrow(&t->nodes, &t->node_capacity, t->node_count, sizeof(*t->nodes));
	t->nodes[t->node_count] = (struct tree_node){ .frame = frame };
	return (uint32_t)t->node_count++;
}

static uint32_t child_of(struct massif_trees *t, uint32_t parent, uint32_t frame)
{
	uint64_t key = (uint64_t)parent << 32 | frame;
	uint32_t id = idmap_add(&t->by_parent, key, (uint32_t)t->node_count);

	if (id == t->node_count) {
		new_node(t, frame);
		t->nodes[id].next_sibling = t->nodes[parent].first_child;
		t->nodes[parent].first_child = id;
	}
	return id;
}

static void add_stack(struct massif_trees *t, const struct stack_bytes *s)
{
	size_t count = find_path(t, s->stack);
	uint32_t node = 0;

	t->nodes[0].bytes += s->bytes;
	for (size_t i = 0; i < count; i++) {
		node = child_of(t, node, t->path[i]);
		t->nodes[node].bytes += s->bytes;
	}
}

/* ---- the lines ---- */

static int compare_nodes(const void *pa, const void *pb, void *ctx)
{
	const struct massif_trees *t = ctx;
	const struct tree_node *a = &t->nodes[*(const uint32_t *)pa];
	const struct tree_node *b = &t->nodes[*(const uint32_t *)pb];
	const struct tree_frame *fa = &t->frames[a->frame], *fb = &t->frames[b->frame];
	const char *na = strchr(fa->label, ' '), *nb = strchr(fb->label, ' ');
	int order;

	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	/* by name first: addresses differ from run to run */
	order = strcmp(na ? na : "", nb ? nb : "");
	if (order == 0 && fa->address != fb->address)
		order = fa->address < fb->address ? -1 : 1;
	return order ? order : (a->frame > b->frame) - (a->frame < b->frame);
}

static struct massif_line *add_line(struct massif_lines *lines, uint32_t depth, uint64_t bytes)
{
	struct massif_line *line;

	xgrow(&lines->items, &lines->capacity, lines->count, sizeof(*lines->items));
	line = &lines->items[lines->count++];
	*line = (struct massif_line){ .depth = depth, .bytes = bytes };
	return line;
}

/* Children of a node that get lines of their own, largest first, and what the others are. */
struct family {
	uint32_t *nodes;
	size_t count;
	uint32_t places;
	uint64_t places_bytes;
	size_t places_at;      /* before this one of nodes */
};

static void find_family(const struct massif_trees *t, uint32_t node, uint64_t least,
			struct family *f)
{
	size_t capacity = 0;

	*f = (struct family){ 0 };
	for (uint32_t c = t->nodes[node].first_child; c; c = t->nodes[c].next_sibling) {
		if (t->nodes[c].bytes < least || t->nodes[c].bytes == 0) {
			f->places++;
			f->places_bytes += t->nodes[c].bytes;
			continue;
		}
		xgrow(&f->nodes, &capacity, f->count, sizeof(*f->nodes));
		f->nodes[f->count++] = c;
	}
	if (f->count > 1)
		qsort_r(f->nodes, f->count, sizeof(*f->nodes), compare_nodes, (void *)(uintptr_t)t);
	while (f->places_at < f->count && t->nodes[f->nodes[f->places_at]].bytes >= f->places_bytes)
		f->places_at++;
}

static void put_node(struct massif_trees *t, uint32_t node, uint32_t depth, uint64_t least,
		     struct massif_lines *lines);

static void put_places(const struct family *f, uint32_t depth, struct massif_lines *lines)
{
	if (f->places)
		add_line(lines, depth, f->places_bytes)->places = f->places;
}

static void put_children(struct massif_trees *t, uint32_t node, uint32_t depth, uint64_t least,
			 struct massif_lines *lines)
{
	size_t parent = lines->count - 1;
	struct family f;

	find_family(t, node, least, &f);
	lines->items[parent].children = (uint32_t)f.count + (f.places > 0);
	for (size_t i = 0; i < f.count; i++) {
		if (i == f.places_at)
			put_places(&f, depth, lines);
		put_node(t, f.nodes[i], depth, least, lines);
	}
	if (f.places_at == f.count)
		put_places(&f, depth, lines);
	free(f.nodes);
}

static void put_node(struct massif_trees *t, uint32_t node, uint32_t depth, uint64_t least,
		     struct massif_lines *lines)
{
	const struct tree_node *n = &t->nodes[node];
	struct massif_line *line = add_line(lines, depth, n->bytes);

	line->label = t->frames[n->frame].label;
	put_children(t, node, depth + 1, least, lines);
}

void massif_lines_make(struct massif_trees *t, const struct snapshot *s,
		       struct massif_lines *lines)
{
	uint64_t least;

	*lines = (struct massif_lines){
		.total = s->heap_bytes + s->extra_bytes + s->stack_bytes,
	};
	least = (uint64_t)((double)lines->total * t->threshold / 100);
	idmap_release(&t->by_parent);
	t->node_count = 0;
	new_node(t, 0);
	for (size_t i = 0; i < s->stack_count; i++)
		add_stack(t, &s->stacks[i]);
	add_line(lines, 0, s->heap_bytes)->label = t->is_pages ?
		"(page allocation syscalls) mmap/mremap/brk, --alloc-fns, etc." :
		"(heap allocation functions) malloc/new/new[], --alloc-fns, etc.";
	put_children(t, 0, 1, least, lines);
}

void massif_lines_release(struct massif_lines *lines)
{
	free(lines->items);
	*lines = (struct massif_lines){ 0 };
}

char *massif_places_text(const struct massif_line *line, double threshold)
{
	return xasprintf("in %" PRIu32 " place%s, %sbelow massif's threshold (%.2f%%)",
			 line->places, line->places == 1 ? "" : "s",
			 line->places == 1 ? "" : "all ", threshold);
}
