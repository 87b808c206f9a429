/*
 * event.c - from a hook's call to the bytes of a record. Relies on the guard being
 * set (guard.h). The hot path is: stamp, stack, room, encode at the cursor, one
 * release store; no lock, no atomic read-modify-write, no shared cache line.
 */
#include <errno.h>
#include <string.h>

#include "block.h"
#include "clock.h"
#include "event.h"
#include "event_write.h"
#include "freed_look.h"
#include "guard.h"
#include "infer.h"
#include "inner_stack.h"
#include "sample.h"
#include "session.h"

#define unlikely(x) __builtin_expect(!!(x), 0)

/* Outer end of all stacks where none are taken. */
static const uint64_t no_stack[1] = { SPECIAL_NO_STACK };

static inline bool sites_inferred(void)
{
	return session.features & FEATURE_SITES_INFERRED;
}

static inline bool is_release(enum alloc_func func)
{
	return func >= FUNC_FREE && func <= FUNC_CFREE;
}

/* Values below 16 are no addresses but enum frame_special. */
static uint8_t *put_frames(uint8_t *p, struct codec_base *b, const struct stack_change *ch)
{
	for (uint32_t i = 0; i < ch->push; i++) {
		if (unlikely(ch->frames[i] < 16))
			p = put_frame(p, FRAME_SPECIAL, ch->frames[i]);
		else
			p = put_frame_native(p, b, ch->frames[i]);
	}
	return p;
}

static inline uint8_t *put_change(uint8_t *p, struct ring_cursor *c,
				  const struct stack_change *ch)
{
	c->depth += ch->push - ch->pop;
	return put_frames(put_stack_head(p, ch->pop, ch->push), &c->base, ch);
}

static inline void stack_take(struct thread *t, const struct unwind_context *ctx,
			      struct stack_change *ch)
{
	if (unlikely(t->stacks != STACKS_CAPTURED)) {
		ch->pop = 0;
		ch->push = t->stacks == STACKS_NONE_PENDING;
		ch->frames = no_stack;
		t->stacks = STACKS_NONE;
		return;
	}
	unwind_capture(t->unwind, ctx, ch);
	if (unlikely(t->pop)) {
		ch->pop += t->pop;
		t->pop = 0;
	}
}

static __attribute__((noinline, cold)) bool stack_retake(struct thread *t,
							 const struct unwind_context *ctx,
							 struct stack_change *ch, uint64_t stamp)
{
	if (ring_extend(&t->ring) && ring_room(&t->ring) >= RECORD_MAX + STACK_MAX(ch->push))
		return true;
	if (!event_segment_new(t, RECORD_MAX + STACK_MAX(ch->push), stamp))
		return false;
	stack_take(t, ctx, ch);
	if (ring_room(&t->ring) >= RECORD_MAX + STACK_MAX(ch->push))
		return true;
	/* the unwinder believes it was written: only a new segment brings them together */
	ring_close(&t->ring);
	event_lost(t, LOSS_TOO_LONG);
	return false;
}

/*
 * Take the stack and see to room for a record with it. Returns the tag's flag;
 * -1: the event is lost and was counted.
 */
static inline int stack_begin(struct thread *t, const struct unwind_context *ctx,
			      struct stack_change *ch, uint64_t stamp)
{
	if (!event_room(t, RECORD_MAX, stamp))
		return -1;
	stack_take(t, ctx, ch);
	if (unlikely(ring_room(&t->ring) < RECORD_MAX + STACK_MAX(ch->push)) &&
	    !stack_retake(t, ctx, ch, stamp))
		return -1;
	return ch->pop | ch->push ? (int)TAG_STACK : 0;
}

struct acquire {
	enum event_kind kind;
	enum alloc_func func;
	size_t nmemb;
	size_t size;
	size_t alignment;
};

