/*
 * snapshots.c - see snapshots.h. Promises at most max - 1 snapshots with their
 * details, whatever the number of events, and no look at them for an event that
 * is not due.
 */
#include "model/snapshots.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"

void snapshots_init(struct snapshots *s, size_t max, uint32_t detailed_every)
{
	*s = (struct snapshots){ .max = max, .detailed_every = detailed_every };
	/* one more for the peak that is inserted */
	s->items = xcalloc(max + 1, sizeof(*s->items));
}

void snapshots_release(struct snapshots *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->items[i].stacks);
	free(s->items);
	*s = (struct snapshots){ 0 };
}

/* The first, the last and the peak are never culled. */
static bool must_stay(const struct snapshots *s, size_t i)
{
	return i == 0 || i + 1 == s->count || s->items[i].kind == SNAPSHOT_PEAK;
}

static void remove_one(struct snapshots *s, size_t i)
{
	free(s->items[i].stacks);
	s->count--;
	memmove(&s->items[i], &s->items[i + 1], (s->count - i) * sizeof(*s->items));
}

/* The one whose neighbours are closest together; the first of equal ones. 0: none. */
static size_t least_telling(const struct snapshots *s)
{
	uint64_t least = UINT64_MAX;
	size_t found = 0;

	for (size_t i = 1; i + 1 < s->count; i++) {
		uint64_t span = s->items[i + 1].time - s->items[i - 1].time;

		if (!must_stay(s, i) && span < least) {
			least = span;
			found = i;
		}
	}
	return found;
}

/*
 * The smallest gap. Two neighbours that both must stay keep theirs for ever: it says
 * nothing about how far apart the others are.
 */
static uint64_t smallest_gap(const struct snapshots *s)
{
	uint64_t least = UINT64_MAX;

	for (size_t i = 1; i < s->count; i++) {
		uint64_t gap = s->items[i].time - s->items[i - 1].time;

		if (!(must_stay(s, i) && must_stay(s, i - 1)) && gap < least)
			least = gap;
	}
	return least == UINT64_MAX ? 0 : least;
}

static uint64_t cull(struct snapshots *s)
{
	for (size_t n = s->max / 2; n > 0; n--) {
		size_t i = least_telling(s);

		if (i == 0)
			break;
		remove_one(s, i);
	}
	return smallest_gap(s);
}

void snapshots_add(struct snapshots *s, const struct snapshot *snapshot)
{
	if (snapshot->kind == SNAPSHOT_PEAK)
		for (size_t i = 0; i < s->count; i++)
			if (s->items[i].kind == SNAPSHOT_PEAK)
				s->items[i].kind = SNAPSHOT_DETAILED;
	s->items[s->count++] = *snapshot;
	s->since_detailed = snapshot->kind == SNAPSHOT_NORMAL ? s->since_detailed + 1 : 0;
	if (s->count == s->max)
		s->gap = cull(s);
	s->earliest = snapshot->time + s->gap;
}

void snapshots_insert_peak(struct snapshots *s, const struct snapshot *snapshot)
{
	size_t i = s->count;

	while (i > 0 && s->items[i - 1].time > snapshot->time)
		i--;
	memmove(&s->items[i + 1], &s->items[i], (s->count - i) * sizeof(*s->items));
	s->items[i] = *snapshot;
	s->count++;
}
