/*
 * clock_init.h - putting the session's clock in force.
 */
#ifndef PRELOAD_CLOCK_INIT_H
#define PRELOAD_CLOCK_INIT_H

#include <stdint.h>

/* KIND (enum clock_kind) and SHIFT from the ring header. Once, at start. */
void clock_init(uint8_t kind, uint8_t shift);

#endif
