/*
 * meta_parse.h - the fields of a metadata record, one after another. Nothing in it is
 * trusted: a field that is not there counts as 0 or empty, a string ends inside the
 * record.
 */
#ifndef TRACE_META_PARSE_H
#define TRACE_META_PARSE_H

#include <stddef.h>
#include <stdint.h>

#include "base/xmem.h"
#include "varint.h"

/* What is left of a record. */
struct fields {
	const uint8_t *p, *end;
};

/* In the record: no NUL behind it. */
struct field_text {
	const char *s;
	size_t bytes;
};

static inline uint64_t field_number(struct fields *f)
{
	uint64_t v = 0;
	const uint8_t *next = f->p < f->end ? varint_get(f->p, f->end, &v) : NULL;

	f->p = next ? next : f->end;
	return next ? v : 0;
}

static inline int64_t field_signed_number(struct fields *f)
{
	return unzigzag(field_number(f));
}

/* At most UINT32_MAX. */
static inline uint32_t field_number32(struct fields *f)
{
	uint64_t v = field_number(f);

	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static inline struct field_text field_text(struct fields *f)
{
	uint64_t bytes = field_number(f);
	struct field_text t = { (const char *)f->p, 0 };

	if (bytes > (uint64_t)(f->end - f->p))
		bytes = (uint64_t)(f->end - f->p);
	t.bytes = (size_t)bytes;
	f->p += bytes;
	return t;
}

/* malloc'ed, the caller's. */
static inline char *field_take(struct field_text t)
{
	return xstrndup(t.s, t.bytes);
}

static inline char *field_text_copy(struct fields *f)
{
	return field_take(field_text(f));
}

#endif
