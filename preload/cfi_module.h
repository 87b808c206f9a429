/*
 * cfi_module.h - which loaded object a pc belongs to, and where its unwind tables are.
 */
#ifndef PRELOAD_CFI_MODULE_H
#define PRELOAD_CFI_MODULE_H

#include <stdbool.h>
#include <stdint.h>

struct cfi_module {
	const uint8_t *header; /* .eh_frame_hdr */
	const uint8_t *low;    /* the readable segment that holds it: [low, high) */
	const uint8_t *high;
};

/* False where PC is in no loaded object, or in one without unwind tables. Lock-free. */
bool cfi_module_of(uint64_t pc, struct cfi_module *module);

/* Objects were loaded or unloaded. */
void cfi_module_changed(void);

#endif
