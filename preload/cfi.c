/*
 * cfi.c - the search of .eh_frame_hdr and the interpreter of call frame programs.
 *
 * Relies on cfi_module.c for the tables and the bounds of what may be read. Promises
 * to read nothing outside them, to end on any input, and to use no memory but its stack
 * (about 2 KiB on x86-64).
 */
#include "cfi.h"

#include <string.h>

#include "cfi_bytes.h"
#include "cfi_module.h"

/* Pointer encodings (LSB 10.5). */
enum {
	PE_ABSOLUTE = 0x00, PE_ULEB = 0x01, PE_UDATA2 = 0x02, PE_UDATA4 = 0x03,
	PE_UDATA8 = 0x04, PE_SLEB = 0x09, PE_SDATA2 = 0x0a, PE_SDATA4 = 0x0b,
	PE_SDATA8 = 0x0c, PE_PCREL = 0x10, PE_DATAREL = 0x30, PE_INDIRECT = 0x80,
	PE_OMIT = 0xff,
};

/* Rows that DW_CFA_remember_state may put away; compilers use one. */
#define REMEMBERED_MAX 4
/* Entries looked through where a table has no index. */
#define LINEAR_MAX (1u << 18)

struct fde {
	struct cfi_bytes program;      /* its instructions */
	struct cfi_bytes first;        /* the CIE's */
	uint64_t start, bytes;         /* code it describes */
	uint64_t code_align;
	int64_t data_align;
	uint64_t ra;
	uint8_t encoding;
	bool has_augmentation;
	bool signal;
};

/* BASE: what PE_DATAREL is relative to. */
static uint64_t read_pointer(struct cfi_bytes *b, uint8_t encoding, uint64_t base)
{
	uint64_t here = (uint64_t)b->p, value;

	switch (encoding & 0x0f) {
	case PE_ABSOLUTE:
	case PE_UDATA8:
	case PE_SDATA8:
		value = bytes_unsigned(b, 8);
		break;
	case PE_UDATA2:
		value = bytes_unsigned(b, 2);
		break;
	case PE_UDATA4:
		value = bytes_unsigned(b, 4);
		break;
	case PE_SDATA2:
		value = (uint64_t)bytes_signed(b, 2);
		break;
	case PE_SDATA4:
		value = (uint64_t)bytes_signed(b, 4);
		break;
	case PE_ULEB:
		value = bytes_uleb(b);
		break;
	case PE_SLEB:
		value = (uint64_t)bytes_sleb(b);
		break;
	default:
		b->bad = true;
		return 0;
	}
	switch (encoding & 0x70) {
	case 0:
		return value;
	case PE_PCREL:
		return here + value;
	case PE_DATAREL:
		return base + value;
	default:
		b->bad = true;
		return 0;
	}
}

/* ---- entries ---- */

/* A reader for the contents of the entry at P; *ID_AT is where its second word stands. */
static bool entry_open(const uint8_t *p, const struct cfi_module *m,
		       struct cfi_bytes *b, const uint8_t **id_at, uint32_t *id)
{
	uint64_t length;

	*b = (struct cfi_bytes){ .p = p, .end = m->high };
	if (p < m->low || p >= m->high)
		return false;
	length = bytes_unsigned(b, 4);
	if (length == 0xffffffff)
		length = bytes_unsigned(b, 8);
	if (b->bad || length < 4 || length > (uint64_t)(b->end - b->p))
		return false;
	b->end = b->p + length;
	*id_at = b->p;
	*id = (uint32_t)bytes_unsigned(b, 4);
	return true;
}

static bool read_cie(const uint8_t *p, const struct cfi_module *m, struct fde *f)
{
	const char *augmentation;
	const uint8_t *id_at, *nul, *after;
	struct cfi_bytes b;
	uint8_t version;
	uint32_t id;
	uint64_t n;

	if (!entry_open(p, m, &b, &id_at, &id) || id != 0)
		return false;
	version = bytes_u8(&b);
	if (version != 1 && version != 3 && version != 4)
		return false;
	augmentation = (const char *)b.p;
	nul = memchr(b.p, 0, (size_t)(b.end - b.p));
	if (!nul)
		return false;
	b.p = nul + 1;
	if (version == 4 && (bytes_u8(&b) != 8 || bytes_u8(&b) != 0))
		return false;
	f->code_align = bytes_uleb(&b);
	f->data_align = bytes_sleb(&b);
	f->ra = version == 1 ? bytes_u8(&b) : bytes_uleb(&b);
	f->encoding = PE_ABSOLUTE;
	f->has_augmentation = augmentation[0] == 'z';
	f->signal = false;
	if (f->has_augmentation) {
		n = bytes_uleb(&b);
		if (b.bad || n > (uint64_t)(b.end - b.p))
			return false;
		after = b.p + n;
		for (const char *a = augmentation + 1; *a; a++) {
			if (*a == 'R') {
				f->encoding = bytes_u8(&b);
			} else if (*a == 'S') {
				f->signal = true;
			} else if (*a == 'P') {
				uint8_t encoding = bytes_u8(&b);

				read_pointer(&b, encoding & 0x7f, 0);
			} else if (*a == 'L') {
				bytes_u8(&b);
			} else if (*a != 'B' && *a != 'G') {
				break; /* what follows is covered by the length */
			}
		}
		b.p = after;
	} else if (augmentation[0]) {
		return false;
	}
	f->first = b;
	return !b.bad && f->ra < CFI_REGS;
}

