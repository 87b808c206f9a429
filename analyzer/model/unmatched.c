/*
 * unmatched.c - see unmatched.h. A hash table, as most recordings have no such release.
 */
#include "model/unmatched.h"

#include <stdlib.h>
#include <uthash.h>

#include "base/xmem.h"

struct unmatched {
	struct unmatched_place place;
	UT_hash_handle hh;
};

void unmatched_add(struct unmatched **table, stack_id stack, uint64_t addr, uint64_t stamp)
{
	struct unmatched *u;

	HASH_FIND(hh, *table, &stack, sizeof(stack), u);
	if (!u && HASH_COUNT(*table) >= UNMATCHED_PLACES) {
		stack = STACK_NONE;
		HASH_FIND(hh, *table, &stack, sizeof(stack), u);
	}
	if (!u) {
		u = xcalloc(1, sizeof(*u));
		u->place = (struct unmatched_place){
			.stack = stack, .first_addr = addr, .first_stamp = stamp,
		};
		HASH_ADD(hh, *table, place.stack, sizeof(stack), u);
	}
	u->place.count++;
}

static int compare_places(const void *pa, const void *pb)
{
	const struct unmatched_place *a = pa, *b = pb;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	if (a->first_stamp != b->first_stamp)
		return a->first_stamp < b->first_stamp ? -1 : 1;
	return a->first_addr < b->first_addr ? -1 : a->first_addr > b->first_addr;
}

struct unmatched_place *unmatched_places(const struct unmatched *table, size_t *count)
{
	struct unmatched_place *places = xcalloc(HASH_COUNT(table) + 1, sizeof(*places));
	size_t n = 0;

	for (const struct unmatched *u = table; u; u = u->hh.next)
		places[n++] = u->place;
	qsort(places, n, sizeof(*places), compare_places);
	*count = n;
	return places;
}

void unmatched_free(struct unmatched *table)
{
	struct unmatched *u, *next;

	HASH_ITER(hh, table, u, next) {
		HASH_DEL(table, u);
		free(u);
	}
}