static inline uint8_t *put_acquire_fields(uint8_t *p, const struct acquire *a)
{
	switch (a->kind) {
	case EVENT_CALLOC:
		p = varint_put(p, a->nmemb);
		return varint_put(p, a->size);
	case EVENT_ALIGNED:
		*p++ = (uint8_t)a->func;
		p = varint_put(p, a->alignment);
		return varint_put(p, a->size);
	case EVENT_REALLOC_END:
		p = varint_put(p, (uint64_t)a->size << 1 | (a->func == FUNC_REALLOCARRAY));
		return a->func == FUNC_REALLOCARRAY ? varint_put(p, a->nmemb) : p;
	default:
		return varint_put(p, a->size);
	}
}

/* Requested bytes; the call succeeded, so only a strange allocator overflows here. */
static inline uint64_t acquire_bytes(const struct acquire *a)
{
	uint64_t bytes = a->size;

	if (a->kind == EVENT_CALLOC || a->func == FUNC_REALLOCARRAY)
		if (__builtin_mul_overflow(a->nmemb, a->size, &bytes))
			return UINT64_MAX;
	return bytes;
}

/* The call is not recorded, nor is the time it took. */
static inline void pass_over(struct thread *t)
{
	t->leave &= (uint8_t)~LEAVE_TIMING;
}

/*
 * The common body of all acquires; inlined into each with KIND known. False: it was
 * not recorded.
 */
static inline __attribute__((always_inline)) bool
acquire_record(void *result, struct acquire a, const struct unwind_context *ctx)
{
	struct thread *t = &thread;
	uint64_t stamp = clock_stamp();
	struct block b = block_read(result);
	struct stack_change ch;
	uint64_t odd_bytes;
	uint8_t *p;
	unsigned tag;
	int flag;

	if (unlikely(t->leave)) {
		t->call_end = stamp;
		if (sites_inferred())
			infer_after(result, b.cls);
		if (t->leave & LEAVE_SAMPLING && !sample_takes(t, result, acquire_bytes(&a))) {
			pass_over(t);
			return false;
		}
	}
	t->phase = PHASE_RECORD;
	flag = stack_begin(t, ctx, &ch, stamp);
	if (unlikely(flag < 0)) {
		t->phase = PHASE_CALL;
		if (t->leave & LEAVE_SAMPLING)
			sample_drop(result);
		return false;
	}
	odd_bytes = b.usable - usable_rule(acquire_bytes(&a), b.cls);
	tag = (unsigned)a.kind | (unsigned)flag | addr_flag(&t->ring.base, (uint64_t)result);
	if (unlikely(b.cls != t->ring.base.cls))
		tag |= TAG_CLASS;
	if (unlikely(odd_bytes))
		tag |= TAG_USABLE;
	p = put_head(t->ring.cursor, &t->ring.base, tag, stamp);
	if (flag)
		p = put_change(p, &t->ring, &ch);
	if (tag & TAG_CLASS) {
		t->ring.base.cls = (uint8_t)b.cls;
		*p++ = (uint8_t)b.cls;
	}
	p = put_acquire_fields(p, &a);
	p = put_addr(p, &t->ring.base, (uint64_t)result);
	if (tag & TAG_USABLE)
		p = varint_put(p, zigzag((int64_t)odd_bytes));
	ring_publish(&t->ring, p);
	t->phase = PHASE_CALL;
	return true;
}

void event_malloc(void *result, size_t size, const struct unwind_context *ctx)
{
	if (unlikely(!result)) {
		event_failed(FUNC_MALLOC, errno, 0, size, ctx);
		return;
	}
	acquire_record(result, (struct acquire){ .kind = EVENT_ALLOC, .func = FUNC_MALLOC,
						 .size = size }, ctx);
}

void event_calloc(void *result, size_t nmemb, size_t size, const struct unwind_context *ctx)
{
	if (unlikely(!result)) {
		event_failed(FUNC_CALLOC, errno, nmemb, size, ctx);
		return;
	}
	acquire_record(result, (struct acquire){ .kind = EVENT_CALLOC, .func = FUNC_CALLOC,
						 .nmemb = nmemb, .size = size }, ctx);
}

