/*
 * cfi_expr.c - a stack machine for DWARF expressions (DWARF 5, section 2.5).
 *
 * Relies on its caller for memory: every read goes through it. Promises to end
 * after at most STEPS_MAX operations and to touch nothing but the expression's bytes.
 */
#include "cfi_expr.h"

#include "cfi_bytes.h"

#define STACK_DEPTH 32
#define STEPS_MAX 256

struct expression {
	struct cfi_bytes b;
	const uint8_t *start;
	const struct cfi_machine_state *state;
	uint64_t stack[STACK_DEPTH];
	unsigned depth;
};

static void push(struct expression *e, uint64_t value)
{
	if (e->depth < STACK_DEPTH)
		e->stack[e->depth++] = value;
	else
		e->b.bad = true;
}

static uint64_t pop(struct expression *e)
{
	if (e->depth)
		return e->stack[--e->depth];
	e->b.bad = true;
	return 0;
}

/* The Nth value from the top. */
static uint64_t pick(struct expression *e, unsigned n)
{
	if (n < e->depth)
		return e->stack[e->depth - 1 - n];
	e->b.bad = true;
	return 0;
}

static uint64_t register_value(struct expression *e, uint64_t reg)
{
#if defined(__x86_64__)
	if (reg == CFI_RA)
		return e->state->pc;
#endif
	if (reg < CFI_REGS && (e->state->known >> reg & 1))
		return e->state->reg[reg];
	e->b.bad = true;
	return 0;
}

static void dereference(struct expression *e, unsigned bytes)
{
	uint64_t value = 0;

	/* within the word: the caller knows words only */
	if (bytes == 0 || bytes > 8 ||
	    !e->state->read(e->state->context, pop(e), &value))
		e->b.bad = true;
	if (bytes < 8)
		value &= ((uint64_t)1 << bytes * 8) - 1;
	push(e, value);
}

static void jump(struct expression *e)
{
	int64_t offset = bytes_signed(&e->b, 2);

	if (offset < e->start - e->b.p || offset > e->b.end - e->b.p)
		e->b.bad = true;
	else
		e->b.p += offset;
}

static uint64_t divide(struct expression *e, uint64_t a, uint64_t b)
{
	if (b == 0 || ((int64_t)a == INT64_MIN && (int64_t)b == -1)) {
		e->b.bad = true;
		return 0;
	}
	return (uint64_t)((int64_t)a / (int64_t)b);
}

static void binary(struct expression *e, uint8_t op)
{
	uint64_t b = pop(e), a = pop(e);
	int64_t sa = (int64_t)a, sb = (int64_t)b;

	switch (op) {
	case 0x1a: push(e, a & b); break;
	case 0x1b: push(e, divide(e, a, b)); break;
	case 0x1c: push(e, a - b); break;
	case 0x1d: push(e, b ? a % b : (e->b.bad = true, 0)); break;
	case 0x1e: push(e, a * b); break;
	case 0x21: push(e, a | b); break;
	case 0x22: push(e, a + b); break;
	case 0x24: push(e, b < 64 ? a << b : 0); break;
	case 0x25: push(e, b < 64 ? a >> b : 0); break;
	case 0x26: push(e, (uint64_t)(sa >> (b < 63 ? b : 63))); break;
	case 0x27: push(e, a ^ b); break;
	case 0x29: push(e, a == b); break;
	case 0x2a: push(e, sa >= sb); break;
	case 0x2b: push(e, sa > sb); break;
	case 0x2c: push(e, sa <= sb); break;
	case 0x2d: push(e, sa < sb); break;
	case 0x2e: push(e, a != b); break;
	default: e->b.bad = true; break;
	}
}

static void constant(struct expression *e, uint8_t op)
{
	size_t bytes = (size_t)1 << ((op - 0x08) / 2);

	push(e, op & 1 ? (uint64_t)bytes_signed(&e->b, bytes) :
			 bytes_unsigned(&e->b, bytes));
}

static void arrange(struct expression *e, uint8_t op)
{
	uint64_t a, b, c;

	switch (op) {
	case 0x12: /* dup */
		push(e, pick(e, 0));
		break;
	case 0x13: /* drop */
		pop(e);
		break;
	case 0x14: /* over */
		push(e, pick(e, 1));
		break;
	case 0x15: /* pick */
		push(e, pick(e, bytes_u8(&e->b)));
		break;
	case 0x16: /* swap */
		a = pop(e);
		b = pop(e);
		push(e, a);
		push(e, b);
		break;
	default: /* rot */
		a = pop(e);
		b = pop(e);
		c = pop(e);
		push(e, a);
		push(e, c);
		push(e, b);
		break;
	}
}

static void step(struct expression *e, uint8_t op)
{
	uint64_t reg;

	if (op >= 0x30 && op <= 0x4f) {
		push(e, op - 0x30u);
	} else if (op >= 0x70 && op <= 0x8f) {
		push(e, register_value(e, op - 0x70u) + (uint64_t)bytes_sleb(&e->b));
	} else if (op >= 0x08 && op <= 0x0f) {
		constant(e, op);
	} else if (op >= 0x12 && op <= 0x17) {
		arrange(e, op);
	} else {
		switch (op) {
		case 0x03: /* addr */
			push(e, bytes_unsigned(&e->b, 8));
			break;
		case 0x06: /* deref */
			dereference(e, 8);
			break;
		case 0x94: /* deref_size */
			dereference(e, bytes_u8(&e->b));
			break;
		case 0x10: /* constu */
			push(e, bytes_uleb(&e->b));
			break;
		case 0x11: /* consts */
			push(e, (uint64_t)bytes_sleb(&e->b));
			break;
		case 0x19: /* abs */
			reg = pop(e);
			push(e, (int64_t)reg < 0 ? -reg : reg);
			break;
		case 0x1f: /* neg */
			push(e, -pop(e));
			break;
		case 0x20: /* not */
			push(e, ~pop(e));
			break;
		case 0x23: /* plus_uconst */
			push(e, pop(e) + bytes_uleb(&e->b));
			break;
		case 0x28: /* bra */
			if (pop(e))
				jump(e);
			else
				bytes_skip(&e->b, 2);
			break;
		case 0x2f: /* skip */
			jump(e);
			break;
		case 0x92: /* bregx */
			reg = bytes_uleb(&e->b);
			push(e, register_value(e, reg) + (uint64_t)bytes_sleb(&e->b));
			break;
		case 0x96: /* nop */
			break;
		default:
			binary(e, op);
			break;
		}
	}
}

bool cfi_evaluate(const uint8_t *block, const uint8_t *end,
		  const struct cfi_machine_state *state, const uint64_t *initial,
		  uint64_t *result)
{
	struct expression e = { .b = { .p = block, .end = end }, .state = state };
	uint64_t bytes = bytes_uleb(&e.b);

	if (e.b.bad || bytes > (uint64_t)(e.b.end - e.b.p))
		return false;
	e.b.end = e.b.p + bytes;
	e.start = e.b.p;
	if (initial)
		push(&e, *initial);
	for (unsigned i = 0; e.b.p < e.b.end && !e.b.bad; i++) {
		if (i == STEPS_MAX)
			return false;
		step(&e, bytes_u8(&e.b));
	}
	*result = pop(&e);
	return !e.b.bad;
}
