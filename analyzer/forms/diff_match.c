/*
 * diff_match.c - a tree of frames by name that both sides share. A frame of a side is
 * turned into its name once (by its address: resolvers keep their frames), a node of a
 * side's tree into a node here once.
 */
#include "forms/diff_match.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/idmap.h"
#include "base/xmem.h"
#include "forms/stack_text.h"

/* What stands for the program's own file, whatever it is called. */
#define OWN_OBJECT "."

struct frame_name {
	char *text;             /* function, line end, object: the key */
	uint32_t number;        /* from 1 */
	bool is_own;            /* a function of the program's own file */
	UT_hash_handle hh;
};

struct name_node {
	uint32_t parent;        /* the caller; 0: none */
	uint32_t name;
	bool is_own;            /* it or a caller is of the program's own file */
};

struct matching {
	struct diff_match *match;
	struct frame_name *names;      /* by text */
	struct frame_name **by_number; /* [0] is unused, as in nodes */
	size_t name_count, name_capacity;
	uint32_t *ranks;               /* by number */
	struct name_node *nodes;
	size_t node_count, node_capacity;
	struct idmap children;         /* parent node, name -> node */
	struct idmap by_frame;         /* address of a resolver's frame -> name */
	struct idmap by_node[DIFF_SIDES]; /* node of the side's tree -> node */
	struct idmap by_stack;         /* node, kind -> row + 1 */
	size_t row_capacity;
};

/* ---- names of frames ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static bool is_own_file(const struct diff_side *side, const char *module)
{
	for (size_t i = 0; i < side->heap_count; i++) {
		const char *exe = side->heaps[i]->image->exe;

		if (exe && strcmp(exe, module) == 0)
			return true;
	}
	return false;
}

/* The object's name without folder and version; malloc'ed. */
static char *object_name(const struct diff_side *side, const char *module)
{
	const char *name, *version;

	if (!module)
		return xstrdup("");
	if (is_own_file(side, module))
		return xstrdup(OWN_OBJECT);
	name = base_name(module);
	version = strstr(name, ".so.");
	return version ? xstrndup(name, (size_t)(version - name) + 3) : xstrdup(name);
}

/* Bytes of FUNCTION without what marks a copy that the compiler made. */
static size_t plain_bytes(const char *function)
{
	static const char *const marks[] = {
		" [clone ", ".part.", ".constprop.", ".isra.", ".cold", ".lto_priv.", ".llvm.",
	};
	size_t bytes = strlen(function);

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		const char *at = strstr(function, marks[i]);

		if (at && at > function && (size_t)(at - function) < bytes)
			bytes = (size_t)(at - function);
	}
	return bytes;
}

static const struct module *module_of(const struct recording *r, const char *path)
{
	for (size_t i = 0; i < r->module_count; i++)
		if (r->modules[i].path == path)
			return &r->modules[i];
	return NULL;
}

/* Whether the other side has the same build of the object at PATH. */
static bool is_same_build(const struct diff_match *m, int side, const char *path)
{
	const struct recording *other = m->sides[!side].run->recording;
	const struct module *mine = module_of(m->sides[side].run->recording, path);

	if (!mine || mine->build_id_bytes == 0)
		return false;
	for (size_t i = 0; i < other->module_count; i++)
		if (other->modules[i].build_id_bytes == mine->build_id_bytes &&
		    memcmp(other->modules[i].build_id, mine->build_id,
			   mine->build_id_bytes) == 0)
			return true;
	return false;
}

/* The name of F by which it is matched; malloc'ed. */
static char *match_text(const struct diff_match *m, int side, const struct symbol_frame *f)
{
	char *object = object_name(&m->sides[side], f->module);
	char *text, *function;

	if (f->function) {
		text = xasprintf("%.*s\n%s", (int)plain_bytes(f->function), f->function, object);
	} else if (f->module && is_same_build(m, side, f->module)) {
		function = frame_function(f);
		text = xasprintf("%s\n%s", strchr(function, '+'), object);
		free(function);
	} else {
		text = xasprintf("\n%s", object);
	}
	free(object);
	return text;
}

static uint32_t frame_name(struct matching *g, int side, const struct symbol_frame *f)
{
	uint64_t key = (uint64_t)(uintptr_t)f;
	uint32_t known = idmap_find(&g->by_frame, key);
	struct frame_name *name;
	char *text;

	if (known)
		return known;
	text = match_text(g->match, side, f);
	HASH_FIND_STR(g->names, text, name);
	if (name) {
		free(text);
	} else {
		const char *object = strrchr(text, '\n') + 1;

		name = xcalloc(1, sizeof(*name));
		name->text = text;
		name->number = (uint32_t)g->name_count;
		name->is_own = *text != '\n' && *text != '+' && strcmp(object, OWN_OBJECT) == 0;
		HASH_ADD_KEYPTR(hh, g->names, name->text, strlen(name->text), name);
		xgrow(&g->by_number, &g->name_capacity, g->name_count, sizeof(*g->by_number));
		g->by_number[g->name_count++] = name;
	}
	return idmap_add(&g->by_frame, key, name->number);
}

