/*
 * callgraph.c - see callgraph.h. Works on the tree of frames: costs are summed up from
 * the leaves to the roots once, so that the time is that of the nodes and not of the
 * call stacks times their depth.
 */
#include "forms/callgraph.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/idmap.h"
#include "base/xmem.h"
#include "forms/stack_text.h"
#include "model/heap.h"

struct function_key {
	char *text;          /* object, file, name, each with its NUL */
	uint32_t function;
	UT_hash_handle hh;
};

struct call_key {
	struct { uint32_t caller, callee; int64_t line; } key;
	uint32_t call;
	UT_hash_handle hh;
};

struct node_cost {
	uint32_t function;   /* + 1; 0: no frame looked at yet */
	bool is_used;        /* some call stack goes through it */
	struct costs self, all;
};

struct builder {
	struct callgraph *graph;
	struct frame_tree *tree;
	struct node_cost *nodes;      /* by frame_node; [0] is the stack without frames */
	size_t node_count, node_capacity;
	struct idmap by_frame;        /* address of a frame -> function + 1 */
	struct function_key *keys;
	struct call_key *call_keys;
	struct idmap by_line;         /* function, line -> graph_line + 1 */
	size_t function_capacity, line_capacity, call_capacity;
};

static void costs_add(struct costs *to, const struct costs *from)
{
	for (size_t i = 0; i < COST_KINDS; i++)
		to->of[i] = sum_saturated(to->of[i], from->of[i]);
}

/* ---- functions ---- */

static uint32_t function_add(struct builder *b, const struct symbol_frame *f)
{
	struct callgraph *g = b->graph;
	char *name = f ? frame_function(f) : xstrdup("(no call stack)");
	const char *file = f && f->file ? f->file : "", *module = f && f->module ? f->module : "";
	size_t bytes = strlen(module) + strlen(file) + strlen(name) + 3;
	char *text = xmalloc(bytes);
	struct function_key *key;

	strcpy(text, module);
	strcpy(text + strlen(module) + 1, file);
	strcpy(text + strlen(module) + strlen(file) + 2, name);
	HASH_FIND(hh, b->keys, text, bytes, key);
	if (key) {
		free(text);
		free(name);
		return key->function;
	}
	key = xcalloc(1, sizeof(*key));
	key->text = text;
	key->function = (uint32_t)g->function_count;
	HASH_ADD_KEYPTR(hh, b->keys, key->text, bytes, key);
	xgrow(&g->functions, &b->function_capacity, g->function_count, sizeof(*g->functions));
	g->functions[g->function_count++] = (struct graph_function){
		.name = name,
		.file = f ? f->file : NULL,
		.module = f ? f->module : NULL,
		.frame = f,
	};
	return key->function;
}

static uint32_t function_of(struct builder *b, frame_node node)
{
	const struct symbol_frame *f = node ? frame_tree_frame(b->tree, node) : NULL;
	uint64_t key = (uint64_t)(uintptr_t)f;
	uint32_t id = idmap_find(&b->by_frame, key);
	struct graph_function *function;

	if (!id)
		id = idmap_add(&b->by_frame, key, function_add(b, f) + 1);
	function = &b->graph->functions[id - 1];
	if (f && f->line > 0 && (!function->first_line || f->line < function->first_line))
		function->first_line = f->line;
	return id - 1;
}

static int line_of(struct builder *b, frame_node node)
{
	const struct symbol_frame *f = node ? frame_tree_frame(b->tree, node) : NULL;

	return f && f->line > 0 ? f->line : 0;
}

/* ---- nodes ---- */

static struct node_cost *node_of(struct builder *b, frame_node node)
{
	while (b->node_count <= node) {
		xgrow(&b->nodes, &b->node_capacity, b->node_count, sizeof(*b->nodes));
		b->nodes[b->node_count++] = (struct node_cost){ 0 };
	}
	return &b->nodes[node];
}

static void node_use(struct builder *b, frame_node node, const struct costs *cost)
{
	struct node_cost *n = node_of(b, node);

	n->is_used = true;
	costs_add(&n->self, cost);
}

