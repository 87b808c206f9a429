/*
 * unwind_chain.c - the exact incremental capture.
 *
 * Relies on unwind_rule.c for steps, unwind_range.c for bounds, unwind_full.c for the
 * few frames that need more registers. Promises the same stack that a complete walk would
 * give, at the cost of the changed frames and one comparison for each kept one; to read
 * only stack words inside the thread's known range; no memory but the thread's.
 */
#include "unwind_chain.h"

#if defined(__GNUC__) && !defined(__clang__)
/* pairing 8-byte fields in vector registers makes a new frame a fifth slower (measured) */
#pragma GCC optimize("no-tree-slp-vectorize")
#endif

#include <string.h>

#include "unwind_path.h"
#include "unwind_rule.h"
#include "unwind_step.h"

#define PAGE 4096u
/* Room beyond twice the limit: libunwind's own frames. */
#define CAPACITY_EXTRA 32
/* Slots that leaving one frame may read. */
#define FRAME_SLOTS 3

/* ---- memory ---- */

static size_t array_bytes(uint32_t count, size_t size)
{
	return ((size_t)count * size + PAGE - 1) & ~(size_t)(PAGE - 1);
}

static uint32_t capacity_of(uint32_t limit)
{
	return 2 * limit + CAPACITY_EXTRA;
}

size_t chain_bytes(uint32_t limit)
{
	uint32_t n = capacity_of(limit);

	return array_bytes(1, sizeof(struct unwind_state)) +
	       array_bytes(n + 1, sizeof(uint64_t)) +
	       array_bytes(n + 1, sizeof(struct kept_frame)) +
	       array_bytes(n * FRAME_SLOTS, sizeof(struct kept_slot)) +
	       array_bytes(n, sizeof(struct fresh_frame)) +
	       array_bytes(limit + 1, sizeof(uint64_t)) +
	       array_bytes(1, path_bytes());
}

void chain_reset(struct unwind_state *u, uint32_t limit)
{
	uint32_t n = capacity_of(limit);
	uint8_t *p = (uint8_t *)u;

	memset(u, 0, sizeof(*u));
	p += array_bytes(1, sizeof(*u));
	u->pcs = (uint64_t *)p;
	p += array_bytes(n + 1, sizeof(uint64_t));
	u->frames = (struct kept_frame *)p;
	p += array_bytes(n + 1, sizeof(struct kept_frame));
	u->slots = (struct kept_slot *)p;
	p += array_bytes(n * FRAME_SLOTS, sizeof(struct kept_slot));
	u->fresh = (struct fresh_frame *)p;
	p += array_bytes(n, sizeof(struct fresh_frame));
	u->out = (uint64_t *)p;
	p += array_bytes(limit + 1, sizeof(uint64_t));
	u->paths = (struct path *)p;
	path_forget(u);
	u->limit = limit;
	u->capacity = n;
	u->restart = true;
}

/* ---- writing as a whole ---- */

/* Frame I of the stack, counted from the outermost, is frames[i * direction]. */
static void write_whole(struct unwind_state *u, const uint64_t *frames, int direction,
			uint32_t count, uint64_t special, struct stack_change *change)
{
	uint32_t total = 0, common = 0;
	uint32_t old = u->in_out ? u->written : 0;
	bool same = true;

	for (uint32_t i = 0; i < count + (special != 0); i++) {
		uint64_t pc = special && i == 0 ? special : *frames;

		if (!(special && i == 0))
			frames += direction;
		same = same && i < old && u->out[i] == pc;
		common += same;
		u->out[total++] = pc;
	}
	if (u->restart || u->forget)
		common = 0;
	change->pop = u->restart ? 0 : u->written - common;
	change->push = total - common;
	change->frames = &u->out[common];
	u->written = total;
	u->in_out = true;
	u->restart = false;
	u->forget = false;
}

void chain_write_whole(struct unwind_state *u, const uint64_t *pcs, uint32_t count,
		       uint64_t special, struct stack_change *change)
{
	/* what pcs[] holds is not in force any more */
	u->trusted = 0;
	write_whole(u, count ? pcs + count - 1 : pcs, -1, count, special, change);
}

const uint64_t *chain_written(const struct unwind_state *u, uint32_t *count)
{
	*count = u->written;
	return u->in_out ? u->out : u->pcs;
}

/* ---- keeping ---- */

static inline void keep_slot(struct unwind_state *u, uint32_t *slots, uint64_t at)
{
	struct kept_slot *s = &u->slots[(*slots)++];

	s->at = (const uint64_t *)at;
	s->value = *s->at;
}

