/*
 * cfi_expr.h - DWARF expressions as call frame information uses them.
 */
#ifndef PRELOAD_CFI_EXPR_H
#define PRELOAD_CFI_EXPR_H

#include <stdbool.h>
#include <stdint.h>

#include "cfi.h"

/* What an expression may look at. */
struct cfi_machine_state {
	uint64_t reg[CFI_REGS];
	uint64_t known; /* bit per register: its value is known */
	uint64_t pc;
	/* Read a word of memory; false where it is not known to be readable. */
	bool (*read)(void *context, uint64_t address, uint64_t *value);
	void *context;
};

/*
 * Evaluate the expression at BLOCK (a ULEB128 length, then the bytes), none of it
 * at or after END, with *INITIAL on the stack where it is not NULL. False where it is
 * damaged, too long, or needs what is not known.
 */
bool cfi_evaluate(const uint8_t *block, const uint8_t *end,
		  const struct cfi_machine_state *state, const uint64_t *initial,
		  uint64_t *result);

#endif
