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

static size_t place(const struct idmap *m, uint64_t key)
{
	size_t i = hash(key) & (m->capacity - 1);

	while (m->ids[i] && m->keys[i] != key)
		i = (i + 1) & (m->capacity - 1);
	return i;
}

static void grow(struct idmap *m)
{
	struct idmap old = *m;

	m->capacity = old.capacity ? old.capacity * 2 : 64;
	m->keys = xcalloc(m->capacity, sizeof(*m->keys));
	m->ids = xcalloc(m->capacity, sizeof(*m->ids));
	for (size_t i = 0; i < old.capacity; i++) {
		if (old.ids[i]) {
			size_t to = place(m, old.keys[i]);

			m->keys[to] = old.keys[i];
			m->ids[to] = old.ids[i];
		}
	}
	free(old.keys);
	free(old.ids);
}

void idmap_release(struct idmap *m)
{
	free(m->keys);
	free(m->ids);
	memset(m, 0, sizeof(*m));
}

uint32_t idmap_add(struct idmap *m, uint64_t key, uint32_t id)
{
	size_t i;

	if (m->count * 4 >= m->capacity * 3)
		grow(m);
	i = place(m, key);
	if (!m->ids[i]) {
		m->keys[i] = key;
		m->ids[i] = id;
		m->count++;
	}
	return m->ids[i];
}

uint32_t idmap_find(const struct idmap *m, uint64_t key)
{
	return m->capacity ? m->ids[place(m, key)] : 0;
}