/*
 * Append FRESH, whose caller is in a state with stack pointer OUTER_SP and where bp
 * matters if OUTER_LIVE. Returns whether bp matters in this frame.
 */
static inline bool keep_frame(struct unwind_state *u, uint32_t at, const struct fresh_frame *fresh,
			      uint64_t outer_sp, bool outer_live, bool left)
{
	struct kept_frame *f = &u->frames[at];
	enum rule_kind kind = rule_kind(fresh->rule);
	uint32_t slots = at ? f[-1].slots : 0;
	int64_t saved = rule_bp(fresh->rule);
	bool live = false;

	f->sp = fresh->sp;
	f->bp = fresh->bp;
	if (__builtin_expect(left && (kind == RULE_SP || kind == RULE_BP), 1)) {
		keep_slot(u, &slots, outer_sp + (uint64_t)rule_ra(fresh->rule));
		if (saved && outer_live)
			keep_slot(u, &slots, outer_sp + (uint64_t)saved);
		live = kind == RULE_BP || (!saved && outer_live);
	} else if (left && kind == RULE_SAVED) {
		keep_slot(u, &slots, outer_sp + (uint64_t)rule_ra(fresh->rule));
		keep_slot(u, &slots, fresh->bp + (uint64_t)rule_cfa(fresh->rule));
		if (outer_live)
			keep_slot(u, &slots, fresh->bp + (uint64_t)saved);
		live = true;
	} else if (left && kind == RULE_SIGNAL) {
		keep_slot(u, &slots, fresh->sp + SIGNAL_PC);
		keep_slot(u, &slots, fresh->sp + SIGNAL_SP);
		if (outer_live)
			keep_slot(u, &slots, fresh->sp + SIGNAL_BP);
	}
	f->slots = slots;
	f->live = live;
	return live;
}

/* Drop DROP outermost of COUNT kept frames. */
static __attribute__((noinline, cold))
void drop_outermost(struct unwind_state *u, uint32_t drop, uint32_t count)
{
	uint32_t slots = u->frames[drop - 1].slots;
	uint32_t all = u->frames[count - 1].slots;

	memmove(u->slots, u->slots + slots, (all - slots) * sizeof(*u->slots));
	memmove(u->pcs, u->pcs + drop, (count - drop) * sizeof(*u->pcs));
	memmove(u->frames, u->frames + drop, (count - drop) * sizeof(*u->frames));
	for (uint32_t i = 0; i < count - drop; i++)
		u->frames[i].slots -= slots;
	u->cut = true;
}

/* Frames beyond the limit: write the innermost ones. */
static __attribute__((noinline, cold))
void write_innermost(struct unwind_state *u, struct stack_change *change)
{
	u->ended[SPECIAL_TRUNCATED]++;
	write_whole(u, u->pcs + u->kept - u->limit, 1, u->limit, SPECIAL_TRUNCATED, change);
}

/*
 * Make sure that the state fits the place and the code: forget what does not.
 * False where SP is in no known memory.
 */
static __attribute__((noinline, cold))
bool prepare(struct unwind_state *u, uint64_t sp, uint32_t changes, uint64_t tag)
{
	bool own;

	if (u->rules != changes || u->tag != tag) {
		u->trusted = 0;
		/* code was unmapped: the same number may mean other code now */
		if (u->tag != tag)
			u->forget = true;
		u->rules = changes;
		u->tag = tag;
		path_forget(u);
	}
	if (range_holds(&u->stack, sp) && (u->own || u->memory == range_generation()))
		return true;
	u->trusted = 0;
	u->memory = range_generation();
	if (!range_find(&u->ranges, sp, &u->stack, &own)) {
		u->stack = (struct stack_range){ 0, 0 };
		return false;
	}
	u->own = own;
	return true;
}

#if !defined(__x86_64__)
/*
 * The stack pointer of the hook's caller is not known from its frame pointer alone:
 * walk there from here. Must be inlined where the registers are read.
 */
static inline __attribute__((always_inline))
bool find_start(struct walk *w, const struct unwind_context *ctx, struct frame_state *s)
{
	__asm__ volatile("adr %0, .\n\tmov %1, sp\n\tmov %2, x29"
			 : "=r"(s->pc), "=r"(s->sp), "=r"(s->bp));
	for (unsigned i = 0; i < 32; i++) {
		struct fresh_frame f = { s->pc, s->sp, s->bp, rule_of(s->pc, w->tag) };
		unsigned end = step_hot(s, f.rule, w->high);

		if (end == STEP_COLD)
			end = step_cold(w, s, &f);
		if (end != STEP_ON)
			return false;
		if (s->pc == ctx->pc - 1)
			return true;
	}
	return false;
}
#endif

