/*
 * record_codec.h - event records to bytes and back: the only copy, used by the
 * preloaded library (which writes) and by the analyzer (which reads).
 *
 *	tag | stamp - last stamp | [stack difference] | fields of the kind
 *
 * Worked example, malloc(32) = 0x55d0c0a2a2a0, 3 ticks after the last record,
 * first address of the segment, innermost frame exchanged for one 16 bytes on:
 *
 *	31        ALLOC | TAG_STACK | TAG_ADDR16
 *	03        stamp + 3
 *	11        stack: pop 1, push 1
 *	80 01     zigzag(16) << 2 | FRAME_NATIVE = 128
 *	20        size 32
 *	d4 a8 d1 c0 a1 d7 02  zigzag(0x55d0c0a2a2a0 / 16)
 *
 * Writers check the room first: RECORD_MAX bytes without the stack, STACK_MAX(n)
 * for a difference of n pushed frames.
 */
#ifndef ALLOTROPE_RECORD_CODEC_H
#define ALLOTROPE_RECORD_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "record_kinds.h"
#include "varint.h"

/* Longest record without its stack: a system call with six arguments. */
#define RECORD_MAX (2 + 3 + VARINT_MAX * 9)
#define STACK_MAX(pushed) (1 + 2 * VARINT_MAX + (size_t)(pushed) * VARINT_MAX)
/* A name in a MARK record. */
#define MARK_NAME_MAX 255
/* The deepest call stack that a recording may hold. */
#define DEPTH_MAX 4096

/* What differences are taken from; all zero at the start of a segment, but stamp. */
struct codec_base {
	uint64_t stamp;
	uint64_t addr;
	uint64_t frame;
	uint8_t cls;
};

/* ---- writing ---- */

/* Tag and stamp. A stamp before the last one is written as the last one. */
static inline uint8_t *put_head(uint8_t *p, struct codec_base *b, unsigned tag,
				uint64_t stamp)
{
	uint64_t delta = stamp > b->stamp ? stamp - b->stamp : 0;

	b->stamp += delta;
	*p++ = (uint8_t)tag;
	return varint_put(p, delta);
}

/* The flag for ADDR, to be part of the tag. */
static inline unsigned addr_flag(const struct codec_base *b, uint64_t addr)
{
	return ((addr - b->addr) & 15) == 0 ? TAG_ADDR16 : 0;
}

static inline uint8_t *put_addr(uint8_t *p, struct codec_base *b, uint64_t addr)
{
	int64_t delta = (int64_t)(addr - b->addr);

	b->addr = addr;
	return varint_put(p, zigzag((delta & 15) == 0 ? delta >> 4 : delta));
}

/* Head of a stack difference: pop POP innermost frames, push PUSH frames. */
static inline uint8_t *put_stack_head(uint8_t *p, uint64_t pop, uint64_t push)
{
	*p++ = (uint8_t)((pop < 15 ? pop : 15) | (push < 15 ? push : 15) << 4);
	if (pop >= 15)
		p = varint_put(p, pop);
	if (push >= 15)
		p = varint_put(p, push);
	return p;
}

/* Pushed frames follow the head, outermost first. */
static inline uint8_t *put_frame_native(uint8_t *p, struct codec_base *b,
					uint64_t pc)
{
	uint64_t value = zigzag((int64_t)(pc - b->frame));

	b->frame = pc;
	/* 62 bits of payload hold every difference of user-space addresses */
	return varint_put(p, value << 2 | FRAME_NATIVE);
}

static inline uint8_t *put_frame(uint8_t *p, enum frame_type type, uint64_t payload)
{
	return varint_put(p, payload << 2 | (uint64_t)type);
}

/* ---- reading ---- */

struct frame {
	uint64_t value; /* pc to look up (return address - 1), id, or special */
	uint8_t type;   /* enum frame_type */
};

/*
 * One record as it was written; only the fields of its kind mean something. Those
 * in the first part are 0 where the kind does not have them; those in the second are
 * left as they were.
 */
struct record {
	uint64_t stamp;
	uint64_t addr;      /* block: result of an acquire, argument of a release */
	uint64_t size;      /* requested bytes of one element */
	uint64_t nmemb;     /* CALLOC, REALLOC_END of reallocarray; else 1 */
	uint64_t alignment; /* ALIGNED */
	uint64_t usable;    /* acquires: usable bytes */
	uint32_t thread;    /* in force after this record */
	uint32_t pop;       /* stack difference: innermost frames to drop */
	uint32_t push;      /* frames pushed, outermost first, in decoder.frames */
	uint32_t name_bytes;/* MARK, EXTENDED: length of name */
	uint8_t kind;       /* enum event_kind */
	uint8_t func;       /* enum alloc_func */
	uint8_t cls;        /* enum block_class */
	uint8_t number;     /* enum memory_syscall; LOSS: enum loss_cause */
	uint8_t flags;      /* SYSCALL_BEGIN */
	uint8_t error;      /* FAILED: errno */
	bool has_stack;     /* a difference was written (may be empty) */
	bool is_array;      /* REALLOC_END made by reallocarray */