/* ---- the tree of names ---- */

static uint32_t child(struct matching *g, uint32_t parent, uint32_t name)
{
	uint64_t key = (uint64_t)parent << 32 | name;
	uint32_t id = idmap_add(&g->children, key, (uint32_t)g->node_count);

	if (id == g->node_count) {
		xgrow(&g->nodes, &g->node_capacity, g->node_count, sizeof(*g->nodes));
		g->nodes[g->node_count++] = (struct name_node){
			.parent = parent,
			.name = name,
			.is_own = g->nodes[parent].is_own || g->by_number[name]->is_own,
		};
	}
	return id;
}

/* The node for NODE of the side's tree. */
static uint32_t match_node(struct matching *g, int side, frame_node node)
{
	struct frame_tree *tree = g->match->sides[side].tree;
	frame_node path[256];
	size_t depth = 0;
	uint32_t result = 0;

	/* up to the first caller that is known; deep stacks in pieces */
	while (node && depth < sizeof(path) / sizeof(path[0])) {
		result = idmap_find(&g->by_node[side], node);
		if (result)
			break;
		path[depth++] = node;
		node = frame_tree_parent(tree, node);
	}
	if (node && !result)
		result = match_node(g, side, node);
	while (depth > 0) {
		node = path[--depth];
		result = child(g, result, frame_name(g, side, frame_tree_frame(tree, node)));
		idmap_add(&g->by_node[side], node, result);
	}
	return result;
}

/* ---- rows ---- */

static void add(struct amount *to, struct amount from)
{
	to->blocks += from.blocks;
	to->bytes += from.bytes;
}

static struct diff_row *row_of(struct matching *g, uint32_t stack, uint8_t kind)
{
	struct diff_match *m = g->match;
	uint32_t id = idmap_add(&g->by_stack, (uint64_t)stack << 1 | kind, (uint32_t)m->count + 1);

	if (id == m->count + 1) {
		xgrow(&m->rows, &g->row_capacity, m->count, sizeof(*m->rows));
		m->rows[m->count++] = (struct diff_row){ .stack = stack, .kind = kind };
	}
	return &m->rows[id - 1];
}

static void add_row(struct matching *g, int side, const struct site_row *from)
{
	struct diff_row *row = row_of(g, match_node(g, side, from->node), from->kind);
	struct site *sum = &row->sums[side];

	if (!row->is_known[side] || from->total.bytes > sum->main_size) {
		row->nodes[side] = from->node;
		sum->main_size = from->total.bytes; /* the largest so far */
	}
	row->is_known[side] = true;
	add(&sum->total, from->total);
	add(&sum->freed, from->freed);
	add(&sum->peak, from->peak);
	add(&sum->end, from->end);
	add(&sum->temporary, from->temporary);
}

static void add_side(struct matching *g, int side, uint32_t depth)
{
	struct diff_side *s = &g->match->sides[side];

	s->tree = frame_tree_new(s->run->resolver, s->run->wrappers, s->run->stacks);
	for (size_t i = 0; i < s->heap_count; i++) {
		struct site_rows *rows = site_rows_new(s->tree, s->heaps[i], depth);

		for (size_t k = 0; k < rows->count; k++)
			add_row(g, side, &rows->rows[k]);
		site_rows_free(rows);
	}
}

/* ---- order ---- */

static int compare_names(const void *pa, const void *pb)
{
	const struct frame_name *a = *(struct frame_name *const *)pa;
	const struct frame_name *b = *(struct frame_name *const *)pb;

	return strcmp(a->text, b->text);
}

static void rank_names(struct matching *g)
{
	struct frame_name **sorted = xcalloc(g->name_count, sizeof(*sorted));

	memcpy(sorted, g->by_number, g->name_count * sizeof(*sorted));
	qsort(sorted + 1, g->name_count - 1, sizeof(*sorted), compare_names);
	g->ranks = xcalloc(g->name_count, sizeof(*g->ranks));
	for (size_t i = 1; i < g->name_count; i++)
		g->ranks[sorted[i]->number] = (uint32_t)i;
	free(sorted);
}

