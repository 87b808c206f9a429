/*
 * cfi.h - DWARF call frame information: from a pc to the row that says where its frame's
 * registers were saved.
 *
 * Sources: DWARF 5 section 6.4; the LSB's .eh_frame and .eh_frame_hdr; the
 * x86-64 and aarch64 psABIs for register numbers. Everything is read from the
 * module's own mapping, and nothing outside the readable segment that holds the tables:
 * damaged tables give CFI_DAMAGED, never a fault.
 */
#ifndef PRELOAD_CFI_H
#define PRELOAD_CFI_H

#include <stdbool.h>
#include <stdint.h>

/* DWARF register numbers. */
#if defined(__x86_64__)
enum { CFI_BP = 6, CFI_SP = 7, CFI_RA = 16, CFI_REGS = 17 };
#elif defined(__aarch64__)
enum { CFI_BP = 29, CFI_RA = 30, CFI_SP = 31, CFI_REGS = 32 };
#endif

enum cfi_where {
	CFI_SAME = 0,         /* not changed by the frame; no rule */
	CFI_UNDEFINED,        /* lost */
	CFI_OFFSET,           /* saved at CFA + value */
	CFI_VALUE_OFFSET,     /* is CFA + value */
	CFI_REGISTER,         /* is in register `value` */
	CFI_EXPRESSION,       /* saved at what the expression at `value` gives */
	CFI_VALUE_EXPRESSION, /* is what the expression at `value` gives */
};

struct cfi_row {
	uint8_t where[CFI_REGS];  /* enum cfi_where */
	uint8_t cfa_where;        /* CFI_REGISTER (+ cfa_offset) or CFI_VALUE_EXPRESSION */
	uint8_t cfa_register;
	int64_t cfa_offset;       /* or the address of the expression */
	int64_t value[CFI_REGS];
};

/* An expression is a ULEB128 length and that many bytes; this much of it may be read. */
struct cfi_frame {
	struct cfi_row row;
	const uint8_t *end;       /* of the readable tables */
	uint64_t start;           /* first pc of the function */
	bool signal;              /* made by the kernel: the caller's pc is exact */
	uint8_t ra;               /* register that holds the return address */
};

enum cfi_result {
	CFI_FOUND,
	CFI_NONE,    /* no module, or no entry for this pc */
	CFI_DAMAGED, /* an entry that cannot be understood */
};

/* The row for PC, a pc to look up (return address - 1, or exact). */
enum cfi_result cfi_find(uint64_t pc, struct cfi_frame *frame);

#endif