static __attribute__((noinline, cold))
void write_end(struct unwind_state *u, const struct unwind_context *ctx,
	       enum frame_special special, struct stack_change *change)
{
	uint64_t pc = ctx->pc - 1;

	u->ended[special]++;
	chain_write_whole(u, &pc, 1, special, change);
}

/* The change from what is in force to pcs[0..total), of which the first COMMON are as they were. */
static inline void write_kept(struct unwind_state *u, uint32_t common, uint32_t total,
			      struct stack_change *change)
{
	if (__builtin_expect(u->restart | u->in_out | u->forget, 0)) {
		common = 0;
		change->pop = u->restart ? 0 : u->written;
		u->restart = false;
		u->in_out = false;
		u->forget = false;
	} else {
		change->pop = u->written - common;
	}
	change->push = total - common;
	change->frames = &u->pcs[common];
	u->written = total;
}

/*
 * Walk from S outward until the chain is met (STEP_ON; *KEPT frames of it stay) or
 * the stack ends. Leaves the frames passed in fresh[0..w->count).
 */
static inline unsigned walk_out(struct unwind_state *u, struct walk *w, struct frame_state *from,
				uint32_t *kept_out)
{
	/* in registers: only the cold step takes an address */
	struct frame_state s = *from;
	uint64_t high = w->high, tag = w->tag;
	uint32_t kept = u->trusted, n = 0;
	unsigned end = STEP_ON;

	for (;;) {
		struct fresh_frame *f = &u->fresh[n];

		while (kept && u->frames[kept - 1].sp < s.sp)
			kept--;
		if (kept && u->frames[kept - 1].sp == s.sp && u->pcs[kept - 1] == s.pc &&
		    (!u->frames[kept - 1].live || u->frames[kept - 1].bp == s.bp)) {
			/* frames that will not be written need not be the same */
			uint32_t floor = kept + n > u->limit ? kept + n - u->limit : 0;
			uint32_t bad = floor < kept ? chain_verify(u, floor, kept) : 0;

			if (__builtin_expect(bad == 0, 1))
				break;
			/* go on from the true state: the kept bp of an outer frame may be stale */
			kept = bad - 1;
		}
		if (__builtin_expect(n == u->capacity, 0)) {
			end = SPECIAL_TRUNCATED;
			break;
		}
		n++;
		f->pc = s.pc;
		f->sp = s.sp;
		f->bp = s.bp;
		f->rule = rule_of(s.pc, tag);
		end = step_hot(&s, f->rule, high);
		if (__builtin_expect(end != STEP_ON, 0)) {
			if (end == STEP_COLD) {
				*from = s;
				end = step_cold(w, from, f);
				s = *from;
				high = w->high;
			}
			if (end != STEP_ON)
				break;
			/* the chain's slots do not vouch for what is outside this frame */
			if (w->fragile)
				kept = 0;
		}
	}
	*from = s;
	w->count = n;
	*kept_out = kept;
	return end;
}

/* The walk came to an END of the stack: a new chain begins, with the reason where it is one. */
static __attribute__((noinline, cold))
uint32_t begin_chain(struct unwind_state *u, struct walk *w, unsigned end)
{
	u->cut = end == SPECIAL_TRUNCATED;
	if (u->cut || end == STEP_BOTTOM)
		return 0;
	/* what was read to find that out is not all in the slots */
	if (end != SPECIAL_NO_RULE)
		w->fragile = true;
	u->frames[0] = (struct kept_frame){ .sp = UINT64_MAX };
	return 1;
}

/* Make room for COUNT frames more than KEPT; returns how many of the kept ones remain. */
static __attribute__((noinline, cold))
uint32_t make_room(struct unwind_state *u, uint32_t kept, uint32_t count)
{
	uint32_t drop = kept + count - (u->limit + u->limit / 2);

	u->cut = true;
	if (drop >= kept)
		return 0;
	drop_outermost(u, drop, kept);
	return kept - drop;
}

/*
 * Append the fresh frames to KEPT ones; the outermost was left into state S. Returns
 * how many frames from the outside are the same as were in pcs[] before.
 */
