/*
 * test_call_tree.c - trees of calls add up, in both directions, whole and cut.
 */
#include "test.h"

#include <stdlib.h>

#include "fixture/mktrace.h"
#include "forms/call_tree.h"
#include "forms/tree_walk.h"

#define SITES 300
#define NAMES 6

/* Sites with stacks over a few frames, so that they share callers and called functions. */
struct subject {
	struct mktrace *trace;
	struct recording *recording;
	struct stacks *stacks;
	struct resolver *resolver;
	struct wrappers *wrappers;
	struct frame_tree *frames;
	struct site sites[SITES];
	struct heap heap;
};

static struct subject *subject_new(void)
{
	struct resolver_options options = { .stored_only = true };
	struct subject *s = calloc(1, sizeof(*s));
	uint64_t random = 1;

	s->trace = mktrace_new();
	mk_null_call(s->trace, mk_process(s->trace, 1, 100, "/bin/p"), 1000, FUNC_FREE);
	mk_module(s->trace, 1, 1, 0x400000, 0x401000, "/bin/p");
	s->recording = mktrace_open(s->trace);
	s->stacks = stacks_new();
	for (size_t i = 0; i < SITES; i++) {
		stack_id stack = STACK_NONE;
		size_t depth = i % 9;

		for (size_t d = 0; d < depth; d++) {
			struct frame frame = { .type = FRAME_NATIVE };

			random = random * 6364136223846793005u + 1442695040888963407u;
			frame.value = 0x400010 + (random >> 33) % NAMES;
			stack = stacks_child(s->stacks, stack, 1, frame, 10);
		}
		s->sites[i] = (struct site){
			.stack = stack,
			.kind = i % 10 == 3 ? KIND_MAPPING : KIND_HEAP,
			.total = { 1 + i % 7, (i * 7919) % 1000 },
		};
	}
	s->resolver = resolver_new(s->recording, s->stacks, &options);
	s->wrappers = wrappers_new(NULL);
	s->frames = frame_tree_new(s->resolver, s->wrappers, s->stacks);
	s->heap.sites = s->sites;
	s->heap.site_count = SITES;
	s->heap.image = &s->recording->images[0];
	return s;
}

static void subject_free(struct subject *s)
{
	frame_tree_free(s->frames);
	wrappers_free(s->wrappers);
	resolver_free(s->resolver);
	stacks_free(s->stacks);
	recording_close(s->recording);
	mktrace_free(s->trace);
	free(s);
}

static struct call_tree *build(struct subject *s, bool is_bottom_up, uint64_t least, uint32_t depth)
{
	struct call_tree_options options = { METRIC_TOTAL, is_bottom_up, true };
	struct call_tree *t = call_tree_new(s->frames, &options);

	call_tree_add(t, 0, &s->heap, KIND_HEAP);
	call_tree_build(t, least, depth);
	return t;
}

static struct amount heap_sum(const struct subject *s)
{
	struct amount sum = { 0, 0 };

	for (size_t i = 0; i < SITES; i++)
		if (s->sites[i].kind == KIND_HEAP) {
			sum.blocks += s->sites[i].total.blocks;
			sum.bytes += s->sites[i].total.bytes;
		}
	return sum;
}

/* total = self + children, children in order; returns the sum over all self. */
static struct amount check_nodes(const struct call_tree *t)
{
	struct amount selves = { 0, 0 };

	for (uint32_t node = 0; node < call_tree_count(t); node++) {
		const struct call_node *n = call_tree_node(t, node);
		struct amount sum = n->self;

		selves.blocks += n->self.blocks;
		selves.bytes += n->self.bytes;
		for (uint32_t i = 0; i < n->count; i++) {
			uint32_t child = call_tree_child(t, node, i);
			const struct call_node *c = call_tree_node(t, child);

			assert_int_equal(c->parent, node);
			assert_int_equal(c->place, i);
			assert_int_equal(c->depth, n->depth + 1);
			if (i > 0)
				assert_true(call_tree_value(t, call_tree_child(t, node, i - 1)) >=
					    call_tree_value(t, child));
			sum.blocks += c->total.blocks;
			sum.bytes += c->total.bytes;
		}
		if (n->has_more)
			continue;
		assert_int_equal(sum.blocks, n->total.blocks);
		assert_int_equal(sum.bytes, n->total.bytes);
	}
	return selves;
}

TEST(test_total_is_self_and_children_in_both_directions)
{
	struct subject *s = subject_new();
	struct amount expected = heap_sum(s);

	for (int is_bottom_up = 0; is_bottom_up < 2; is_bottom_up++) {
		struct call_tree *t = build(s, is_bottom_up, 0, 0);
		struct amount selves = check_nodes(t);

		assert_int_equal(call_tree_node(t, 0)->total.blocks, expected.blocks);
		assert_int_equal(call_tree_node(t, 0)->total.bytes, expected.bytes);
		assert_int_equal(call_tree_total(t).bytes, expected.bytes);
		assert_int_equal(selves.bytes, expected.bytes);
		call_tree_free(t);
	}
	subject_free(s);
}

