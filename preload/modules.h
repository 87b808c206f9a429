/*
 * modules.h - the loaded objects, as META_MODULE_MAP and META_MODULE_UNMAP.
 */
#ifndef PRELOAD_MODULES_H
#define PRELOAD_MODULES_H

#include <stdbool.h>
#include <stdint.h>

/* Record all loaded objects. At start and in a fork child. No heap, no loader lock kept. */
void modules_record_all(void);

/* Record what changed since the last call. From _dl_debug_state, dlclose, and at slot changes. */
void modules_poll(void);

#endif