static inline uint32_t keep_fresh(struct unwind_state *u, const struct walk *w,
				  const struct frame_state *s, uint32_t kept, uint32_t common)
{
	uint32_t n = w->count, at = kept;
	bool same = common == kept;
	bool live = kept ? u->frames[kept - 1].live : u->cut;
	bool left = n && s->sp != u->fresh[n - 1].sp;
	uint64_t outer_sp = s->sp;

	for (; n-- > 0; at++) {
		const struct fresh_frame *f = &u->fresh[n];
		uint64_t pc = f->pc;

		/* the kernel's return address is the trampoline's first byte */
		if (__builtin_expect(rule_kind(f->rule) == RULE_SIGNAL, 0))
			pc++;
		same = same && at < u->written && u->pcs[at] == pc;
		common += same;
		u->pcs[at] = pc;
		live = keep_frame(u, at, f, outer_sp, live, left);
		left = true;
		outer_sp = f->sp;
	}
	return common;
}

static __attribute__((noinline))
void capture_changed(struct unwind_state *u, const struct unwind_context *ctx,
		     struct stack_change *change)
{
	struct frame_state s = { ctx->pc - 1, ctx->sp, ctx->bp };
	struct walk w = { .u = u };
	uint32_t changes = __atomic_load_n(&rules.changes, __ATOMIC_ACQUIRE);
	uint32_t kept, common, special;
	unsigned end;

	w.tag = __atomic_load_n(&rules.tag, __ATOMIC_ACQUIRE);
	u->steady = false;
	if (__builtin_expect(!range_holds(&u->stack, s.sp) || !u->own ||
			     u->rules != changes || u->tag != w.tag, 0) &&
	    !prepare(u, s.sp, changes, w.tag)) {
		write_end(u, ctx, SPECIAL_BAD_STACK, change);
		return;
	}
again:
	w.low = u->stack.low;
	w.high = u->stack.high;
	w.fragile = false;
#if !defined(__x86_64__)
	if (!find_start(&w, ctx, &s)) {
		write_end(u, ctx, SPECIAL_HARD_RULE, change);
		return;
	}
#endif
	end = walk_out(u, &w, &s, &kept);
	common = kept;
	special = 0;
	if (__builtin_expect(end != STEP_ON, 0)) {
		kept = special = begin_chain(u, &w, end);
		common = 0;
		if (special) {
			common = u->written && u->pcs[0] == end;
			u->pcs[0] = end;
		}
	} else if (__builtin_expect(kept + w.count > u->capacity, 0)) {
		kept = make_room(u, kept, w.count);
	} else {
		special = u->pcs[0] < SPECIAL_COUNT;
	}
	common = keep_fresh(u, &w, &s, kept, common);
	u->kept = kept + w.count;
	u->trusted = w.fragile ? 0 : u->kept;
	if (__builtin_expect(u->kept - special > u->limit, 0)) {
		write_innermost(u, change);
	} else if (__builtin_expect(u->cut, 0)) {
		/* frames that were dropped are wanted again */
		u->trusted = 0;
		s = (struct frame_state){ ctx->pc - 1, ctx->sp, ctx->bp };
		goto again;
	} else {
		write_kept(u, common, u->kept, change);
		if (__builtin_expect(special, 0))
			u->ended[u->pcs[0]]++; /* never steady: each one is counted */
		else
			u->steady = u->own && !w.fragile;
#if defined(__x86_64__)
		if (!path_is_due(u))
			u->path_rest--;
		else if (u->steady && end == STEP_ON)
			path_keep(u, ctx, kept);
#endif
	}
}

#if defined(__x86_64__)
/* The stack at CTX is the one in force; all of it is kept. */
static inline bool is_last(const struct unwind_state *u, const struct unwind_context *ctx)
{
	uint32_t kept = u->kept;
	const struct kept_frame *f = &u->frames[kept - 1];

	return f->sp == ctx->sp && u->pcs[kept - 1] == ctx->pc - 1 &&
	       (!f->live || f->bp == ctx->bp) && chain_verify(u, 0, kept) == 0;
}
#endif

/*
 * The commonest stack is the last one again: that is found out without the frame of a
 * large function.
 */
void chain_capture(struct unwind_state *u, const struct unwind_context *ctx,
		   struct stack_change *change)
{
#if defined(__x86_64__)
	if (u->steady && u->rules == __atomic_load_n(&rules.changes, __ATOMIC_ACQUIRE)) {
		if (is_last(u, ctx)) {
			*change = (struct stack_change){ .frames = u->pcs };
			return;
		}
		if (path_is_due(u) && path_take(u, ctx, change))
			return;
	}
#endif
	capture_changed(u, ctx, change);
}
