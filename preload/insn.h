/*
 * insn.h - x86-64 machine code, as much of it as is needed to know where
 * instructions begin: lengths, direct branches, and whether vector or
 * floating-point registers are touched.
 */
#ifndef PRELOAD_INSN_H
#define PRELOAD_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct insn {
	uint8_t length;
	uint8_t opcode;   /* last opcode byte */
	uint8_t map;      /* 0: one-byte opcodes, 1: 0f, 2: 0f 38, 3: 0f 3a */
	bool is_vector;   /* may read or write x87, MMX, SSE, AVX registers */
	bool is_branch;   /* direct jump, conditional jump or call: TARGET holds */
	bool is_nop;      /* 90 or 0f 1f, with any prefixes */
	int64_t target;   /* offset from the instruction's first byte */
};

/*
 * Decode the instruction at CODE, of which ROOM bytes may be read. Returns its
 * length, or 0 where the bytes are no instruction of 64-bit mode that this
 * decoder knows. Never reads outside CODE[0 .. ROOM).
 */
unsigned insn_decode(const uint8_t *code, size_t room, struct insn *insn);

#endif
