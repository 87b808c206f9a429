/*
 * test_callgraph.c - self and inclusive costs, and the calls between functions. Code without
 * symbols is called by object and address, so that a repeated address is a recursion.
 */
#include "forms/callgraph.h"

#include <stdlib.h>
#include <string.h>

#include "fixture/mktrace.h"
#include "test.h"
#include "trace/merge.h"

#define MAIN 0x400000

struct subject {
	struct recording *recording;
	struct stacks *stacks;
	struct resolver *resolver;
	struct wrappers *wrappers;
	struct replay *replay;
	struct frame_tree *tree;
	struct stacktimes times;
	struct callgraph *graph;
};

static struct subject graph_of(struct mktrace *t)
{
	struct resolver_options options = { .stored_only = true };
	struct merge_select select = { 0 };
	struct subject s = { .recording = mktrace_open(t), .stacks = stacks_new() };
	const struct event *event;
	struct merge *m;

	s.resolver = resolver_new(s.recording, s.stacks, &options);
	s.wrappers = wrappers_new(NULL);
	s.replay = replay_new(s.recording, s.stacks, 0);
	m = merge_open(s.recording, s.stacks, &select);
	while ((event = merge_next(m)) != NULL)
		stacktimes_add(&s.times, &s.recording->images[0], event, replay_step(s.replay, event));
	merge_close(m);
	replay_finish(s.replay);
	s.tree = frame_tree_new(s.resolver, s.wrappers, s.stacks);
	s.graph = callgraph_new(s.tree, replay_heap(s.replay, 0), KIND_HEAP, &s.times, 1);
	return s;
}

static void subject_free(struct subject *s, struct mktrace *t)
{
	callgraph_free(s->graph);
	frame_tree_free(s->tree);
	stacktimes_release(&s->times);
	replay_free(s->replay);
	wrappers_free(s->wrappers);
	resolver_free(s->resolver);
	stacks_free(s->stacks);
	recording_close(s->recording);
	mktrace_free(t);
}

static const struct graph_function *function(const struct callgraph *g, const char *name)
{
	for (size_t i = 0; i < g->function_count; i++)
		if (strcmp(g->functions[i].name, name) == 0)
			return &g->functions[i];
	fail_msg("no function %s", name);
	return NULL;
}

/* Bytes that go from CALLER to CALLEE; -1: no such call. */
static long long call_bytes(const struct callgraph *g, const char *caller, const char *callee)
{
	for (size_t i = 0; i < g->call_count; i++)
		if (&g->functions[g->calls[i].caller] == function(g, caller) &&
		    &g->functions[g->calls[i].callee] == function(g, callee))
			return (long long)g->calls[i].cost.of[COST_BYTES];
	return -1;
}

#define assert_costs(f, self_bytes, inclusive_bytes) do { \
	assert_int_equal((f)->self.of[COST_BYTES], self_bytes); \
	assert_int_equal((f)->inclusive.of[COST_BYTES], inclusive_bytes); \
} while (0)

static struct mktrace *program(mk_stream *s)
{
	struct mktrace *t = mktrace_new();

	*s = mk_process(t, 1, 100, "/bin/p");
	mk_module(t, 1, 1, MAIN, MAIN + 0x1000, "/bin/p");
	return t;
}

TEST(test_callers_have_what_they_called_and_leaves_what_they_made)
{
	mk_stream s;
	struct mktrace *t = program(&s);
	struct subject sub;

	mk_malloc(t, s, 1000, 0x1000, 100, MAIN + 2, MAIN + 1);
	mk_malloc(t, s, 2000, 0x2000, 30, MAIN + 3, MAIN + 1);
	mk_malloc(t, s, 3000, 0x3000, 7, MAIN + 1);
	mk_free(t, s, 4000, 0x1000);
	sub = graph_of(t);
	assert_costs(function(sub.graph, "p+0x1"), 7, 137);
	assert_costs(function(sub.graph, "p+0x2"), 100, 100);
	assert_int_equal(function(sub.graph, "p+0x1")->inclusive.of[COST_BLOCKS], 3);
	assert_int_equal(function(sub.graph, "p+0x1")->inclusive.of[COST_PEAK], 137);
	assert_int_equal(function(sub.graph, "p+0x1")->inclusive.of[COST_END], 37);
	assert_int_equal(call_bytes(sub.graph, "p+0x1", "p+0x2"), 100);
	assert_int_equal(call_bytes(sub.graph, "p+0x1", "p+0x3"), 30);
	assert_int_equal(sub.graph->total.of[COST_BYTES], 137);
	subject_free(&sub, t);
}

