/*
 * insn.c - lengths of x86-64 instructions, after the opcode maps in appendix A
 * of Intel's Software Developer's Manual, volume 2. Relies on nothing; promises
 * to refuse (length 0) rather than to guess: unknown opcodes, the maps of
 * AMD's XOP and 3DNow!, and EVEX maps above 3.
 */
#include "insn.h"

enum {
	MODRM = 1,   /* a ModRM byte follows, with its SIB and displacement */
	IMM8 = 2,
	IMM16 = 4,
	IMMZ = 8,    /* 4 bytes, 2 with the operand-size prefix */
	IMMV = 16,   /* as IMMZ, but 8 bytes with REX.W */
	MOFFS = 32,  /* an address of 8 bytes, 4 with the address-size prefix */
	REL8 = 64,
	REL32 = 128,
	VECTOR = 256,
	GROUP3 = 512, /* f6, f7: the immediate is there for test only */
	BAD = 1024,
};

struct prefixes {
	bool operand16, address32, wide;
};

static unsigned flags_one_byte(uint8_t op)
{
	if (op < 0x40) {
		static const uint16_t arithmetic[8] = {
			MODRM, MODRM, MODRM, MODRM, IMM8, IMMZ, BAD, BAD,
		};

		return arithmetic[op & 7];
	}
	switch (op) {
	case 0x50 ... 0x5f: return 0;
	case 0x63: return MODRM;
	case 0x68: return IMMZ;
	case 0x69: return MODRM | IMMZ;
	case 0x6a: return IMM8;
	case 0x6b: return MODRM | IMM8;
	case 0x6c ... 0x6f: return 0;
	case 0x70 ... 0x7f: return REL8;
	case 0x80: return MODRM | IMM8;
	case 0x81: return MODRM | IMMZ;
	case 0x83: return MODRM | IMM8;
	case 0x84 ... 0x8f: return MODRM;
	case 0x90 ... 0x99: return 0;
	case 0x9b: return VECTOR;
	case 0x9c ... 0x9f: return 0;
	case 0xa0 ... 0xa3: return MOFFS;
	case 0xa4 ... 0xa7: return 0;
	case 0xa8: return IMM8;
	case 0xa9: return IMMZ;
	case 0xaa ... 0xaf: return 0;
	case 0xb0 ... 0xb7: return IMM8;
	case 0xb8 ... 0xbf: return IMMV;
	case 0xc0: case 0xc1: return MODRM | IMM8;
	case 0xc2: return IMM16;
	case 0xc3: return 0;
	case 0xc6: return MODRM | IMM8;
	case 0xc7: return MODRM | IMMZ;
	case 0xc8: return IMM16 | IMM8;
	case 0xc9: return 0;
	case 0xca: return IMM16;
	case 0xcb: case 0xcc: return 0;
	case 0xcd: return IMM8;
	case 0xcf: return 0;
	case 0xd0 ... 0xd3: return MODRM;
	case 0xd7: return 0;
	case 0xd8 ... 0xdf: return MODRM | VECTOR;
	case 0xe0 ... 0xe3: return REL8;
	case 0xe4 ... 0xe7: return IMM8;
	case 0xe8: case 0xe9: return REL32;
	case 0xeb: return REL8;
	case 0xec ... 0xef: return 0;
	case 0xf1: case 0xf4: case 0xf5: return 0;
	case 0xf6: return MODRM | GROUP3 | IMM8;
	case 0xf7: return MODRM | GROUP3 | IMMZ;
	case 0xf8 ... 0xfd: return 0;
	case 0xfe: case 0xff: return MODRM;
	default: return BAD;
	}
}

