/*
 * unwind.c - call stacks: the choice of the method, and the simple ones.
 *
 * Relies on unwind_chain.c for the exact incremental method and for the memory of a
 * thread, on unwind_lib.c for libunwind. Promises what unwind.h says: no heap, no lock
 * of the target's, errno as it was; every stack word read lies in a known range.
 */
#include "unwind.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "meta.h"
#include "record_codec.h"
#include "session.h"
#include "stack_ends.h"
#include "tstate.h"
#include "unwind_chain.h"
#include "unwind_check.h"
#include "unwind_lib.h"
#include "unwind_rule.h"

#define DEPTH_DEFAULT 1024
/* Frames of this library that libunwind may report before the caller's. */
#define OWN_FRAMES 16

static struct {
	enum callgraph_mode mode;
	uint32_t limit;
	bool plain;   /* unwind rules and nothing else: the fast way */
	uint32_t to_open; /* enum opening: of libunwind and libgcc_s */
} method;

enum opening { OPEN_DONE = 0, OPEN_WANTED = 1, OPEN_BUSY = 2 };

static uint32_t depth_limit(void)
{
	uint32_t depth = session.options.depth;

	if (depth == 0)
		return DEPTH_DEFAULT;
	return depth < DEPTH_MAX ? depth : DEPTH_MAX;
}

void unwind_init(void)
{
	enum callgraph_mode asked = (enum callgraph_mode)session.options.callgraph;
	bool rules_used = asked == CALLGRAPH_CFI || asked == CALLGRAPH_LIBUNWIND;

	method.limit = depth_limit();
	/* until libunwind can be opened its stacks are taken by rules */
	method.mode = rules_used ? CALLGRAPH_CFI : asked;
	if (rules_used && !rule_init()) {
		meta_note("no memory for unwind rules: call stacks are not taken");
		method.mode = CALLGRAPH_NO;
	}
	method.to_open = asked == CALLGRAPH_LIBUNWIND || session.options.check_stacks ?
				 OPEN_WANTED : OPEN_DONE;
	method.plain = method.mode == CALLGRAPH_CFI && !method.to_open;
}

/* One thread opens, at a stack where that is safe; the others go on without. */
static void open_libraries(const struct unwind_state *u)
{
	uint32_t count, wanted = OPEN_WANTED;
	const uint64_t *frames = chain_written(u, &count);

	if (!unwind_lib_is_safe(frames, count) ||
	    !__atomic_compare_exchange_n(&method.to_open, &wanted, OPEN_BUSY, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED))
		return;
	if (session.options.check_stacks)
		check_init(session.options.check_stacks);
	if (session.options.callgraph == CALLGRAPH_LIBUNWIND) {
		if (unwind_lib_open_libunwind())
			method.mode = CALLGRAPH_LIBUNWIND;
		else
			meta_note("libunwind.so.8 could not be loaded: "
				  "call stacks are taken by unwind rules instead");
	}
	__atomic_store_n(&method.to_open, OPEN_DONE, __ATOMIC_RELEASE);
}

void unwind_finish(void)
{
	stack_ends_report();
	if (session.options.check_stacks)
		check_report();
}

void unwind_forked(void)
{
	stack_ends_forget();
	check_forget();
	if (__atomic_load_n(&method.to_open, __ATOMIC_RELAXED) == OPEN_BUSY)
		method.to_open = OPEN_WANTED;
}

void unwind_collect(struct unwind_state *u)
{
	/* a forked child has the counts of its parent's threads */
	if (u->image == session.image)
		stack_ends_collect(u->ended);
}

uint32_t unwind_features(void)
{
	if (method.mode != CALLGRAPH_CFI && method.mode != CALLGRAPH_LIBUNWIND)
		return 0;
	return session.options.callgraph == CALLGRAPH_LIBUNWIND ? FEATURE_UNWIND_LIBUNWIND :
								  FEATURE_UNWIND_CFI;
}

size_t unwind_state_bytes(void)
{
	return chain_bytes(method.limit ? method.limit : depth_limit());
}

void unwind_reset(struct unwind_state *u)
{
	unwind_collect(u);
	chain_reset(u, method.limit ? method.limit : depth_limit());
	u->image = session.image;
}

void unwind_restart(struct unwind_state *u)
{
	u->restart = true;
	u->steady = false;
	unwind_collect(u);
	stack_ends_note();
}

void unwind_modules_added(void)
{
	rule_modules_changed(true);
}

void unwind_modules_changed(void)
{
	rule_modules_changed(false);
	unwind_lib_flush();
}

void unwind_memory_changed(void)
{
	range_changed();
}

const uint64_t *unwind_last(const struct unwind_state *u, uint32_t *count)
{
	return chain_written(u, count);
}

