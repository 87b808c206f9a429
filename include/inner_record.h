/*
 * inner_record.h - the frames between a memory system call and the allocator call that made it:
 * an extended kind of event. It stands in its stream just before the SYSCALL_BEGIN that it
 * belongs to. The frames from the allocator's caller on are that call's.
 *
 *	EXTENDED | stamp | kind 2 | length | count | frames, innermost first
 *
 * A frame is the address to look up, as the difference from the one before (zigzag).
 */
#ifndef ALLOTROPE_INNER_RECORD_H
#define ALLOTROPE_INNER_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "look_record.h"
#include "record_codec.h"

/* More than glibc's allocator has in a row; of more the innermost are kept. */
#define INNER_FRAMES_MAX 16u
#define INNER_PAYLOAD_MAX ((INNER_FRAMES_MAX + 1) * VARINT_MAX)
#define INNER_RECORD_MAX (RECORD_MAX + INNER_PAYLOAD_MAX)

struct inner_frames {
	uint32_t count;
	uint64_t pcs[INNER_FRAMES_MAX]; /* innermost first */
};

/* The record at P, where INNER_RECORD_MAX bytes are free. */
static inline uint8_t *put_inner(uint8_t *p, struct codec_base *b, uint64_t stamp,
				 const struct inner_frames *inner)
{
	uint8_t payload[INNER_PAYLOAD_MAX], *end = payload;
	uint64_t last = 0;

	end = varint_put(end, inner->count);
	for (uint32_t i = 0; i < inner->count; last = inner->pcs[i++])
		end = varint_put(end, zigzag((int64_t)(inner->pcs[i] - last)));
	p = put_head(p, b, EVENT_EXTENDED, stamp);
	p = varint_put(p, EXTENDED_INNER);
	p = varint_put(p, (uint64_t)(end - payload));
	memcpy(p, payload, (size_t)(end - payload));
	return p + (end - payload);
}

/* True: R is such a record, and well made. */
static inline bool get_inner(const struct record *r, struct inner_frames *inner)
{
	const uint8_t *p = r->name, *end;
	uint64_t count, v, last = 0;

	if (r->kind != EVENT_EXTENDED || r->args[0] != EXTENDED_INNER)
		return false;
	end = p + r->name_bytes;
	p = get_number(p, end, &count);
	if (!p || count > INNER_FRAMES_MAX)
		return false;
	for (uint64_t i = 0; i < count; i++) {
		p = get_number(p, end, &v);
		if (!p)
			return false;
		last += (uint64_t)unzigzag(v);
		inner->pcs[i] = last;
	}
	inner->count = (uint32_t)count;
	return true;
}

#endif