static unsigned flags_two_byte(uint8_t op)
{
	switch (op) {
	case 0x00 ... 0x03: return MODRM;
	case 0x05 ... 0x09: case 0x0b: case 0x0e: return 0;
	case 0x0d: return MODRM;
	case 0x10 ... 0x17: return MODRM | VECTOR;
	case 0x18 ... 0x1f: case 0x20 ... 0x23: return MODRM;
	case 0x28 ... 0x2f: return MODRM | VECTOR;
	case 0x30 ... 0x35: case 0x37: return 0;
	case 0x40 ... 0x4f: return MODRM;
	case 0x50 ... 0x6f: return MODRM | VECTOR;
	case 0x70 ... 0x73: return MODRM | IMM8 | VECTOR;
	case 0x74 ... 0x76: return MODRM | VECTOR;
	case 0x77: return VECTOR;
	case 0x7c ... 0x7f: return MODRM | VECTOR;
	case 0x80 ... 0x8f: return REL32;
	case 0x90 ... 0x9f: return MODRM;
	case 0xa0 ... 0xa2: return 0;
	case 0xa3: return MODRM;
	case 0xa4: return MODRM | IMM8;
	case 0xa5: return MODRM;
	case 0xa8 ... 0xaa: return 0;
	case 0xab: return MODRM;
	case 0xac: return MODRM | IMM8;
	case 0xad: return MODRM;
	/* fxsave, xrstor and their like touch the registers; fences do not */
	case 0xae: return MODRM;
	case 0xaf ... 0xb9: return MODRM;
	case 0xba: return MODRM | IMM8;
	case 0xbb ... 0xc1: return MODRM;
	case 0xc2: return MODRM | IMM8 | VECTOR;
	case 0xc3: return MODRM;
	case 0xc4 ... 0xc6: return MODRM | IMM8 | VECTOR;
	case 0xc7: return MODRM;
	case 0xc8 ... 0xcf: return 0;
	case 0xd0 ... 0xff: return MODRM | VECTOR;
	default: return BAD;
	}
}

/* VEX and EVEX: all have a ModRM byte but vzeroupper and vzeroall. */
static unsigned flags_vex(unsigned map, uint8_t op)
{
	switch (map) {
	case 1:
		if (op == 0x77)
			return VECTOR;
		if ((op >= 0x70 && op <= 0x73) || op == 0xc2 ||
		    (op >= 0xc4 && op <= 0xc6))
			return MODRM | IMM8 | VECTOR;
		return MODRM | VECTOR;
	case 2:
		return MODRM | VECTOR;
	case 3:
		return MODRM | IMM8 | VECTOR;
	default:
		return BAD;
	}
}

static bool is_legacy_prefix(uint8_t byte)
{
	switch (byte) {
	case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65:
	case 0x66: case 0x67: case 0xf0: case 0xf2: case 0xf3:
		return true;
	default:
		return false;
	}
}

/* Opcode of a VEX or EVEX instruction whose first byte is at CODE[AT]; 0: none. */
static size_t decode_vex(const uint8_t *code, size_t room, size_t at,
			 struct insn *insn, unsigned *flags)
{
	size_t opcode_at;
	unsigned map;

	switch (code[at]) {
	case 0xc5:
		opcode_at = at + 2;
		map = 1;
		break;
	case 0xc4:
		opcode_at = at + 3;
		map = at + 1 < room ? code[at + 1] & 0x1f : 0;
		break;
	default:
		opcode_at = at + 4;
		map = at + 1 < room ? code[at + 1] & 0x07 : 0;
		break;
	}
	if (opcode_at >= room)
		return 0;
	insn->map = (uint8_t)map;
	insn->opcode = code[opcode_at];
	*flags = flags_vex(map, insn->opcode);
	return opcode_at + 1;
}

static size_t decode_opcode(const uint8_t *code, size_t room, size_t at,
			    struct insn *insn, unsigned *flags)
{
	insn->opcode = code[at++];
	if (insn->opcode != 0x0f) {
		*flags = flags_one_byte(insn->opcode);
		return at;
	}
	if (at >= room)
		return 0;
	insn->map = 1;
	insn->opcode = code[at++];
	if (insn->opcode != 0x38 && insn->opcode != 0x3a) {
		*flags = flags_two_byte(insn->opcode);
		return at;
	}
	if (at >= room)
		return 0;
	insn->map = insn->opcode == 0x38 ? 2 : 3;
	insn->opcode = code[at++];
	*flags = MODRM | (insn->map == 3 ? IMM8 : 0);
	/* movbe, crc32, adcx, adox use general registers only */
	if (insn->map == 3 || insn->opcode < 0xf0)
		*flags |= VECTOR;
	return at;
}

