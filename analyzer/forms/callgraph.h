/*
 * callgraph.h - the heap by function: what a function's own calls of the allocator
 * cost (self), what was allocated while it was on the call stack (inclusive), and the
 * calls between functions. Call stacks begin at their allocation site (wrappers
 * left out), and inlined functions are functions.
 *
 * Recursion: a call stack counts once for each function in it. So its cost goes to
 * the outermost call of each function alone; the calls inside that lead into the same
 * function again cost nothing. Then for every function
 *
 *	inclusive = sum of the costs of the calls into it, those from outside included
 *
 * which is how callgrind_annotate and KCachegrind work it out.
 */
#ifndef FORMS_CALLGRAPH_H
#define FORMS_CALLGRAPH_H

#include "forms/frame_tree.h"
#include "model/replay.h"
#include "model/stacktimes.h"

enum cost_kind { COST_BLOCKS, COST_BYTES, COST_PEAK, COST_END, COST_TIME, COST_KINDS };

struct costs { uint64_t of[COST_KINDS]; };  /* COST_TIME: nanoseconds */

struct graph_function {
	const char *name;    /* as frame_function: never NULL */
	const char *file;    /* source file of its frames; NULL: unknown */
	const char *module;  /* path of the object; NULL: unknown */
	const struct symbol_frame *frame; /* one of its frames; NULL: call stacks without frames */
	int first_line;      /* the lowest line seen; 0: none */
	struct costs self, inclusive;
	struct costs outermost; /* of inclusive: where nobody is known to have called it */
	bool is_called;      /* some function of the graph calls it */
};

/* Blocks (or mappings) acquired by a function itself at one of its lines. */
struct graph_line { uint32_t function; int line; struct costs self; };

/* Calls of CALLEE at a line of CALLER. */
struct graph_call {
	uint32_t caller, callee;
	int line;
	uint64_t blocks;     /* acquired through this call, repeated calls in a recursion included */
	struct costs cost;
};

struct callgraph {
	struct graph_function *functions; size_t function_count; /* by file, name, object */
	struct graph_line *lines; size_t line_count;             /* by function, line */
	struct graph_call *calls; size_t call_count;             /* by caller, line, callee */
	struct costs total;
};

/*
 * The graph of HEAP's sites of KIND. TIMES may be NULL; NS_PER_TICK: of TIMES. The strings
 * belong to TREE's resolver but for names made up for code without one.
 */
struct callgraph *callgraph_new(struct frame_tree *tree, const struct heap *heap,
				enum alloc_kind kind, const struct stacktimes *times,
				double ns_per_tick);
void callgraph_free(struct callgraph *g);

#endif