static int compare_rows(const void *pa, const void *pb, void *ctx)
{
	const struct diff_row *a = pa, *b = pb;
	const struct matching *g = ctx;
	uint32_t na = a->stack, nb = b->stack;

	while (na != nb && na && nb) {
		uint32_t ra = g->ranks[g->nodes[na].name], rb = g->ranks[g->nodes[nb].name];

		if (ra != rb)
			return ra < rb ? -1 : 1;
		na = g->nodes[na].parent;
		nb = g->nodes[nb].parent;
	}
	if (na != nb)
		return na ? 1 : -1;
	return (int)a->kind - (int)b->kind;
}

static void finish_rows(struct matching *g)
{
	struct diff_match *m = g->match;

	rank_names(g);
	if (m->count > 1)
		qsort_r(m->rows, m->count, sizeof(*m->rows), compare_rows, g);
	for (size_t i = 0; i < m->count; i++) {
		struct diff_row *row = &m->rows[i];

		m->common_own += row->is_known[DIFF_OLD] && row->is_known[DIFF_NEW] &&
				 g->nodes[row->stack].is_own;
		row->stack = (uint32_t)i;
		row->sums[DIFF_OLD].main_size = row->sums[DIFF_NEW].main_size = 0;
	}
}

static void matching_release(struct matching *g)
{
	struct frame_name *name, *next;

	HASH_ITER(hh, g->names, name, next) {
		HASH_DEL(g->names, name);
		free(name->text);
		free(name);
	}
	free(g->by_number);
	free(g->ranks);
	free(g->nodes);
	idmap_release(&g->children);
	idmap_release(&g->by_frame);
	idmap_release(&g->by_node[DIFF_OLD]);
	idmap_release(&g->by_node[DIFF_NEW]);
	idmap_release(&g->by_stack);
}

struct diff_match *diff_match_new(struct diff_side *sides, uint32_t depth)
{
	struct diff_match *m = xcalloc(1, sizeof(*m));
	struct matching g = { .match = m };

	m->sides = sides;
	xgrow(&g.by_number, &g.name_capacity, 0, sizeof(*g.by_number));
	xgrow(&g.nodes, &g.node_capacity, 0, sizeof(*g.nodes));
	g.by_number[g.name_count++] = NULL;
	g.nodes[g.node_count++] = (struct name_node){ 0 };
	add_side(&g, DIFF_OLD, depth);
	add_side(&g, DIFF_NEW, depth);
	finish_rows(&g);
	matching_release(&g);
	return m;
}

void diff_match_free(struct diff_match *m)
{
	if (!m)
		return;
	for (int side = 0; side < DIFF_SIDES; side++) {
		frame_tree_free(m->sides[side].tree);
		m->sides[side].tree = NULL;
	}
	free(m->rows);
	free(m);
}

/* ---- figures ---- */

uint64_t diff_value(const struct diff_row *row, int side, enum metric metric)
{
	return metric_value(&row->sums[side], metric);
}

int64_t diff_change(uint64_t old, uint64_t new)
{
	int64_t change;

	if (__builtin_sub_overflow(new, old, &change))
		return new > old ? INT64_MAX : INT64_MIN;
	return change;
}

enum diff_status diff_status(const struct diff_row *row, enum metric metric)
{
	uint64_t old = diff_value(row, DIFF_OLD, metric), new = diff_value(row, DIFF_NEW, metric);

	if (old == new)
		return DIFF_SAME;
	if (!row->is_known[DIFF_OLD])
		return DIFF_ADDED;
	if (!row->is_known[DIFF_NEW])
		return DIFF_REMOVED;
	return new > old ? DIFF_GROWN : DIFF_SHRUNK;
}

const char *diff_status_name(enum diff_status status)
{
	static const char *const names[DIFF_STATUS_COUNT] = {
		[DIFF_SAME] = "same", [DIFF_ADDED] = "added", [DIFF_REMOVED] = "removed",
		[DIFF_GROWN] = "grown", [DIFF_SHRUNK] = "shrunk",
	};

	return names[status];
}

static bool is_equal(struct amount a, struct amount b)
{
	return a.blocks == b.blocks && a.bytes == b.bytes;
}

bool diff_is_changed(const struct diff_row *row)
{
	const struct site *a = &row->sums[DIFF_OLD], *b = &row->sums[DIFF_NEW];

	return !is_equal(a->total, b->total) || !is_equal(a->freed, b->freed) ||
	       !is_equal(a->peak, b->peak) || !is_equal(a->end, b->end) ||
	       !is_equal(a->temporary, b->temporary);
}

int diff_shown(const struct diff_row *row)
{
	return row->is_known[DIFF_NEW] ? DIFF_NEW : DIFF_OLD;
}

const struct symbol_frame *diff_frame(const struct diff_match *m, const struct diff_row *row)
{
	int side = diff_shown(row);

	return frame_tree_frame(m->sides[side].tree, row->nodes[side]);
}