/* Bytes of ModRM, SIB and displacement at CODE[AT]; 0 where they do not fit. */
static size_t modrm_bytes(const uint8_t *code, size_t room, size_t at)
{
	size_t bytes = 1;
	unsigned mod, rm;

	if (at >= room)
		return 0;
	mod = code[at] >> 6;
	rm = code[at] & 7;
	if (mod == 3)
		return 1;
	if (rm == 4) {
		if (at + 1 >= room)
			return 0;
		rm = code[at + 1] & 7;
		bytes++;
	}
	if (mod == 1)
		bytes += 1;
	else if (mod == 2 || rm == 5)
		bytes += 4;
	return bytes;
}

static size_t immediate_bytes(unsigned flags, const struct prefixes *prefix)
{
	size_t bytes = 0;

	if (flags & (IMM8 | REL8))
		bytes += 1;
	if (flags & IMM16)
		bytes += 2;
	if (flags & IMMZ)
		bytes += prefix->operand16 && !prefix->wide ? 2 : 4;
	if (flags & IMMV)
		bytes += prefix->wide ? 8 : prefix->operand16 ? 2 : 4;
	if (flags & MOFFS)
		bytes += prefix->address32 ? 4 : 8;
	if (flags & REL32)
		bytes += 4;
	return bytes;
}

static int64_t relative(const uint8_t *end, unsigned flags)
{
	if (flags & REL8)
		return (int8_t)end[-1];
	return (int32_t)((uint32_t)end[-4] | (uint32_t)end[-3] << 8 |
			 (uint32_t)end[-2] << 16 | (uint32_t)end[-1] << 24);
}

unsigned insn_decode(const uint8_t *code, size_t room, struct insn *insn)
{
	struct prefixes prefix = { false, false, false };
	unsigned flags = 0;
	size_t at = 0, span;

	*insn = (struct insn){ 0 };
	if (room > 15)
		room = 15; /* the architecture's longest instruction */
	while (at < room && is_legacy_prefix(code[at])) {
		prefix.operand16 |= code[at] == 0x66;
		prefix.address32 |= code[at] == 0x67;
		at++;
	}
	if (at < room && (code[at] & 0xf0) == 0x40) {
		prefix.wide = code[at] & 8;
		at++;
	}
	if (at >= room)
		return 0;
	if (code[at] == 0xc4 || code[at] == 0xc5 || code[at] == 0x62)
		at = decode_vex(code, room, at, insn, &flags);
	else
		at = decode_opcode(code, room, at, insn, &flags);
	if (at == 0 || (flags & BAD))
		return 0;
	if (flags & MODRM) {
		span = modrm_bytes(code, room, at);
		if (span == 0)
			return 0;
		/* 8f with another register field is AMD's XOP */
		if (insn->map == 0 && insn->opcode == 0x8f && (code[at] & 0x38))
			return 0;
		if ((flags & GROUP3) && (code[at] & 0x30))
			flags &= ~(unsigned)(IMM8 | IMMZ);
		at += span;
	}
	at += immediate_bytes(flags, &prefix);
	if (at > room)
		return 0;
	insn->length = (uint8_t)at;
	insn->is_vector = flags & VECTOR;
	insn->is_branch = flags & (REL8 | REL32);
	insn->is_nop = (insn->map == 0 && insn->opcode == 0x90) ||
		       (insn->map == 1 && insn->opcode == 0x1f);
	if (insn->is_branch)
		insn->target = (int64_t)at + relative(code + at, flags);
	return (unsigned)at;
}