	uint64_t args[6];   /* SYSCALL_BEGIN; FAILED: [0] nmemb or alignment; EXTENDED: [0] kind */
	int64_t result;     /* SYSCALL_END: as the kernel gave it (-errno) */
	uint64_t duration;  /* TIMING: ticks of the stream's last allocator call */
	uint64_t count;     /* LOSS */
	const uint8_t *name;/* MARK, EXTENDED: bytes in the segment, not terminated */
};

struct decoder {
	const uint8_t *p;
	const uint8_t *end;
	struct codec_base base;
	uint32_t thread;
	uint32_t depth;             /* frames in force; pops are checked against it */
	struct frame frames[DEPTH_MAX + 1]; /* pushed by the last record */
};

/* Begin a segment: BYTES of records at PAYLOAD. The decoder keeps pointing there. */
static inline void decoder_init(struct decoder *d, const uint8_t *payload,
				size_t bytes, uint64_t first_stamp, uint32_t thread)
{
	d->p = payload;
	d->end = payload + bytes;
	d->base = (struct codec_base){ .stamp = first_stamp };
	d->thread = thread;
	d->depth = 0;
}

static inline const uint8_t *get_byte(const uint8_t *p, const uint8_t *end,
				      uint8_t *v)
{
	if (!p || p >= end) {
		*v = 0;
		return NULL;
	}
	*v = *p;
	return p + 1;
}

static inline const uint8_t *get_number(const uint8_t *p, const uint8_t *end,
					uint64_t *v)
{
	if (!p) {
		*v = 0;
		return NULL;
	}
	return varint_get_fast(p, end, v);
}

static inline const uint8_t *get_stack(const uint8_t *p, struct decoder *d,
				       struct record *r)
{
	uint64_t pop, push, value;
	uint8_t head;

	p = get_byte(p, d->end, &head);
	if (!p)
		return NULL;
	pop = head & 15;
	push = head >> 4;
	if (pop == 15)
		p = get_number(p, d->end, &pop);
	if (push == 15)
		p = get_number(p, d->end, &push);
	if (!p || pop > d->depth || push > DEPTH_MAX + 1 - (d->depth - pop))
		return NULL;
	for (uint64_t i = 0; i < push; i++) {
		p = get_number(p, d->end, &value);
		if (!p)
			return NULL;
		d->frames[i].type = value & 3;
		value >>= 2;
		if (d->frames[i].type == FRAME_NATIVE) {
			value = d->base.frame + (uint64_t)unzigzag(value);
			d->base.frame = value;
		}
		d->frames[i].value = value;
	}
	d->depth = d->depth - (uint32_t)pop + (uint32_t)push;
	r->pop = (uint32_t)pop;
	r->push = (uint32_t)push;
	r->has_stack = true;
	return p;
}

static inline const uint8_t *get_addr(const uint8_t *p, struct decoder *d,
				      unsigned tag, uint64_t *addr)
{
	uint64_t z;

	p = get_number(p, d->end, &z);
	if (!p)
		return NULL;
	z = (uint64_t)unzigzag(z);
	if (tag & TAG_ADDR16)
		z <<= 4;
	d->base.addr += z;
	*addr = d->base.addr;
	return p;
}

/* nmemb * size, saturated: only a damaged recording overflows here. */
static inline uint64_t record_bytes(const struct record *r)
{
	uint64_t bytes;

	if (__builtin_mul_overflow(r->nmemb, r->size, &bytes))
		return UINT64_MAX;
	return bytes;
}

static inline const uint8_t *get_acquire(const uint8_t *p, struct decoder *d,
					 struct record *r, unsigned tag)
{
	uint64_t z;

	if (tag & TAG_CLASS) {
		p = get_byte(p, d->end, &d->base.cls);
		if (!p || d->base.cls >= CLASS_COUNT)
			return NULL;
	}
	r->cls = d->base.cls;
	r->nmemb = 1;
	switch (r->kind) {
	case EVENT_ALLOC:
		r->func = FUNC_MALLOC;
		break;
	case EVENT_CALLOC:
		r->func = FUNC_CALLOC;
		p = get_number(p, d->end, &r->nmemb);
		break;
	case EVENT_ALIGNED:
		p = get_byte(p, d->end, &r->func);
		if (!p || r->func >= FUNC_COUNT)
			return NULL;
		p = get_number(p, d->end, &r->alignment);
		break;
	default:
		break;
	}
	p = get_number(p, d->end, &r->size);
	if (r->kind == EVENT_REALLOC_END && p) {
		r->is_array = r->size & 1;
		r->size >>= 1;
		r->func = r->is_array ? FUNC_REALLOCARRAY : FUNC_REALLOC;
		if (r->is_array)
			p = get_number(p, d->end, &r->nmemb);
	}
	p = p ? get_addr(p, d, tag, &r->addr) : NULL;
	if (!p)
		return NULL;
	r->usable = usable_rule(record_bytes(r), r->cls);
	if (tag & TAG_USABLE) {
		p = get_number(p, d->end, &z);
		r->usable += (uint64_t)unzigzag(z);
	}
	return p;
}

