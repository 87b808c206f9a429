/*
 * name_pool.h - strings kept once each. Two equal names from one pool are the
 * same pointer.
 */
#ifndef SYMBOL_NAME_POOL_H
#define SYMBOL_NAME_POOL_H

#include <stddef.h>

struct name_pool;

struct name_pool *name_pool_new(void);
void name_pool_free(struct name_pool *pool);

/* The pool's copy of BYTES bytes at NAME (up to a NUL in them), terminated; lives with the pool. */
const char *name_pool_add(struct name_pool *pool, const char *name, size_t bytes);

/* The same for a terminated string; NULL stays NULL. */
const char *name_pool_string(struct name_pool *pool, const char *name);

#endif
