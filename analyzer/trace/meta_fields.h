/*
 * meta_fields.h - the payload of a metadata record, composed field by field in
 * the order of its row in record_kinds.def:
 *
 *	struct meta_fields f = { 0 };
 *	meta_fields_number(&f, pid);           v
 *	meta_fields_signed(&f, wait_status);   z
 *	meta_fields_text(&f, name);            s
 *	packed_writer_meta(w, META_STATUS, f.bytes, f.count);
 *	meta_fields_release(&f);
 */
#ifndef TRACE_META_FIELDS_H
#define TRACE_META_FIELDS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"
#include "varint.h"

/* All zero: empty. */
struct meta_fields {
	uint8_t *bytes;
	size_t count;    /* bytes used */
	size_t capacity;
};

static inline void meta_fields_number(struct meta_fields *f, uint64_t v)
{
	xgrow(&f->bytes, &f->capacity, f->count + VARINT_MAX, 1);
	f->count = (size_t)(varint_put(f->bytes + f->count, v) - f->bytes);
}

static inline void meta_fields_signed(struct meta_fields *f, int64_t v)
{
	meta_fields_number(f, zigzag(v));
}

/* A string field of BYTES bytes; NULs inside are kept (argv). */
static inline void meta_fields_string(struct meta_fields *f, const void *s, size_t bytes)
{
	meta_fields_number(f, bytes);
	xgrow(&f->bytes, &f->capacity, f->count + bytes, 1);
	if (bytes)
		memcpy(f->bytes + f->count, s, bytes);
	f->count += bytes;
}

/* The same of a C string; NULL is the empty string. */
static inline void meta_fields_text(struct meta_fields *f, const char *s)
{
	meta_fields_string(f, s, s ? strlen(s) : 0);
}

static inline void meta_fields_release(struct meta_fields *f)
{
	free(f->bytes);
	*f = (struct meta_fields){ 0 };
}

#endif