/* Read the FDE at P. False where it is a CIE or damaged. */
static bool read_fde(const uint8_t *p, const struct cfi_module *m, struct fde *f)
{
	const uint8_t *id_at;
	struct cfi_bytes b;
	uint32_t id;

	if (!entry_open(p, m, &b, &id_at, &id) || id == 0 ||
	    id > (uint64_t)(id_at - m->low) || !read_cie(id_at - id, m, f))
		return false;
	if (f->encoding & PE_INDIRECT)
		return false;
	f->start = read_pointer(&b, f->encoding, (uint64_t)m->header);
	f->bytes = read_pointer(&b, f->encoding & 0x0f, 0);
	if (f->has_augmentation)
		bytes_skip(&b, bytes_uleb(&b));
	f->program = b;
	return !b.bad;
}

/* Through all of .eh_frame, where there is no table to search. */
static enum cfi_result find_linear(uint64_t pc, const struct cfi_module *m,
				   const uint8_t *p, struct fde *f)
{
	for (unsigned i = 0; i < LINEAR_MAX; i++) {
		const uint8_t *id_at;
		struct cfi_bytes b;
		uint32_t id;

		if (!entry_open(p, m, &b, &id_at, &id))
			return CFI_NONE;
		if (id != 0 && read_fde(p, m, f) && pc - f->start < f->bytes)
			return CFI_FOUND;
		p = b.end;
	}
	return CFI_NONE;
}

static enum cfi_result find_fde(uint64_t pc, const struct cfi_module *m, struct fde *f)
{
	struct cfi_bytes b = { .p = m->header, .end = m->high };
	uint8_t version, frame_encoding, count_encoding, table_encoding;
	uint64_t base = (uint64_t)m->header, frames, count = 0, low, high;
	int64_t wanted = (int64_t)(pc - base);
	int32_t entry[2];

	version = bytes_u8(&b);
	frame_encoding = bytes_u8(&b);
	count_encoding = bytes_u8(&b);
	table_encoding = bytes_u8(&b);
	if (version != 1)
		return CFI_DAMAGED;
	frames = read_pointer(&b, frame_encoding, base);
	if (count_encoding != PE_OMIT)
		count = read_pointer(&b, count_encoding, base);
	if (b.bad)
		return CFI_DAMAGED;
	if (count == 0 || table_encoding != (PE_DATAREL | PE_SDATA4))
		return find_linear(pc, m, (const uint8_t *)frames, f);
	if (count > (uint64_t)(b.end - b.p) / sizeof(entry))
		return CFI_DAMAGED;
	/* pairs (first pc, entry), both relative to the header, sorted by pc */
	low = 0;
	high = count;
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		memcpy(entry, b.p + middle * sizeof(entry), sizeof(entry));
		if (entry[0] <= wanted)
			low = middle;
		else
			high = middle;
	}
	memcpy(entry, b.p + low * sizeof(entry), sizeof(entry));
	if (entry[0] > wanted)
		return CFI_NONE;
	if (!read_fde((const uint8_t *)(base + (uint64_t)(int64_t)entry[1]), m, f))
		return CFI_DAMAGED;
	return pc - f->start < f->bytes ? CFI_FOUND : CFI_NONE;
}

/* ---- programs ---- */

struct machine {
	struct cfi_row row;
	struct cfi_row initial; /* after the CIE's instructions */
	struct cfi_row remembered[REMEMBERED_MAX];
	unsigned depth;
	uint64_t location;
	const struct fde *fde;
};

/* Unsigned: damaged tables may hold any numbers. */
static int64_t scaled(uint64_t n, const struct fde *f)
{
	return (int64_t)(n * (uint64_t)f->data_align);
}

