/*
 * repair.c - makes damaged bytes into a recording whose magics, lengths and
 * checksums agree; see fuzz.h. Promises to read and write within its buffers and to
 * give the same result for the same bytes.
 */
#include <string.h>
#include <zstd.h>

#include "base/xmem.h"
#include "fuzz/fuzz.h"
#include "segment.h"
#include "session_ring.h"
#include "version.h"

#define META_BYTES sizeof(struct meta_header)

struct output {
	uint8_t *bytes;
	size_t count, capacity;
};

static void put(struct output *o, const void *bytes, size_t count)
{
	if (!count)
		return;
	xgrow(&o->bytes, &o->capacity, o->count + count, 1);
	memcpy(o->bytes + o->count, bytes, count);
	o->count += count;
}

/* The next "LSEG" or "META" in [AT, SIZE), or SIZE. */
static size_t find(const uint8_t *data, size_t at, size_t size, const char *magic)
{
	const uint8_t *p = at < size ? memmem(data + at, size - at, magic, 4) : NULL;

	return p ? (size_t)(p - data) : size;
}

/* ---- packed ---- */

/* Records split at each "META"; a length that is too long or that the fuzzer broke is cut. */
static void put_meta(struct output *o, const uint8_t *data, size_t size)
{
	size_t at = find(data, 0, size, "META");

	put(o, data, at & ~(size_t)7);
	while (at < size) {
		size_t next = find(data, at + 4, size, "META");
		struct meta_header h = { .magic = META_MAGIC };
		size_t room = next - at;

		if (room < META_BYTES)
			break;
		memcpy(&h, data + at, META_BYTES);
		if (h.bytes > room - META_BYTES)
			h.bytes = (uint32_t)(room - META_BYTES);
		h.checksum = meta_checksum(h.kind, h.bytes, data + at + META_BYTES);
		put(o, &h, META_BYTES);
		put(o, data + at + META_BYTES, h.bytes);
		put(o, "\0\0\0\0\0\0\0", META_SPAN(h.bytes) - META_BYTES - h.bytes);
		at = next;
	}
}

static void put_segment(struct output *o, const uint8_t *data, size_t size)
{
	struct output payload = { 0 };
	struct segment_header h;
	uint8_t control;

	if (size < sizeof(h)) {
		put(o, data, size);
		return;
	}
	memcpy(&h, data, sizeof(h));
	control = h.reserved[sizeof(h.reserved) - 1];
	if (control & REPAIR_NOTHING) {
		put(o, data, size);
		return;
	}
	if (h.kind == SEGMENT_META && !(control & REPAIR_NO_META))
		put_meta(&payload, data + sizeof(h), size - sizeof(h));
	else
		put(&payload, data + sizeof(h), size - sizeof(h));
	if (!(control & REPAIR_NO_IDENT)) {
		h.version = FORMAT_VERSION;
		h.header_bytes = sizeof(h);
	}
	if (!(control & REPAIR_NO_SIZE)) {
		h.committed = h.stored_bytes = payload.count;
		if (h.flags & SEGMENT_ZSTD) {
			size_t bound = ZSTD_compressBound(payload.count);
			uint8_t *packed = xmalloc(bound);

			h.stored_bytes = ZSTD_compress(packed, bound, payload.bytes,
						       payload.count, 1);
			free(payload.bytes);
			payload = (struct output){ packed, h.stored_bytes, bound };
		}
	}
	if (!(control & REPAIR_NO_SUM))
		h.checksum = header_checksum(&h);
	put(o, &h, sizeof(h));
	put(o, payload.bytes, payload.count);
	free(payload.bytes);
}

uint8_t *fuzz_repair_packed(const uint8_t *data, size_t size, size_t *bytes)
{
	struct output o = { 0 };
	struct file_header head;
	uint8_t control = REPAIR_NOTHING;
	size_t at = 0;

	/* never NULL */
	xgrow(&o.bytes, &o.capacity, size + 1, 1);
	if (size >= sizeof(head)) {
		memcpy(&head, data, sizeof(head));
		control = head.unused[sizeof(head.unused) - 1];
	}
	if (control & REPAIR_NOTHING) {
		put(&o, data, size);
		*bytes = o.count;
		return o.bytes;
	}
	if (!(control & REPAIR_NO_IDENT)) {
		memcpy(head.magic, FILE_MAGIC, sizeof(head.magic));
		head.endian = ENDIAN_MARK;
		head.version = FORMAT_VERSION;
		head.header_bytes = sizeof(head);
	}
	if (!(control & REPAIR_NO_SUM))
		head.checksum = file_header_checksum(&head);
	put(&o, &head, sizeof(head));
	at = find(data, sizeof(head), size, "LSEG");
	put(&o, data + sizeof(head), at - sizeof(head));
	while (at < size) {
		size_t next = find(data, at + 4, size, "LSEG");

		put_segment(&o, data + at, next - at);
		at = next;
	}
	*bytes = o.count;
	return o.bytes;
}

/* ---- ring ---- */

static void repair_meta(uint8_t *data, size_t size)
{
	for (size_t at = 0; at + META_BYTES <= size; at += 8) {
		struct meta_header h;

		memcpy(&h, data + at, META_BYTES);
		if (h.magic != META_MAGIC)
			continue;
		if (h.bytes > size - at - META_BYTES)
			h.bytes = (uint32_t)(size - at - META_BYTES);
		h.checksum = meta_checksum(h.kind, h.bytes, data + at + META_BYTES);
		memcpy(data + at, &h, META_BYTES);
	}
}

static void repair_slot(uint8_t *data, size_t size)
{
	struct segment_header h;
	uint8_t control;

	if (size < sizeof(h))
		return;
	memcpy(&h, data, sizeof(h));
	control = h.reserved[sizeof(h.reserved) - 1];
	if (control & REPAIR_NOTHING)
		return;
	h.magic = SEGMENT_MAGIC;
	h.kind = SEGMENT_EVENTS;
	if (!(control & REPAIR_NO_IDENT)) {
		h.version = FORMAT_VERSION;
		h.header_bytes = sizeof(h);
	}
	if (!(control & REPAIR_NO_SIZE) && h.committed > size - sizeof(h))
		h.committed = size - sizeof(h);
	memcpy(data, &h, sizeof(h));
}

void fuzz_repair_ring(uint8_t *data, size_t size)
{
	struct ring_header h;
	uint8_t control;

	if (size < sizeof(h))
		return;
	memcpy(&h, data, sizeof(h));
	control = h.pad0[sizeof(h.pad0) - 1];
	if (control & REPAIR_NOTHING)
		return;
	if (!(control & REPAIR_NO_IDENT)) {
		memcpy(h.magic, RING_MAGIC, sizeof(h.magic));
		h.endian = ENDIAN_MARK;
		h.version = FORMAT_VERSION;
		h.header_bytes = sizeof(h);
	}
	memcpy(data, &h, sizeof(h));
	if (!(control & REPAIR_NO_META) && h.meta_offset < size)
		repair_meta(data + h.meta_offset,
			    h.meta_bytes < size - h.meta_offset ? (size_t)h.meta_bytes
							       : size - (size_t)h.meta_offset);
	for (uint64_t at = h.slots_offset; h.slot_bytes >= sizeof(struct segment_header) &&
	     at < size; at += h.slot_bytes)
		repair_slot(data + at, h.slot_bytes < size - at ? h.slot_bytes : size - at);
}
