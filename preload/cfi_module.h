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

/* Addresses [*START, *END) of the object that ADDRESS (of code or data) is in. False: in none. */
bool cfi_module_range(uint64_t address, uint64_t *start, uint64_t *end);

/* Objects were loaded or unloaded. */
void cfi_module_changed(void);

#endif