static void take_sites(struct builder *b, const struct heap *heap, enum alloc_kind kind)
{
	for (size_t i = 0; i < heap->site_count; i++) {
		const struct site *s = &heap->sites[i];
		struct costs cost = { .of = {
			[COST_BLOCKS] = s->total.blocks,
			[COST_BYTES] = s->total.bytes,
			[COST_PEAK] = s->peak.bytes,
			[COST_END] = s->end.bytes,
		} };

		if (s->kind != kind || !(s->total.blocks || s->peak.blocks || s->end.blocks))
			continue;
		node_use(b, frame_tree_site(b->tree, s->stack, kind == KIND_MAPPING), &cost);
	}
}

static void take_times(struct builder *b, const struct heap *heap, const struct stacktimes *times,
		       double ns_per_tick)
{
	for (size_t i = 0; times && i < times->count; i++) {
		const struct stack_time *t = &times->items[i];
		double ns = stack_time_estimate(t, heap) * ns_per_tick;
		struct costs cost = { 0 };

		if (t->image != heap->image->number)
			continue;
		cost.of[COST_TIME] = ns < 18e18 ? (uint64_t)(ns + 0.5) : UINT64_MAX;
		node_use(b, frame_tree_site(b->tree, t->stack, false), &cost);
	}
}

/* A node's number is larger than its caller's: the leaves come last. */
static void sum_up(struct builder *b)
{
	for (size_t i = b->node_count; i-- > 0; ) {
		struct node_cost *n = &b->nodes[i], *caller;

		if (!n->is_used)
			continue;
		costs_add(&n->all, &n->self);
		if (i == 0)
			continue;
		caller = &b->nodes[frame_tree_parent(b->tree, (frame_node)i)];
		if (frame_tree_parent(b->tree, (frame_node)i) == 0)
			continue;
		caller->is_used = true;
		costs_add(&caller->all, &n->all);
	}
}

/* ---- lines and calls ---- */

static void add_line(struct builder *b, uint32_t function, int line, const struct costs *cost)
{
	struct callgraph *g = b->graph;
	uint64_t key = (uint64_t)function << 32 | (uint32_t)line;
	uint32_t id = idmap_add(&b->by_line, key, (uint32_t)g->line_count + 1);

	if (id == g->line_count + 1) {
		xgrow(&g->lines, &b->line_capacity, g->line_count, sizeof(*g->lines));
		g->lines[g->line_count++] = (struct graph_line){ function, line, { { 0 } } };
	}
	costs_add(&g->lines[id - 1].self, cost);
}

static struct graph_call *call_of(struct builder *b, uint32_t caller, int line, uint32_t callee)
{
	struct callgraph *g = b->graph;
	struct call_key *k = xcalloc(1, sizeof(*k)), *found;

	k->key.caller = caller;
	k->key.callee = callee;
	k->key.line = line;
	HASH_FIND(hh, b->call_keys, &k->key, sizeof(k->key), found);
	if (found) {
		free(k);
		return &g->calls[found->call];
	}
	k->call = (uint32_t)g->call_count;
	HASH_ADD(hh, b->call_keys, key, sizeof(k->key), k);
	xgrow(&g->calls, &b->call_capacity, g->call_count, sizeof(*g->calls));
	g->calls[g->call_count] = (struct graph_call){
		.caller = caller,
		.callee = callee,
		.line = line,
	};
	return &g->calls[g->call_count++];
}

/* Is the function of NODE on its call stack already, further out? */
static bool is_repeated(const struct builder *b, frame_node node)
{
	uint32_t function = b->nodes[node].function;

	while ((node = frame_tree_parent(b->tree, node)) != 0)
		if (b->nodes[node].function == function)
			return true;
	return false;
}

