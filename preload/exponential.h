/*
 * exponential.h - random distances between samples. Whole numbers only: the
 * target's floating point state is not ours to touch.
 */
#ifndef PRELOAD_EXPONENTIAL_H
#define PRELOAD_EXPONENTIAL_H

#include <stdint.h>

/*
 * The next of a sequence whose state is *STATE (not 0): exponentially distributed
 * with MEAN (at most 2^40), rounded up, so at least 1. Hence
 * P(result <= n) = 1 - exp(-n / MEAN) for each whole n.
 */
uint64_t exponential_draw(uint64_t *state, uint64_t mean);

/* A state made of anything that differs: never 0. */
uint64_t exponential_seed(uint64_t anything);

#endif
