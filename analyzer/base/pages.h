/*
 * pages.h - arrays that may become very large and are read at random: zeroed
 * memory, from 2 MiB on in huge pages where the system has them. Growing does not
 * copy and does not touch what is new. Ends the program as xmalloc does where the
 * system has no more. Pairs with pages_free, never with free().
 */
#ifndef BASE_PAGES_H
#define BASE_PAGES_H

#include <stddef.h>

/* BYTES zeroed, aligned to cache lines. */
void *pages_new(size_t bytes);

/* P of FROM bytes (NULL and 0: new) made TO >= FROM bytes; the new ones are zero. May move. */
void *pages_grow(void *p, size_t from, size_t to);

/* P of BYTES; NULL is allowed. */
void pages_free(void *p, size_t bytes);

/*
 * Grow *ARRAY (elements of BYTES, made by nothing but this) so that it holds at
 * least COUNT + 1, as xgrow does; *CAPACITY is in elements. New elements are zero.
 */
void pages_extend(void *array, size_t *capacity, size_t count, size_t bytes);

#endif