bool unwind_meets(struct unwind_state *u, uint64_t sp, uint64_t cfa, uint64_t pc)
{
	const uint64_t *at = (const uint64_t *)cfa - 1;
	struct stack_range range;
	bool own;

	if (cfa < sp + sizeof(*at) || cfa % sizeof(*at) ||
	    !range_find(&u->ranges, sp, &range, &own) || cfa > range.high || *at != pc)
		return false;
	if (!method.plain || u->in_out || u->kept == 0)
		return true;
	for (uint32_t i = u->frames[u->kept - 1].slots; i > 0; i--)
		if (u->slots[i - 1].at == at)
			return true;
	return false;
}

/* Frames past the caller are those whose address is the context's. */
static void capture_libunwind(struct unwind_state *u, const struct unwind_context *ctx,
			      struct stack_change *change)
{
	uint64_t *ips = (uint64_t *)u->fresh;
	uint32_t max = u->limit + OWN_FRAMES;
	uint32_t first = 0, n, count;
	uint64_t special = 0;
	bool exact = false;

	n = (uint32_t)unwind_lib_libunwind(ips, max);
	while (first < n && ips[first] != ctx->pc)
		first++;
	if (first == n) {
		ips[0] = ctx->pc;
		first = 0;
		n = 1;
		special = SPECIAL_NO_RULE;
	} else if (n == max || n - first > u->limit) {
		special = SPECIAL_TRUNCATED;
	}
	/* a start function's null return address is no frame */
	while (n > first + 1 && ips[n - 1] < RULE_PC_MIN)
		n--;
	count = n - first < u->limit ? n - first : u->limit;
	for (uint32_t i = 0; i < count; i++) {
		bool signal = !exact && rule_is_signal(ips[first + i] - 1);

		ips[i] = ips[first + i] - (exact || signal ? 0 : 1);
		exact = signal;
	}
	u->ended[special]++;
	chain_write_whole(u, ips, count, special, change);
}

/*
 * By the frame pointer: a guess where code was compiled without one. Every record
 * lies above the one before, inside the stack.
 */
static void capture_fp(struct unwind_state *u, const struct unwind_context *ctx,
		       struct stack_change *change)
{
	uint64_t *pcs = (uint64_t *)u->fresh;
	uint64_t low = ctx->sp, bp = ctx->bp, special = SPECIAL_TRUNCATED;
	uint32_t count = 0;
	bool own;

	pcs[count++] = ctx->pc - 1;
	if (!range_find(&u->ranges, ctx->sp, &u->stack, &own))
		u->stack.high = 0;
	while (count < u->limit) {
		const uint64_t *record = (const uint64_t *)bp;

		if (bp < low || bp & 7 || u->stack.high < 16 || bp > u->stack.high - 16) {
			special = bp == 0 ? 0 : SPECIAL_BAD_STACK;
			break;
		}
		if (record[1] < RULE_PC_MIN) {
			special = 0;
			break;
		}
		pcs[count++] = rule_strip(record[1]) - 1;
		low = bp + 16;
		bp = record[0];
	}
	u->ended[special]++;
	chain_write_whole(u, pcs, count, special, change);
}

static void capture_slow(struct unwind_state *u, const struct unwind_context *ctx,
			 struct stack_change *change)
{
	switch (method.mode) {
	case CALLGRAPH_LIBUNWIND:
		capture_libunwind(u, ctx, change);
		break;
	case CALLGRAPH_FP:
		capture_fp(u, ctx, change);
		break;
	default:
		u->ended[SPECIAL_NO_STACK]++;
		chain_write_whole(u, NULL, 0, SPECIAL_NO_STACK, change);
		break;
	}
}

/*
 * libunwind is one for the whole process: where the program unwinds with it too, it may have libunwind's
 * lock and be mapping memory for it. Only a system call of the program's own can come from there.
 */
static bool may_hold_libunwind(void)
{
	return thread.func == FUNC_OTHER;
}

static __attribute__((noinline, cold))
void capture_other(struct unwind_state *u, const struct unwind_context *ctx,
		   struct stack_change *change)
{
	uint32_t to_open = __atomic_load_n(&method.to_open, __ATOMIC_ACQUIRE);
	int error = errno;

	if (method.mode == CALLGRAPH_LIBUNWIND && may_hold_libunwind()) {
		u->steady = false;
		chain_capture(u, ctx, change);
		u->steady = false;
	} else if (method.mode == CALLGRAPH_CFI) {
		chain_capture(u, ctx, change);
	} else {
		capture_slow(u, ctx, change);
	}
	if (to_open == OPEN_WANTED)
		open_libraries(u);
	else if (to_open == OPEN_DONE && session.options.check_stacks && !may_hold_libunwind() &&
		 u->until_check-- == 0)
		u->until_check = check_stack(u, ctx) - 1;
	errno = error;
}

void unwind_capture(struct unwind_state *u, const struct unwind_context *ctx,
		    struct stack_change *change)
{
	if (__builtin_expect(method.plain, 1))
		chain_capture(u, ctx, change);
	else
		capture_other(u, ctx, change);
}