void event_aligned(enum alloc_func func, void *result, size_t alignment,
		   size_t size, const struct unwind_context *ctx)
{
	if (unlikely(!result)) {
		event_failed(func, errno, alignment, size, ctx);
		return;
	}
	acquire_record(result, (struct acquire){ .kind = EVENT_ALIGNED, .func = func,
						 .size = size, .alignment = alignment }, ctx);
}

void event_realloc_end(void *result, size_t nmemb, size_t size, const struct unwind_context *ctx)
{
	struct acquire a = {
		.kind = EVENT_REALLOC_END,
		.func = nmemb ? FUNC_REALLOCARRAY : FUNC_REALLOC,
		.nmemb = nmemb,
		.size = size,
	};

	/* sampling: the old block is gone, the new one is nobody the reader knows */
	if (!acquire_record(result, a, ctx) && thread.leave & LEAVE_GIVEN)
		event_null_call(a.func, ctx);
}

/* The stack of a release, where releases have one; else only room. Result as stack_begin(). */
static inline int release_begin(struct thread *t, const struct unwind_context *ctx,
				struct stack_change *ch, uint64_t stamp)
{
	if (unlikely(session.options.free_stacks))
		return stack_begin(t, ctx, ch, stamp);
	return event_room(t, RECORD_MAX, stamp) ? 0 : -1;
}

/* Last thing before the real call that releases P. */
static __attribute__((noinline, cold)) void release_look(struct thread *t, void *p)
{
	if (sites_inferred()) {
		t->phase = PHASE_CALL;
		infer_release(p, block_read(p).cls);
	}
	if (t->leave & LEAVE_TIMING)
		t->call_start = clock_stamp();
}

/* NEW_BYTES: what a realloc asks for, 0 for a free. */
static inline __attribute__((always_inline)) void
release_record(enum event_kind kind, enum alloc_func func, void *p, size_t new_bytes,
	       const struct unwind_context *ctx)
{
	struct thread *t = &thread;
	uint64_t stamp = clock_stamp();
	struct stack_change ch;
	unsigned tag = kind;
	uint8_t *at;
	int flag;

	if (unlikely(t->leave & LEAVE_SAMPLING)) {
		if (!sample_gives_back(t, p)) {
			pass_over(t);
			release_look(t, p);
			return;
		}
		t->leave |= LEAVE_GIVEN;
	}
	t->phase = PHASE_RECORD;
	flag = release_begin(t, ctx, &ch, stamp);
	if (flag >= 0) {
		tag |= (unsigned)flag | addr_flag(&t->ring.base, (uint64_t)p);
		if (kind == EVENT_FREE && func != FUNC_FREE)
			tag |= TAG_CLASS;
		at = put_head(t->ring.cursor, &t->ring.base, tag, stamp);
		if (unlikely(flag))
			at = put_change(at, &t->ring, &ch);
		if (tag & TAG_CLASS)
			*at++ = (uint8_t)func;
		at = put_addr(at, &t->ring.base, (uint64_t)p);
		if (kind == EVENT_REALLOC_BEGIN)
			ring_publish_part(&t->ring, at);
		else
			ring_publish(&t->ring, at);
		if (unlikely(freed_look_wanted(p)))
			freed_look(t, p, new_bytes, stamp);
	}
	if (unlikely(t->leave))
		release_look(t, p);
	t->phase = PHASE_CALL;
}

void event_realloc_begin(void *old, size_t new_bytes, const struct unwind_context *ctx)
{
	release_record(EVENT_REALLOC_BEGIN, FUNC_REALLOC, old, new_bytes, ctx);
}

void event_free(enum alloc_func func, void *p, const struct unwind_context *ctx)
{
	release_record(EVENT_FREE, func, p, 0, ctx);
}

/* Of calls without a new block sampling only has those that ended a recorded one. */
static inline bool is_passed_over(struct thread *t)
{
	if (!(t->leave & LEAVE_SAMPLING))
		return false;
	/* what remains says nothing of how long such calls take */
	pass_over(t);
	return !(t->leave & LEAVE_GIVEN);
}