static inline unsigned syscall_argc(unsigned number)
{
	static const uint8_t argc[] = {
#define ROW(name, count) count,
		MEMORY_SYSCALLS(ROW)
#undef ROW
	};

	return number < SYS_MEM_COUNT ? argc[number] : 0;
}

static inline const uint8_t *get_info(const uint8_t *p, struct decoder *d,
				      struct record *r, unsigned tag)
{
	const uint8_t *end = d->end;
	uint64_t v;

	switch (r->kind) {
	case EVENT_REALLOC_BEGIN:
		r->func = FUNC_REALLOC;
		return get_addr(p, d, tag, &r->addr);
	case EVENT_FREE:
		r->func = FUNC_FREE;
		if (tag & TAG_CLASS) {
			p = get_byte(p, end, &r->func);
			if (!p || r->func >= FUNC_COUNT)
				return NULL;
		}
		return get_addr(p, d, tag, &r->addr);
	case EVENT_NULL_CALL:
		p = get_byte(p, end, &r->func);
		return p && r->func < FUNC_COUNT ? p : NULL;
	case EVENT_FAILED:
		p = get_byte(p, end, &r->func);
		if (!p || r->func >= FUNC_COUNT)
			return NULL;
		p = get_byte(p, end, &r->error);
		p = get_number(p, end, &r->args[0]);
		return get_number(p, end, &r->size);
	case EVENT_SYSCALL_BEGIN:
		p = get_byte(p, end, &r->number);
		p = get_byte(p, end, &r->flags);
		p = get_byte(p, end, &r->func);
		if (!p || r->number >= SYS_MEM_COUNT || r->func >= FUNC_COUNT)
			return NULL;
		for (unsigned i = 0; i < syscall_argc(r->number); i++)
			p = get_number(p, end, &r->args[i]);
		return p;
	case EVENT_SYSCALL_END:
		p = get_byte(p, end, &r->number);
		if (!p || r->number >= SYS_MEM_COUNT)
			return NULL;
		p = get_number(p, end, &v);
		r->result = p ? unzigzag(v) : 0;
		return p;
	case EVENT_TIMING:
		return get_number(p, end, &r->duration);
	case EVENT_THREAD:
		p = get_number(p, end, &v);
		if (!p || v > UINT32_MAX)
			return NULL;
		d->thread = (uint32_t)v;
		return p;
	case EVENT_LOSS:
		p = get_byte(p, end, &r->number);
		return get_number(p, end, &r->count);
	case EVENT_EXTENDED:
		p = get_number(p, end, &r->args[0]);
		/* fall through */
	case EVENT_MARK:
		p = get_number(p, end, &v);
		if (!p || v > (uint64_t)(end - p))
			return NULL;
		r->name = p;
		r->name_bytes = (uint32_t)v;
		return p + v;
	default:
		return NULL;
	}
}

/*
 * Decode the next record into *R. Returns 1; 0 at the end of the segment; -1
 * where the bytes are no record: nothing after that place can be read, as
 * differences would be wrong.
 */
static inline int record_decode(struct decoder *d, struct record *r)
{
	const uint8_t *p = d->p;
	uint64_t delta;
	unsigned tag;

	if (p >= d->end)
		return 0;
	memset(r, 0, offsetof(struct record, args));
	tag = *p++;
	r->kind = tag & TAG_KIND_MASK;
	p = get_number(p, d->end, &delta);
	if (!p || delta > UINT64_MAX - d->base.stamp)
		return -1;
	d->base.stamp += delta;
	r->stamp = d->base.stamp;
	if (tag & TAG_STACK) {
		p = get_stack(p, d, r);
		if (!p)
			return -1;
	}
	switch (r->kind) {
	case EVENT_ALLOC:
	case EVENT_CALLOC:
	case EVENT_ALIGNED:
	case EVENT_REALLOC_END:
		p = get_acquire(p, d, r, tag);
		break;
	default:
		p = get_info(p, d, r, tag);
		break;
	}
	if (!p)
		return -1;
	r->thread = d->thread;
	d->p = p;
	return 1;
}

#endif
