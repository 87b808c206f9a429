/*
 * idmap.c - open addressing with linear probing, at most three quarters full.
 */
#include "base/idmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"

/* The finalizer of MurmurHash3: every bit of the key reaches the low bits. */
static size_t hash(uint64_t key)
{
	key ^= key >> 33;
	key *= 0xff51afd7ed558ccdu;
	key ^= key >> 33;
	key *= 0xc4ceb9fe1a85ec53u;
	key ^= key >> 33;
	return (size_t)key;
}

static struct idmap_entry *place(const struct idmap *m, uint64_t key)
{
	size_t i = hash(key) & (m->capacity - 1);

	while (m->entries[i].id && m->entries[i].key != key)
		i = (i + 1) & (m->capacity - 1);
	return &m->entries[i];
}

static void grow(struct idmap *m)
{
	struct idmap old = *m;

	m->capacity = old.capacity ? old.capacity * 2 : 64;
	m->entries = xcalloc(m->capacity, sizeof(*m->entries));
	for (size_t i = 0; i < old.capacity; i++)
		if (old.entries[i].id)
			*place(m, old.entries[i].key) = old.entries[i];
	free(old.entries);
}

void idmap_release(struct idmap *m)
{
	free(m->entries);
	memset(m, 0, sizeof(*m));
}

uint32_t idmap_add(struct idmap *m, uint64_t key, uint32_t id)
{
	struct idmap_entry *e;

	if (m->count * 4 >= m->capacity * 3)
		grow(m);
	e = place(m, key);
	if (!e->id) {
		*e = (struct idmap_entry){ key, id };
		m->count++;
	}
	return e->id;
}

uint32_t idmap_find(const struct idmap *m, uint64_t key)
{
	return m->capacity ? place(m, key)->id : 0;
}
