/*
 * address_set.c - see address_set.h. Relies on an address having one owner at a
 * time. An address may lie in any slot of its window, so that a slot is freed by a
 * store and nothing ever moves: no tombstones, and a look-up reads all of the
 * window (four cache lines).
 */
#include "address_set.h"

#include <stddef.h>

#include "own_memory.h"

#define WINDOW 32u

bool address_set_make(struct address_set *s)
{
	uint8_t *memory = (uint8_t *)own_map(ADDRESS_FILTER_BYTES +
					     ADDRESS_SET_SLOTS * sizeof(uint64_t));

	if (!memory)
		return false;
	s->filter = memory;
	s->slots = (uint64_t *)(memory + ADDRESS_FILTER_BYTES);
	return true;
}

static uint64_t *window_of(const struct address_set *s, uint64_t address)
{
	/* 2^64 / golden ratio */
	uint64_t hash = (address >> 4) * 0x9e3779b97f4a7c15u;

	return s->slots + (hash >> 32) % (ADDRESS_SET_SLOTS / WINDOW) * WINDOW;
}

/* A count that has reached its limit stays there: how often is not known any more. */
static void filter_count(uint8_t *count, int change)
{
	uint8_t old = __atomic_load_n(count, __ATOMIC_RELAXED);

	while (old != UINT8_MAX &&
	       !__atomic_compare_exchange_n(count, &old, (uint8_t)(old + change), true,
					    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
}

bool address_set_add(struct address_set *s, const void *address)
{
	uint64_t key = (uint64_t)address;
	uint64_t *window = window_of(s, key);

	for (uint32_t i = 0; i < WINDOW; i++) {
		uint64_t none = 0;

		if (__atomic_load_n(&window[i], __ATOMIC_RELAXED) == 0 &&
		    __atomic_compare_exchange_n(&window[i], &none, key, false,
						__ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
			filter_count(&s->filter[address_filter_index(key)], 1);
			return true;
		}
	}
	return false;
}

/* The slot of ADDRESS, or NULL. */
static uint64_t *slot_of(const struct address_set *s, uint64_t address)
{
	uint64_t *window = window_of(s, address);

	/* 0 is what a free slot holds */
	for (uint32_t i = 0; i < WINDOW && address != 0; i++)
		if (__atomic_load_n(&window[i], __ATOMIC_RELAXED) == address)
			return &window[i];
	return NULL;
}

bool address_set_holds(const struct address_set *s, const void *address)
{
	return slot_of(s, (uint64_t)address) != NULL;
}

bool address_set_take(struct address_set *s, const void *address)
{
	uint64_t key = (uint64_t)address;
	uint64_t *slot = slot_of(s, key);

	if (!slot)
		return false;
	__atomic_store_n(slot, 0, __ATOMIC_SEQ_CST);
	filter_count(&s->filter[address_filter_index(key)], -1);
	return true;
}