void event_null_call(enum alloc_func func, const struct unwind_context *ctx)
{
	struct thread *t = &thread;
	uint64_t stamp = clock_stamp();
	struct stack_change ch;
	uint8_t *p;
	int flag;

	if (!is_release(func))
		t->call_end = stamp;
	if (func == FUNC_REALLOC && sites_inferred())
		infer_after(NULL, CLASS_HEAP);
	if (unlikely(is_passed_over(t)))
		return;
	t->phase = PHASE_RECORD;
	flag = is_release(func) ? release_begin(t, ctx, &ch, stamp) :
				  stack_begin(t, ctx, &ch, stamp);
	if (flag >= 0) {
		p = put_head(t->ring.cursor, &t->ring.base, EVENT_NULL_CALL | (unsigned)flag, stamp);
		if (flag)
			p = put_change(p, &t->ring, &ch);
		*p++ = (uint8_t)func;
		ring_publish(&t->ring, p);
	}
	t->phase = PHASE_CALL;
}

void event_failed(enum alloc_func func, int error, size_t nmemb_or_alignment,
		  size_t size, const struct unwind_context *ctx)
{
	struct thread *t = &thread;
	uint64_t stamp = clock_stamp();
	struct stack_change ch;
	uint8_t *p;
	int flag;

	t->call_end = stamp;
	if (unlikely(is_passed_over(t)))
		return;
	if (unlikely(t->leave & LEAVE_GIVEN))
		sample_restore(t->given_back);
	t->phase = PHASE_RECORD;
	flag = stack_begin(t, ctx, &ch, stamp);
	if (flag >= 0) {
		p = put_head(t->ring.cursor, &t->ring.base, EVENT_FAILED | (unsigned)flag, stamp);
		if (flag)
			p = put_change(p, &t->ring, &ch);
		*p++ = (uint8_t)func;
		*p++ = (uint8_t)error;
		p = varint_put(p, nmemb_or_alignment);
		p = varint_put(p, size);
		ring_publish(&t->ring, p);
	}
	t->phase = PHASE_CALL;
}

bool event_is_inside(void)
{
	return thread.guard_sp != 0;
}

/*
 * The acquire that follows in the stream has the stack of its system calls; a
 * release has none, so the first system call that it makes brings it. With sampling
 * nobody knows what follows.
 */
static int syscall_stack(struct thread *t, bool inside, const struct unwind_context *ctx,
			 struct stack_change *ch, uint64_t stamp)
{
	struct unwind_context caller;

	if (!inside || (ctx && unlikely(t->leave & LEAVE_SAMPLING)))
		return stack_begin(t, ctx, ch, stamp);
	if (unlikely(t->leave & LEAVE_SAMPLING) ||
	    (is_release((enum alloc_func)t->func) && !session.options.free_stacks)) {
		unwind_context_of(&caller, t->guard_sp);
		return stack_begin(t, &caller, ch, stamp);
	}
	return event_room(t, RECORD_MAX, stamp) ? 0 : -1;
}

/* What malloc called on the way to the system call at CTX. */
static __attribute__((noinline, cold)) void inner_record(struct thread *t,
							 const struct unwind_context *ctx)
{
	struct inner_frames inner;
	uint64_t stamp = clock_stamp();

	/* in one segment with the system call: a reader trusts nothing across segments */
	if (t->stacks != STACKS_CAPTURED || !event_room(t, INNER_RECORD_MAX + RECORD_MAX, stamp))
		return;
	inner_stack(t, ctx, &inner);
	if (inner.count)
		ring_publish_part(&t->ring, put_inner(t->ring.cursor, &t->ring.base, stamp, &inner));
}

