/*
 * unwind_path.c - a small table of walked paths, by where they begin.
 *
 * Relies on the kept slots of a frame being all that was read to leave it (see
 * unwind_chain.h), and on a steady state lying on the thread's own stack, whose words
 * above the stack pointer can always be read. Promises the stack that a walk would give.
 */
#include "unwind_path.h"

#include <string.h>

#define PATHS 64u
#define PATH_FRAMES 4u
#define PATH_SLOTS 8u

/*
 * A hit saves about as much as a miss costs. Where paths do not pay they rest for so many
 * captures; so they do at first, as most programs are short.
 */
#define REST_CAPTURES 8192u
#define REST_AT_FIRST 256u
#define LUCK_AT_FIRST 16
#define LUCK_MAX 64

struct path {
	uint64_t epoch;          /* of the state when it was kept; 0: none */
	uint64_t pc, sp, bp;     /* the context's */
	struct kept_frame base;  /* of the chain, where it ends */
	uint64_t base_pc;
	uint32_t count;          /* frames */
	uint32_t slots;
	uint64_t pcs[PATH_FRAMES];
	struct kept_frame frames[PATH_FRAMES]; /* slots: counted from the base on */
	struct kept_slot slot[PATH_SLOTS];
};

/* Each state's is its own, so that a path left by another thread is never taken. */
static uint64_t epochs;

size_t path_bytes(void)
{
	return PATHS * sizeof(struct path);
}

void path_forget(struct unwind_state *u)
{
	u->epoch = __atomic_add_fetch(&epochs, 1, __ATOMIC_RELAXED);
	u->path_rest = REST_AT_FIRST;
	u->path_luck = LUCK_AT_FIRST;
}

static inline struct path *path_of(const struct unwind_state *u, const struct unwind_context *ctx)
{
	uint64_t hash = ctx->pc * 0x9e3779b97f4a7c15u ^ ctx->sp * 0xc2b2ae3d27d4eb4fu;

	_Static_assert(PATHS == 1u << 6, "six bits");
	return &u->paths[hash >> (64 - 6)];
}

void path_keep(struct unwind_state *u, const struct unwind_context *ctx, uint32_t kept)
{
	uint32_t count = u->kept - kept, base_slots;
	struct path *p;

	/* the walk was not spared */
	if (--u->path_luck < 0) {
		u->path_rest = REST_CAPTURES;
		u->path_luck = LUCK_AT_FIRST;
		return;
	}
	if (kept == 0 || count == 0 || count > PATH_FRAMES)
		return;
	base_slots = u->frames[kept - 1].slots;
	if (u->frames[u->kept - 1].slots - base_slots > PATH_SLOTS)
		return;
	p = path_of(u, ctx);
	p->epoch = u->epoch;
	p->pc = ctx->pc;
	p->sp = ctx->sp;
	p->bp = ctx->bp;
	p->base = u->frames[kept - 1];
	p->base_pc = u->pcs[kept - 1];
	p->count = count;
	p->slots = u->frames[u->kept - 1].slots - base_slots;
	for (uint32_t i = 0; i < count; i++) {
		p->pcs[i] = u->pcs[kept + i];
		p->frames[i] = u->frames[kept + i];
		p->frames[i].slots -= base_slots;
	}
	for (uint32_t i = 0; i < p->slots; i++)
		p->slot[i] = u->slots[base_slots + i];
}

/*
 * The stack at CTX begins as P did: up to P's base it is the same. The words are the stack's, but
 * perhaps of other frames by now: AddressSanitizer takes some for what lies between variables.
 */
static inline __attribute__((no_sanitize("address")))
bool is_walked(const struct path *p, const struct unwind_state *u,
	       const struct unwind_context *ctx)
{
	uint64_t differ = 0;

	if (p->epoch != u->epoch || p->pc != ctx->pc || p->sp != ctx->sp ||
	    (p->frames[p->count - 1].live && p->bp != ctx->bp))
		return false;
	for (uint32_t i = 0; i < p->slots; i++)
		differ |= *p->slot[i].at ^ p->slot[i].value;
	return differ == 0;
}

/* The number of kept frames from the outside up to and with P's base; 0: it is not among them. */
static inline uint32_t find_base(const struct path *p, const struct unwind_state *u)
{
	uint32_t kept = u->kept;
	const struct kept_frame *f;

	while (kept && u->frames[kept - 1].sp < p->base.sp)
		kept--;
	if (kept == 0)
		return 0;
	f = &u->frames[kept - 1];
	return f->sp == p->base.sp && u->pcs[kept - 1] == p->base_pc &&
	       f->live == p->base.live && (!f->live || f->bp == p->base.bp) ? kept : 0;
}

/* Append P to KEPT frames. Returns how many frames from the outside are as they were. */
static inline uint32_t append(struct unwind_state *u, const struct path *p, uint32_t kept)
{
	uint32_t base_slots = u->frames[kept - 1].slots, common = kept;
	bool same = true;

	for (uint32_t i = 0; i < p->count; i++) {
		uint32_t at = kept + i;

		same = same && at < u->written && u->pcs[at] == p->pcs[i];
		common += same;
		u->pcs[at] = p->pcs[i];
		u->frames[at] = p->frames[i];
		u->frames[at].slots += base_slots;
	}
	for (uint32_t i = 0; i < p->slots; i++)
		u->slots[base_slots + i] = p->slot[i];
	return common;
}

bool path_take(struct unwind_state *u, const struct unwind_context *ctx,
	       struct stack_change *change)
{
	const struct path *p;
	uint32_t kept, common, total;

	p = path_of(u, ctx);
	if (!is_walked(p, u, ctx))
		return false;
	kept = find_base(p, u);
	total = kept + p->count;
	if (kept == 0 || total > u->limit || chain_verify(u, 0, kept) != 0)
		return false;
	common = append(u, p, kept);
	change->pop = u->written - common;
	change->push = total - common;
	change->frames = &u->pcs[common];
	u->kept = total;
	u->trusted = total;
	u->written = total;
	if (u->path_luck < LUCK_MAX)
		u->path_luck++;
	return true;
}
