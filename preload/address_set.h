/*
 * address_set.h - a set of block addresses, of fixed size, shared by all threads
 * without a lock. An address is in the set at most once: whoever adds it owns the
 * block, and it is taken before the block is given back.
 *
 * A filter stands before the exact table: a byte for each 16 bytes of a window of
 * the address space, folded; counts of what is in the table. Neighbours in memory
 * are neighbours in it, so that a program's free blocks touch few lines of it.
 */
#ifndef PRELOAD_ADDRESS_SET_H
#define PRELOAD_ADDRESS_SET_H

#include <stdbool.h>
#include <stdint.h>

#define ADDRESS_SET_SLOTS (1u << 18)
#define ADDRESS_FILTER_SHIFT 16
#define ADDRESS_FILTER_BYTES (1u << ADDRESS_FILTER_SHIFT)

/* Both arrays zeroed: empty. */
struct address_set {
	uint8_t *filter;  /* ADDRESS_FILTER_BYTES */
	uint64_t *slots;  /* ADDRESS_SET_SLOTS; 0: free */
};

static inline uint32_t address_filter_index(uint64_t address)
{
	return (uint32_t)(address >> 4 ^ address >> (4 + ADDRESS_FILTER_SHIFT)) &
	       (ADDRESS_FILTER_BYTES - 1);
}

/* False: ADDRESS is not in the set. True: ask address_set_holds(). */
static inline bool address_set_may_hold(const struct address_set *s, const void *address)
{
	return __atomic_load_n(&s->filter[address_filter_index((uint64_t)address)],
			       __ATOMIC_RELAXED) != 0;
}

/* Memory for S. False where there is none. */
bool address_set_make(struct address_set *s);

/* Is ADDRESS in the set? */
bool address_set_holds(const struct address_set *s, const void *address);

/* Add ADDRESS (not null, not in the set). False where there is no room for it. */
bool address_set_add(struct address_set *s, const void *address);

/* Take ADDRESS (null is never there) out. False: it was not in the set. */
bool address_set_take(struct address_set *s, const void *address);

#endif