/* How many nodes a walk sees, and what it leaves out. */
struct tally {
	const struct call_tree *tree;
	const struct tree_limits *limits;
	size_t seen;
	uint64_t bytes;    /* self of what is seen, and all that is left out */
};

static void enter(void *ctx, uint32_t node)
{
	struct tally *tally = ctx;

	tally->seen++;
	tally->bytes += call_tree_node(tally->tree, node)->self.bytes;
}

static void leave(void *ctx, uint32_t node)
{
	struct tally *tally = ctx;

	tally->bytes += tree_rest(tally->tree, tally->limits, node).amount.bytes;
}

TEST(test_walk_loses_nothing_of_what_it_leaves_out)
{
	static const struct tree_limits limits[] = {
		{ 0, 0, 0 }, { 1, 0, 0 }, { 2000, 0, 0 }, { 0, 0, 2 }, { 5000, 0, 1 }, { 1u << 30, 0, 0 },
	};
	struct subject *s = subject_new();
	uint64_t expected = heap_sum(s).bytes;

	for (int is_bottom_up = 0; is_bottom_up < 2; is_bottom_up++)
		for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
			struct call_tree *t = build(s, is_bottom_up, limits[i].least, 0);
			struct tally tally = { .tree = t, .limits = &limits[i] };

			tree_walk(t, &limits[i], enter, leave, &tally);
			assert_int_equal(tally.bytes, expected);
			if (i == 0)
				assert_int_equal(tally.seen, call_tree_count(t));
			if (limits[i].least > expected)
				assert_int_equal(tally.seen, 1);
			call_tree_free(t);
		}
	subject_free(s);
}

TEST(test_next_visits_what_a_walk_visits)
{
	struct subject *s = subject_new();
	struct tree_limits limits = { .least = 700, .depth = 4 };
	struct call_tree *t = build(s, true, 700, 4);
	struct tally tally = { .tree = t, .limits = &limits };
	size_t count = 1;

	tree_walk(t, &limits, enter, leave, &tally);
	for (uint32_t node = 0; (node = call_tree_next(t, node, 700, 4)) != 0; count++) {
		assert_true(call_tree_value(t, node) >= 700);
		assert_true(call_tree_node(t, node)->depth <= 4);
	}
	assert_int_equal(count, tally.seen);
	assert_true(count > 10);
	call_tree_free(t);
	subject_free(s);
}

TEST(test_small_sites_have_no_callers_in_a_cut_tree)
{
	struct subject *s = subject_new();
	struct call_tree *whole = build(s, true, 0, 0);
	struct call_tree *cut = build(s, true, 5000, 0);
	uint32_t a = 0, b = 0;

	assert_true(call_tree_count(cut) < call_tree_count(whole));
	/* what is large enough is in both, with the same figures */
	do {
		a = call_tree_next(whole, a, 5000, 0);
		b = call_tree_next(cut, b, 5000, 0);
		assert_int_equal(call_tree_value(whole, a), call_tree_value(cut, b));
		assert_int_equal(call_tree_node(whole, a)->self.bytes, call_tree_node(cut, b)->self.bytes);
	} while (a && b);
	assert_int_equal(a, b);
	for (uint32_t node = 1; node < call_tree_count(cut); node++)
		if (call_tree_node(cut, node)->has_more)
			assert_true(call_tree_value(cut, node) < 5000);
	call_tree_free(whole);
	call_tree_free(cut);
	subject_free(s);
}

TEST(test_roots_keep_what_was_added_apart)
{
	struct subject *s = subject_new();
	struct call_tree_options options = { METRIC_COUNT, false, false };
	struct call_tree *t = call_tree_new(s->frames, &options);
	uint32_t heap = call_tree_root(t, 0, strdup("heap"), s->heap.image);
	uint32_t none = call_tree_root(t, 0, strdup("nothing"), s->heap.image);
	uint32_t mapping = call_tree_root(t, 0, strdup("mapping"), s->heap.image);

	call_tree_add(t, heap, &s->heap, KIND_HEAP);
	call_tree_add(t, mapping, &s->heap, KIND_MAPPING);
	call_tree_build(t, 0, 0);
	assert_int_equal(call_tree_value(t, heap), heap_sum(s).blocks);
	assert_int_equal(call_tree_value(t, none), 0);
	assert_int_equal(call_tree_value(t, 0), call_tree_value(t, heap) + call_tree_value(t, mapping));
	/* roots stand in their own order and are visited whatever they have */
	assert_int_equal(call_tree_child(t, 0, 1), none);
	assert_int_equal(call_tree_shown(t, 0, UINT64_MAX, 0), 3);
	assert_int_equal(call_tree_next(t, heap, UINT64_MAX, 0), none);
	call_tree_free(t);
	subject_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_total_is_self_and_children_in_both_directions),
		cmocka_unit_test(test_walk_loses_nothing_of_what_it_leaves_out),
		cmocka_unit_test(test_next_visits_what_a_walk_visits),
		cmocka_unit_test(test_small_sites_have_no_callers_in_a_cut_tree),
		cmocka_unit_test(test_roots_keep_what_was_added_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