static bool syscall_record(struct thread *t, bool inside, enum memory_syscall number,
			   const long args[6], unsigned flags, const struct unwind_context *ctx)
{
	uint64_t stamp = clock_stamp();
	struct stack_change ch;
	uint8_t *p;
	int flag = syscall_stack(t, inside, ctx, &ch, stamp);
	enum alloc_func func = inside ? (enum alloc_func)t->func : FUNC_OTHER;

	if (flag < 0)
		return false;
	if (inside || (sampling.is_fast && sample_passing(t, ctx->sp, &func)))
		flags |= SYSCALL_IN_ALLOCATOR;
	p = put_head(t->ring.cursor, &t->ring.base, EVENT_SYSCALL_BEGIN | (unsigned)flag, stamp);
	if (flag)
		p = put_change(p, &t->ring, &ch);
	*p++ = (uint8_t)number;
	*p++ = (uint8_t)flags;
	*p++ = (uint8_t)func;
	for (unsigned i = 0; i < syscall_argc(number); i++)
		p = varint_put(p, (uint64_t)args[i]);
	ring_publish_part(&t->ring, p);
	return true;
}

/* A handler's call on another stack is none of the allocator's, nor is one after the hook. */
static inline bool is_under_guard(const struct thread *t, const struct unwind_context *ctx)
{
	return !ctx || t->guard_sp - ctx->sp < SAME_STACK_BYTES;
}

/* Not inlined: its frame is asked for its caller's. */
__attribute__((noinline))
bool event_syscall_begin(enum memory_syscall number, const long args[6],
			 unsigned flags, const struct unwind_context *ctx)
{
	struct thread *t = &thread;
	bool inside = t->guard_sp && t->phase == PHASE_CALL && *session_live &&
		      is_under_guard(t, ctx);
	bool written;

	/* saved below this function's frame address is that of its caller, who makes the call */
	if (!inside && !guard_enter_at(FUNC_OTHER, *(const uint64_t *)__builtin_frame_address(0)))
		return false;
	t->phase = PHASE_RECORD;
	if (unlikely(session.options.syscalls == SYSCALLS_STACKS) && inside && ctx &&
	    !(t->leave & LEAVE_SAMPLING))
		inner_record(t, ctx);
	written = syscall_record(t, inside, number, args, flags, ctx);
	t->phase = inside ? PHASE_CALL_SYSCALL : PHASE_SYSCALL;
	if (!written) {
		/* counted as lost; an end without a beginning would mean nothing */
		t->phase = PHASE_CALL;
		if (!inside)
			guard_leave();
	}
	return written;
}

/* Calls after which a stack may lie elsewhere, or nowhere. */
static bool moves_memory(enum memory_syscall number)
{
	switch (number) {
	case SYS_MEM_brk:
	case SYS_MEM_mmap:
	case SYS_MEM_munmap:
	case SYS_MEM_mremap:
	case SYS_MEM_mprotect:
	case SYS_MEM_pkey_mprotect:
	case SYS_MEM_remap_file_pages:
	case SYS_MEM_shmat:
	case SYS_MEM_shmdt:
		return true;
	default:
		return false;
	}
}

void event_syscall_end(enum memory_syscall number, long result)
{
	struct thread *t = &thread;
	uint64_t stamp = clock_stamp();
	bool inside = t->phase == PHASE_CALL_SYSCALL;
	uint8_t *p;

	t->phase = PHASE_RECORD;
	if (moves_memory(number))
		unwind_memory_changed();
	if (event_room(t, RECORD_MAX, stamp)) {
		p = put_head(t->ring.cursor, &t->ring.base, EVENT_SYSCALL_END, stamp);
		*p++ = (uint8_t)number;
		p = varint_put(p, zigzag(result));
		ring_publish(&t->ring, p);
	}
	t->phase = PHASE_CALL;
	if (!inside)
		guard_leave();
}

void event_mark(const char *name)
{
	struct thread *t = &thread;
	size_t bytes = strnlen(name, MARK_NAME_MAX);
	uint64_t stamp;
	uint8_t *p;

	if (!guard_enter(FUNC_OTHER))
		return;
	stamp = clock_stamp();
	t->leave &= ~LEAVE_TIMING;
	t->phase = PHASE_RECORD;
	if (event_room(t, RECORD_MAX + MARK_NAME_MAX, stamp)) {
		p = put_head(t->ring.cursor, &t->ring.base, EVENT_MARK, stamp);
		p = varint_put(p, bytes);
		memcpy(p, name, bytes);
		ring_publish(&t->ring, p + bytes);
	}
	guard_leave();
}