static void take_node(struct builder *b, frame_node node)
{
	struct node_cost *n = &b->nodes[node];
	frame_node caller = node ? frame_tree_parent(b->tree, node) : 0;
	uint32_t function = function_of(b, node);
	bool repeats;

	n->function = function + 1;
	repeats = node && is_repeated(b, node);
	add_line(b, function, line_of(b, node), &n->self);
	costs_add(&b->graph->functions[function].self, &n->self);
	costs_add(&b->graph->total, &n->self);
	if (!repeats)
		costs_add(&b->graph->functions[function].inclusive, &n->all);
	if (caller) {
		struct graph_call *call = call_of(b, b->nodes[caller].function - 1,
						  line_of(b, caller), function);

		call->blocks = sum_saturated(call->blocks, n->all.of[COST_BLOCKS]);
		b->graph->functions[function].is_called = true;
		if (!repeats)
			costs_add(&call->cost, &n->all);
	} else {
		costs_add(&b->graph->functions[function].outermost, &n->all);
	}
}

/* ---- order ---- */

static int compare_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare_functions(const void *pa, const void *pb, void *ctx)
{
	const struct callgraph *g = ctx;
	const struct graph_function *a = &g->functions[*(const uint32_t *)pa];
	const struct graph_function *b = &g->functions[*(const uint32_t *)pb];
	int order = compare_text(a->file, b->file);

	if (!order)
		order = compare_text(a->name, b->name);
	return order ? order : compare_text(a->module, b->module);
}

static int compare_lines(const void *pa, const void *pb)
{
	const struct graph_line *a = pa, *b = pb;

	if (a->function != b->function)
		return a->function < b->function ? -1 : 1;
	return (a->line > b->line) - (a->line < b->line);
}

static int compare_calls(const void *pa, const void *pb)
{
	const struct graph_call *a = pa, *b = pb;

	if (a->caller != b->caller)
		return a->caller < b->caller ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return (a->callee > b->callee) - (a->callee < b->callee);
}

static void put_in_order(struct callgraph *g)
{
	uint32_t *order = xcalloc(g->function_count + 1, sizeof(*order));
	uint32_t *place = xcalloc(g->function_count + 1, sizeof(*place));
	struct graph_function *sorted = xcalloc(g->function_count + 1, sizeof(*sorted));

	for (size_t i = 0; i < g->function_count; i++)
		order[i] = (uint32_t)i;
	if (g->function_count > 1)
		qsort_r(order, g->function_count, sizeof(*order), compare_functions, g);
	for (size_t i = 0; i < g->function_count; i++) {
		sorted[i] = g->functions[order[i]];
		place[order[i]] = (uint32_t)i;
	}
	free(g->functions);
	g->functions = sorted;
	for (size_t i = 0; i < g->line_count; i++)
		g->lines[i].function = place[g->lines[i].function];
	for (size_t i = 0; i < g->call_count; i++) {
		g->calls[i].caller = place[g->calls[i].caller];
		g->calls[i].callee = place[g->calls[i].callee];
	}
	if (g->line_count > 1)
		qsort(g->lines, g->line_count, sizeof(*g->lines), compare_lines);
	if (g->call_count > 1)
		qsort(g->calls, g->call_count, sizeof(*g->calls), compare_calls);
	free(order);
	free(place);
}

/* ---- life ---- */

static void builder_release(struct builder *b)
{
	struct function_key *key, *next_key;
	struct call_key *call, *next_call;

	HASH_ITER(hh, b->keys, key, next_key) {
		HASH_DEL(b->keys, key);
		free(key->text);
		free(key);
	}
	HASH_ITER(hh, b->call_keys, call, next_call) {
		HASH_DEL(b->call_keys, call);
		free(call);
	}
	idmap_release(&b->by_frame);
	idmap_release(&b->by_line);
	free(b->nodes);
}

struct callgraph *callgraph_new(struct frame_tree *tree, const struct heap *heap,
				enum alloc_kind kind, const struct stacktimes *times,
				double ns_per_tick)
{
	struct builder b = { .tree = tree, .graph = xcalloc(1, sizeof(*b.graph)) };

	take_sites(&b, heap, kind);
	take_times(&b, heap, times, ns_per_tick);
	sum_up(&b);
	for (size_t i = 0; i < b.node_count; i++)
		if (b.nodes[i].is_used)
			take_node(&b, (frame_node)i);
	put_in_order(b.graph);
	builder_release(&b);
	return b.graph;
}

void callgraph_free(struct callgraph *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->function_count; i++)
		free((char *)g->functions[i].name);
	free(g->functions);
	free(g->lines);
	free(g->calls);
	free(g);
}
