/*
 * estimate.h - figures of a recording that has only a sample of the blocks
 * (record --sample): the one place where a sampled block is made to stand for those
 * that were not recorded.
 *
 * A block of s bytes (0 counts as 1) was recorded with the probability
 * p = 1 - exp(-s / mean), so it stands for 1 / p blocks and s / p bytes: sums of
 * these are unbiased (Horvitz and Thompson). Both are whole numbers: bytes are
 * rounded, blocks are rounded up or down by a hash of the block, with the fraction as
 * the odds. The same block has the same weight at its release.
 */
#ifndef MODEL_ESTIMATE_H
#define MODEL_ESTIMATE_H

#include "model/heap.h"

/* What B stands for where one block in MEAN bytes was recorded. MEAN 0: for itself. */
struct amount estimate_weight(const struct block *b, uint64_t mean);

/*
 * As heap_count_acquire and heap_count_release, for a heap with sampling_bytes. Whether
 * a block was temporary nobody knows: what came between was not recorded.
 */
bool estimate_acquire(struct heap_state *h, const struct block *b, uint64_t usable);
void estimate_release(struct heap_state *h, const struct block *b, uint64_t stamp);

#endif