static void set_rule(struct cfi_row *row, uint64_t reg, enum cfi_where where, int64_t value)
{
	/* vector and pseudo registers are of no use here */
	if (reg >= CFI_REGS)
		return;
	row->where[reg] = (uint8_t)where;
	row->value[reg] = value;
}

static void restore_rule(struct machine *m, uint64_t reg)
{
	if (reg < CFI_REGS)
		set_rule(&m->row, reg, (enum cfi_where)m->initial.where[reg],
			 m->initial.value[reg]);
}

static void define_cfa(struct cfi_row *row, uint64_t reg, int64_t offset, struct cfi_bytes *b)
{
	if (reg >= CFI_REGS)
		b->bad = true;
	row->cfa_where = CFI_REGISTER;
	row->cfa_register = (uint8_t)reg;
	row->cfa_offset = offset;
}

/* Only a CFA that is a register plus an offset has one: another's is an address that is read. */
static bool define_offset(struct cfi_row *row, int64_t offset)
{
	if (row->cfa_where != CFI_REGISTER)
		return false;
	row->cfa_offset = offset;
	return true;
}

/* The address of the expression at the reader, which goes past it. */
static int64_t skip_expression(struct cfi_bytes *b)
{
	int64_t at = (int64_t)b->p;

	bytes_skip(b, bytes_uleb(b));
	return at;
}

static void run_extended(struct machine *m, struct cfi_bytes *b, uint8_t op)
{
	const struct fde *f = m->fde;
	struct cfi_row *row = &m->row;
	uint64_t reg;

	switch (op) {
	case 0x05: /* offset_extended */
		reg = bytes_uleb(b);
		set_rule(row, reg, CFI_OFFSET, scaled(bytes_uleb(b), f));
		break;
	case 0x06: /* restore_extended */
		restore_rule(m, bytes_uleb(b));
		break;
	case 0x07: /* undefined */
		set_rule(row, bytes_uleb(b), CFI_UNDEFINED, 0);
		break;
	case 0x08: /* same_value */
		set_rule(row, bytes_uleb(b), CFI_SAME, 0);
		break;
	case 0x09: /* register */
		reg = bytes_uleb(b);
		set_rule(row, reg, CFI_REGISTER, (int64_t)bytes_uleb(b));
		break;
	case 0x10: /* expression */
		reg = bytes_uleb(b);
		set_rule(row, reg, CFI_EXPRESSION, skip_expression(b));
		break;
	case 0x11: /* offset_extended_sf */
		reg = bytes_uleb(b);
		set_rule(row, reg, CFI_OFFSET, scaled((uint64_t)bytes_sleb(b), f));
		break;
	case 0x14: /* val_offset */
		reg = bytes_uleb(b);
		set_rule(row, reg, CFI_VALUE_OFFSET, scaled(bytes_uleb(b), f));
		break;
	case 0x15: /* val_offset_sf */
		reg = bytes_uleb(b);
		set_rule(row, reg, CFI_VALUE_OFFSET, scaled((uint64_t)bytes_sleb(b), f));
		break;
	case 0x16: /* val_expression */
		reg = bytes_uleb(b);
		set_rule(row, reg, CFI_VALUE_EXPRESSION, skip_expression(b));
		break;
	case 0x2d: /* AARCH64_negate_ra_state: return addresses are stripped anyway */
		break;
	case 0x2e: /* GNU_args_size */
		bytes_uleb(b);
		break;
	case 0x2f: /* GNU_negative_offset_extended */
		reg = bytes_uleb(b);
		set_rule(row, reg, CFI_OFFSET, scaled(-bytes_uleb(b), f));
		break;
	default:
		b->bad = true;
		break;
	}
}

