/*
 * resolve_rows.h - the resolver by place instead of by call stack: what store.c
 * needs to write symbols into a recording. Private to symbol/.
 */
#ifndef SYMBOL_RESOLVE_ROWS_H
#define SYMBOL_RESOLVE_ROWS_H

#include <stdint.h>

#include "symbol/resolve.h"
#include "symbol/symbol_codec.h"

#define NO_MODULE UINT32_MAX

/* Where code is, whatever address it was mapped at. */
struct place {
	uint64_t offset;   /* address in the module's file; the pc itself with NO_MODULE */
	uint32_t module;   /* index in recording.modules, or NO_MODULE */
	uint32_t image;    /* with NO_MODULE: whose code it is; else 0. Places are compared as bytes */
};

/* Where the innermost frame of STACK is; false where it is no native code. */
int resolver_place(struct resolver *rs, stack_id stack, struct place *place);

/* The functions at PLACE, innermost first, at least one; names are mangled. Belongs to RS. */
const struct stored_frame *resolver_lookup(struct resolver *rs, struct place place,
					   uint32_t *count);

/* enum module_state of MODULE; looks for its files where that was not done yet. */
uint8_t resolver_module_state(struct resolver *rs, uint32_t module);

/* Close the files of MODULE; they are opened again where they are needed. */
void resolver_module_close(struct resolver *rs, uint32_t module);

const struct recording *resolver_recording(const struct resolver *rs);

#endif