TEST(test_recursion_counts_a_call_stack_once_for_each_function)
{
	mk_stream s;
	struct mktrace *t = program(&s);
	struct subject sub;

	/* 1 calls 2, 2 calls itself twice, then 3, which calls 2 again */
	mk_malloc(t, s, 1000, 0x1000, 100, MAIN + 2, MAIN + 3, MAIN + 2, MAIN + 2, MAIN + 2, MAIN + 1);
	mk_malloc(t, s, 2000, 0x2000, 10, MAIN + 2, MAIN + 1);
	sub = graph_of(t);
	assert_costs(function(sub.graph, "p+0x1"), 0, 110);
	assert_costs(function(sub.graph, "p+0x2"), 110, 110);
	assert_costs(function(sub.graph, "p+0x3"), 0, 100);
	assert_int_equal(call_bytes(sub.graph, "p+0x1", "p+0x2"), 110);
	assert_int_equal(call_bytes(sub.graph, "p+0x2", "p+0x2"), 0);
	assert_int_equal(call_bytes(sub.graph, "p+0x2", "p+0x3"), 100);
	assert_int_equal(call_bytes(sub.graph, "p+0x3", "p+0x2"), 0);
	subject_free(&sub, t);
}

/* Against each call stack looked at by itself; and what callers give adds up to what is inclusive. */
TEST(test_sums_are_those_of_plain_counting)
{
	enum { FUNCTIONS = 6, STACKS = 300 };
	uint64_t inclusive[FUNCTIONS] = { 0 }, self[FUNCTIONS] = { 0 };
	mk_stream s;
	struct mktrace *t = program(&s);
	struct subject sub;

	srand(11);
	for (unsigned i = 0; i < STACKS; i++) {
		uint64_t f[5];
		uint64_t size = (uint64_t)rand() % 1000;
		bool seen[FUNCTIONS] = { false };

		for (unsigned k = 0; k < 5; k++) {
			f[k] = (uint64_t)rand() % FUNCTIONS;
			if (!seen[f[k]])
				inclusive[f[k]] += size;
			seen[f[k]] = true;
		}
		self[f[0]] += size;
		mk_malloc(t, s, 1000 + i, 0x10000 + i * 0x1000, size, MAIN + f[0], MAIN + f[1],
			  MAIN + f[2], MAIN + f[3], MAIN + f[4]);
	}
	sub = graph_of(t);
	for (unsigned k = 0; k < FUNCTIONS; k++) {
		char name[16];
		const struct graph_function *f;
		uint64_t in;

		snprintf(name, sizeof(name), "p+0x%x", k);
		f = function(sub.graph, name);
		assert_costs(f, self[k], inclusive[k]);
		in = f->outermost.of[COST_BYTES];
		for (size_t i = 0; i < sub.graph->call_count; i++)
			if (&sub.graph->functions[sub.graph->calls[i].callee] == f)
				in += sub.graph->calls[i].cost.of[COST_BYTES];
		assert_int_equal(in, inclusive[k]);
	}
	subject_free(&sub, t);
}

TEST(test_time_goes_where_the_timed_calls_were)
{
	mk_stream s;
	struct mktrace *t = program(&s);
	struct subject sub;

	mk_malloc(t, s, 1000, 0x1000, 100, MAIN + 2, MAIN + 1);
	mk_timing(t, s, 1001, 70);
	mk_malloc(t, s, 2000, 0x2000, 30, MAIN + 3, MAIN + 1);
	sub = graph_of(t);
	/* one of two calls was timed: it stands for both */
	assert_int_equal(function(sub.graph, "p+0x2")->self.of[COST_TIME], 140);
	assert_int_equal(function(sub.graph, "p+0x1")->inclusive.of[COST_TIME], 140);
	assert_int_equal(function(sub.graph, "p+0x3")->self.of[COST_TIME], 0);
	subject_free(&sub, t);
}

TEST(test_calls_without_a_stack_are_a_function_of_their_own)
{
	mk_stream s;
	struct mktrace *t = program(&s);
	struct subject sub;

	mk_malloc(t, s, 1000, 0x1000, 100);
	sub = graph_of(t);
	assert_costs(function(sub.graph, "(no call stack)"), 100, 100);
	assert_int_equal(sub.graph->call_count, 0);
	subject_free(&sub, t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_callers_have_what_they_called_and_leaves_what_they_made),
		cmocka_unit_test(test_recursion_counts_a_call_stack_once_for_each_function),
		cmocka_unit_test(test_sums_are_those_of_plain_counting),
		cmocka_unit_test(test_time_goes_where_the_timed_calls_were),
		cmocka_unit_test(test_calls_without_a_stack_are_a_function_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
