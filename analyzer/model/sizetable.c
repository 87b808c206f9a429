/*
 * sizetable.c - see sizetable.h. Promises that sums saturate and that the rows
 * come out in the same order for the same sizes.
 */
#include "model/sizetable.h"

#include <stdlib.h>

#include "base/xmem.h"

#define FIRST_SLOTS 256

static struct size_row *slot_of(const struct sizetable *t, uint64_t size)
{
	size_t at = (size_t)((size * 0x9e3779b97f4a7c15u) >> 32);

	for (;; at++) {
		struct size_row *row = &t->slots[at & (t->slot_count - 1)];

		if (row->count == 0 || row->size == size)
			return row;
	}
}

static void sizetable_grow(struct sizetable *t)
{
	struct size_row *old = t->slots;
	size_t old_count = t->slot_count;

	t->slot_count = old_count ? old_count * 2 : FIRST_SLOTS;
	t->slots = xcalloc(t->slot_count, sizeof(*t->slots));
	for (size_t i = 0; i < old_count; i++) {
		if (old[i].count)
			*slot_of(t, old[i].size) = old[i];
	}
	free(old);
}

static uint64_t add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* The row of SIZE, made where it is new. */
static inline struct size_row *row_of(struct sizetable *t, uint64_t size)
{
	struct size_row *row;

	if (size < SIZETABLE_SMALL) {
		if (__builtin_expect(!t->small, 0))
			t->small = xcalloc(SIZETABLE_SMALL, sizeof(*t->small));
		return &t->small[size];
	}
	if (t->count * 2 >= t->slot_count)
		sizetable_grow(t);
	row = slot_of(t, size);
	if (row->count == 0) {
		row->size = size;
		t->count++;
	}
	return row;
}

void sizetable_add_many(struct sizetable *t, uint64_t size, struct amount amount, uint64_t usable)
{
	struct size_row *row;

	if (amount.blocks == 0)
		return;
	row = row_of(t, size);
	row->count += amount.blocks;
	row->bytes = add(row->bytes, amount.bytes);
	row->usable_bytes = add(row->usable_bytes, usable);
}

void sizetable_add(struct sizetable *t, uint64_t size, uint64_t usable)
{
	struct size_row *row = row_of(t, size);

	row->count++;
	row->bytes = add(row->bytes, size);
	row->usable_bytes = add(row->usable_bytes, usable);
}

static int row_compare(const void *a, const void *b)
{
	const struct size_row *x = a, *y = b;

	return (x->size > y->size) - (x->size < y->size);
}

struct size_row *sizetable_take(struct sizetable *t, size_t *count)
{
	struct size_row *rows = xcalloc((t->small ? SIZETABLE_SMALL : 0) + t->count,
					sizeof(*rows));
	size_t n = 0, smaller;

	for (size_t size = 0; t->small && size < SIZETABLE_SMALL; size++) {
		if (t->small[size].count) {
			rows[n] = t->small[size];
			rows[n++].size = size;
		}
	}
	smaller = n;
	for (size_t i = 0; i < t->slot_count; i++) {
		if (t->slots[i].count)
			rows[n++] = t->slots[i];
	}
	if (n > smaller)
		qsort(rows + smaller, n - smaller, sizeof(*rows), row_compare);
	sizetable_release(t);
	*count = n;
	return rows;
}

void sizetable_release(struct sizetable *t)
{
	free(t->small);
	free(t->slots);
	*t = (struct sizetable){ 0 };
}
