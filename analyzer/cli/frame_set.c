/*
 * frame_set.c - distinct (image, pc) pairs: open addressing, linear probing, at
 * most half full.
 */
#include "cli/frame_set.h"

#include <stdlib.h>

#include "base/xmem.h"

static size_t slot_of(const struct frame_set *s, uint32_t image, uint64_t pc)
{
	uint64_t hash = (pc ^ (uint64_t)image << 48) * 0x9e3779b97f4a7c15u;

	return (size_t)(hash >> 20) & (s->capacity - 1);
}

static struct frame_entry *find(const struct frame_set *s, uint32_t image, uint64_t pc)
{
	size_t i = slot_of(s, image, pc);

	while (s->entries[i].image && (s->entries[i].pc != pc || s->entries[i].image != image))
		i = (i + 1) & (s->capacity - 1);
	return &s->entries[i];
}

static void grow(struct frame_set *s)
{
	struct frame_set bigger = { .capacity = s->capacity ? 2 * s->capacity : 1024 };

	bigger.entries = xcalloc(bigger.capacity, sizeof(*bigger.entries));
	bigger.count = s->count;
	for (size_t i = 0; i < s->capacity; i++) {
		const struct frame_entry *e = &s->entries[i];

		if (e->image)
			*find(&bigger, e->image, e->pc) = *e;
	}
	free(s->entries);
	*s = bigger;
}

void frame_set_add(struct frame_set *s, uint32_t image, uint64_t pc, uint64_t stamp)
{
	struct frame_entry *e;

	if (!image)
		return;
	if (2 * s->count >= s->capacity)
		grow(s);
	e = find(s, image, pc);
	if (e->image) {
		if (stamp < e->stamp)
			e->stamp = stamp;
		return;
	}
	*e = (struct frame_entry){ .pc = pc, .stamp = stamp, .image = image };
	s->count++;
}

void frame_set_release(struct frame_set *s)
{
	free(s->entries);
	*s = (struct frame_set){ 0 };
}
