/*
 * name_pool.c - a uthash set whose entries carry the string behind them. Relies
 * on base/xmem.h for memory; promises that a pointer stays valid until the pool is freed.
 */
#include "symbol/name_pool.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/xmem.h"

struct pooled_name {
	UT_hash_handle hh;
	char text[];
};

struct name_pool {
	struct pooled_name *names;
};

struct name_pool *name_pool_new(void)
{
	return xcalloc(1, sizeof(struct name_pool));
}

void name_pool_free(struct name_pool *pool)
{
	struct pooled_name *n, *next;

	if (!pool)
		return;
	HASH_ITER(hh, pool->names, n, next) {
		HASH_DEL(pool->names, n);
		free(n);
	}
	free(pool);
}

const char *name_pool_add(struct name_pool *pool, const char *name, size_t bytes)
{
	struct pooled_name *n;

	bytes = strnlen(name, bytes);
	HASH_FIND(hh, pool->names, name, bytes, n);
	if (n)
		return n->text;
	n = xmalloc(sizeof(*n) + bytes + 1);
	memcpy(n->text, name, bytes);
	n->text[bytes] = '\0';
	HASH_ADD_KEYPTR(hh, pool->names, n->text, bytes, n);
	return n->text;
}

const char *name_pool_string(struct name_pool *pool, const char *name)
{
	return name ? name_pool_add(pool, name, strlen(name)) : NULL;
}
