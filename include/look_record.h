/*
 * look_record.h - what was seen of a block's pages just before it was released: the first
 * extended kind of event. The record follows its FREE or REALLOC_BEGIN in the same segment,
 * with nothing of that stream in between.
 *
 *	EXTENDED | stamp | kind 1 | length | weight | absent | flags
 *
 * Later versions may append fields: a reader takes the length as the end.
 */
#ifndef ALLOTROPE_LOOK_RECORD_H
#define ALLOTROPE_LOOK_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "record_codec.h"

/* EXTENDED: which kind. */
enum extended_kind { EXTENDED_LOOK = 1, EXTENDED_INNER = 2 };

/* Blocks with fewer usable bytes are never looked at. */
#define LOOK_BYTES_MIN (64u * 1024)

/* Flags of a look. */
#define LOOK_LAST_ABSENT 1u /* the page of the block's last usable byte is one of those absent */
#define LOOK_PARTIAL     2u /* only the first part of the block was looked at: more may be absent */

struct look {
	uint64_t weight; /* releases that this one stands for: itself, and those like it passed over */
	uint64_t absent; /* bytes of [block, block + usable) on pages that were not in memory */
	uint64_t flags;  /* LOOK_* */
};

/* Longest payload. */
#define LOOK_PAYLOAD_MAX (3 * VARINT_MAX)

/* The record at P, where RECORD_MAX bytes are free. */
static inline uint8_t *put_look(uint8_t *p, struct codec_base *b, uint64_t stamp,
				const struct look *look)
{
	uint8_t payload[LOOK_PAYLOAD_MAX], *end = payload;

	end = varint_put(end, look->weight);
	end = varint_put(end, look->absent);
	end = varint_put(end, look->flags);
	p = put_head(p, b, EVENT_EXTENDED, stamp);
	p = varint_put(p, EXTENDED_LOOK);
	p = varint_put(p, (uint64_t)(end - payload));
	memcpy(p, payload, (size_t)(end - payload));
	return p + (end - payload);
}

/* True: R is a look, and well made. */
static inline bool get_look(const struct record *r, struct look *look)
{
	const uint8_t *p = r->name, *end;

	if (r->kind != EVENT_EXTENDED || r->args[0] != EXTENDED_LOOK)
		return false;
	end = p + r->name_bytes;
	p = get_number(p, end, &look->weight);
	p = get_number(p, end, &look->absent);
	p = get_number(p, end, &look->flags);
	return p && look->weight > 0;
}

#endif