static void run_cfa(struct machine *m, struct cfi_bytes *b, uint8_t op)
{
	const struct fde *f = m->fde;
	struct cfi_row *row = &m->row;
	uint64_t reg;

	switch (op) {
	case 0x0a: /* remember_state */
		if (m->depth < REMEMBERED_MAX)
			m->remembered[m->depth++] = *row;
		else
			b->bad = true;
		break;
	case 0x0b: /* restore_state */
		if (m->depth)
			*row = m->remembered[--m->depth];
		else
			b->bad = true;
		break;
	case 0x0c: /* def_cfa */
		reg = bytes_uleb(b);
		define_cfa(row, reg, (int64_t)bytes_uleb(b), b);
		break;
	case 0x0d: /* def_cfa_register */
		if (row->cfa_where != CFI_REGISTER)
			b->bad = true;
		define_cfa(row, bytes_uleb(b), row->cfa_offset, b);
		break;
	case 0x0e: /* def_cfa_offset */
		b->bad |= !define_offset(row, (int64_t)bytes_uleb(b));
		break;
	case 0x0f: /* def_cfa_expression */
		row->cfa_where = CFI_VALUE_EXPRESSION;
		row->cfa_offset = skip_expression(b);
		break;
	case 0x12: /* def_cfa_sf */
		reg = bytes_uleb(b);
		define_cfa(row, reg, scaled((uint64_t)bytes_sleb(b), f), b);
		break;
	case 0x13: /* def_cfa_offset_sf */
		b->bad |= !define_offset(row, scaled((uint64_t)bytes_sleb(b), f));
		break;
	default:
		run_extended(m, b, op);
		break;
	}
}

/* True where OP moves the location. */
static bool run_advance(struct machine *m, struct cfi_bytes *b, uint8_t op)
{
	uint64_t delta;

	switch (op) {
	case 0x01: /* set_loc */
		m->location = read_pointer(b, m->fde->encoding, 0);
		return true;
	case 0x02:
		delta = bytes_unsigned(b, 1);
		break;
	case 0x03:
		delta = bytes_unsigned(b, 2);
		break;
	case 0x04:
		delta = bytes_unsigned(b, 4);
		break;
	default:
		return false;
	}
	m->location += delta * m->fde->code_align;
	return true;
}

/* The operation OP, which is none of those that carry a number in their low bits. */
static __attribute__((noinline)) bool run_other(struct machine *m, const uint8_t **p,
						 const uint8_t *end, uint8_t op)
{
	struct cfi_bytes b = { .p = *p, .end = end };

	if (op != 0 && !run_advance(m, &b, op))
		run_cfa(m, &b, op);
	*p = b.p;
	return !b.bad;
}

/*
 * Run the instructions up to PC's row. Large functions have hundreds of them: the usual
 * ones are done here, with their numbers of one byte, and the place stays in a register.
 */
static bool run_program(struct machine *m, struct cfi_bytes program, uint64_t pc)
{
	const uint8_t *p = program.p, *end = program.end;
	uint64_t align = m->fde->code_align;

	while (p < end) {
		uint8_t op = *p++, low = op & 0x3f;
		bool has_small = p < end && *p < 0x80;

		if (op >> 6 == 1) { /* advance_loc */
			m->location += low * align;
		} else if (op >> 6 == 2 && has_small) { /* offset */
			set_rule(&m->row, low, CFI_OFFSET, scaled(*p++, m->fde));
			continue;
		} else if (op >> 6 == 2) {
			struct cfi_bytes b = { .p = p, .end = end };

			set_rule(&m->row, low, CFI_OFFSET, scaled(bytes_uleb(&b), m->fde));
			if (b.bad)
				return false;
			p = b.p;
			continue;
		} else if (op >> 6 == 3) { /* restore */
			restore_rule(m, low);
			continue;
		} else if (op == 0x0e && has_small) { /* def_cfa_offset */
			if (!define_offset(&m->row, *p++))
				return false;
			continue;
		} else if (op == 0x02 && p < end) { /* advance_loc1 */
			m->location += *p++ * align;
		} else if (!run_other(m, &p, end, op)) {
			return false;
		}
		if (m->location > pc)
			return true;
	}
	return true;
}

enum cfi_result cfi_find(uint64_t pc, struct cfi_frame *frame)
{
	struct cfi_module module;
	struct machine m;
	struct fde fde;
	enum cfi_result result;

	if (!cfi_module_of(pc, &module))
		return CFI_NONE;
	result = find_fde(pc, &module, &fde);
	if (result != CFI_FOUND)
		return result;
	memset(&m.row, 0, sizeof(m.row));
	/* a damaged CIE may restore what is not there yet */
	memset(&m.initial, 0, sizeof(m.initial));
	m.depth = 0;
	m.fde = &fde;
	m.location = 0;
	if (!run_program(&m, fde.first, UINT64_MAX))
		return CFI_DAMAGED;
	m.initial = m.row;
	m.location = fde.start;
	if (!run_program(&m, fde.program, pc))
		return CFI_DAMAGED;
	if (m.row.cfa_where == CFI_SAME)
		return CFI_DAMAGED;
	frame->row = m.row;
	frame->end = module.high;
	frame->start = fde.start;
	frame->signal = fde.signal;
	frame->ra = (uint8_t)fde.ra;
	return CFI_FOUND;
}
