/*
 * packed.c - finds the segments of a packed file by going from header to header.
 * The index is not needed and not trusted. Where no valid header stands, the
 * next one is looked for: a damaged place costs itself only. Promises to end:
 * every step moves forward in the file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"
#include "trace/recording_parts.h"
#include "version.h"

#define HEADER_BYTES sizeof(struct segment_header)
/* A header may grow in later versions, but not without end. */
#define HEADER_BYTES_MAX 4096
/* Read at a time while looking for a header: at first little, as most gaps are short. */
#define SEARCH_FIRST_BYTES (4 * 1024)
#define SEARCH_BYTES (256 * 1024)

/* Returns where the first segment begins, or -1. */
static int check_file_header(struct recording *r, unsigned source, const char *path,
			     struct diag *d)
{
	struct file_header h;

	if (!recording_pread(r, source, 0, &h, sizeof(h)))
		return diag_set(d, STATUS_IO,
				"cannot read '%s': it ends inside its header: the recording "
				"was cut off at its beginning", path);
	if (h.endian == __builtin_bswap32(ENDIAN_MARK))
		return diag_set(d, STATUS_IO,
				"cannot read '%s': it was recorded on a machine of the other "
				"byte order: read it there", path);
	if (h.endian != ENDIAN_MARK)
		return diag_set(d, STATUS_IO, "cannot read '%s': its header is damaged", path);
	if (h.version != FORMAT_VERSION)
		return diag_set(d, STATUS_IO,
				"cannot read '%s': format version %u, this allotrope reads version %u: %s",
				path, h.version, FORMAT_VERSION,
				h.version > FORMAT_VERSION ? "use a newer allotrope"
							   : "record it again");
	if (h.header_bytes < sizeof(h) || h.header_bytes > HEADER_BYTES_MAX)
		return diag_set(d, STATUS_IO, "cannot read '%s': its header is damaged", path);
	if (h.checksum != file_header_checksum(&h))
		recording_damage(r, 0, sizeof(h),
				 "the file header of '%s' is damaged: times may be wrong", path);
	if (h.clock != CLOCK_KIND_TSC && h.clock != CLOCK_KIND_MONOTONIC)
		h.clock = CLOCK_KIND_TSC;
	if (source == 0 || r->is_ring)
		r->head = h;
	return h.header_bytes;
}

static bool is_header(const struct segment_header *h)
{
	return h->magic == SEGMENT_MAGIC && h->header_bytes >= HEADER_BYTES &&
	       h->header_bytes <= HEADER_BYTES_MAX && h->checksum == header_checksum(h);
}

/* The next place from OFFSET on where a valid header stands, or the end of the file. */
static uint64_t find_header(struct recording *r, unsigned source, uint64_t offset)
{
	uint64_t end = r->sources->files[source].bytes;
	uint8_t *buffer = xmalloc(SEARCH_BYTES);
	uint64_t found = end;
	size_t step = SEARCH_FIRST_BYTES;

	while (found == end && offset + HEADER_BYTES <= end) {
		size_t count = end - offset < step ? (size_t)(end - offset) : step;
		const uint8_t *p = buffer, *last = buffer + count - HEADER_BYTES;

		if (!recording_pread(r, source, offset, buffer, count))
			break;
		while ((p = memmem(p, (size_t)(last - p) + 4, "LSEG", 4)) != NULL) {
			struct segment_header h;

			memcpy(&h, p, sizeof(h));
			if (is_header(&h)) {
				found = offset + (uint64_t)(p - buffer);
				break;
			}
			if (p == last)
				break;
			p++;
		}
		/* a header may begin in the last 127 bytes */
		offset += count - HEADER_BYTES + 1;
		step = SEARCH_BYTES;
	}
	free(buffer);
	return found;
}

/* Lengths that agree with each other and with the file. */
static bool is_sane(const struct segment_header *h)
{
	uint64_t limit = h->kind == SEGMENT_EVENTS || h->kind == SEGMENT_META
				 ? PAYLOAD_MAX_RECORDS : PAYLOAD_MAX_OTHER;

	if (h->committed > limit)
		return false;
	if (!(h->flags & SEGMENT_ZSTD))
		return h->committed == h->stored_bytes;
	/* no real payload shrinks to a thousandth: do not reserve memory for a bomb */
	return h->committed <= (1 << 20) + h->stored_bytes * 1024;
}

static void read_meta(struct recording *r, const struct segment_ref *s)
{
	struct recording_sources *src = r->sources;
	uint8_t *buffer = NULL;
	size_t capacity = 0;
	int64_t count;

	/* see is_sane: many small bombs */
	if (src->meta_total > (16 << 20) + 64 * r->file_bytes) {
		recording_damage(r, 1, s->header.stored_bytes,
				 "more metadata than the file can hold, from offset %llu on",
				 (unsigned long long)s->offset);
		return;
	}
	count = recording_read(r, s, &buffer, &capacity);
	if (count > 0)
		recording_add_meta(r, buffer, (size_t)count);
	else
		free(buffer);
}

static int take_segment(struct recording *r, unsigned source, const char *path,
			const struct segment_ref *s, struct diag *d)
{
	const struct segment_header *h = &s->header;

	if (h->version != FORMAT_VERSION || h->kind < SEGMENT_EVENTS ||
	    h->kind > SEGMENT_END) {
		if (!(h->flags & SEGMENT_CRITICAL))
			return 0;
		return diag_set(d, STATUS_IO,
				"cannot read '%s': segment kind %u of format version %u at "
				"offset %llu is not known to this allotrope: use a newer one",
				path, h->kind, h->version, (unsigned long long)s->offset);
	}
	if (!is_sane(h)) {
		r->sources->damaged_headers++;
		recording_damage(r, 1, h->stored_bytes,
				 "the segment at offset %llu has impossible lengths",
				 (unsigned long long)s->offset);
		return 0;
	}
	if (h->kind == SEGMENT_META)
		read_meta(r, s);
	else if (h->kind == SEGMENT_END)
		r->sources->files[source].has_end = true;
	else
		recording_add_segment(r, s);
	return 0;
}

int packed_scan(struct recording *r, unsigned source, const char *path, struct diag *d)
{
	uint64_t end = r->sources->files[source].bytes;
	int first = check_file_header(r, source, path, d);
	uint64_t at = (uint64_t)first;

	if (first < 0)
		return -1;
	while (at < end) {
		struct segment_ref s = { .offset = at, .source = (uint16_t)source };
		uint64_t left = end - at;

		if (left < HEADER_BYTES ||
		    !recording_pread(r, source, at, &s.header, HEADER_BYTES) ||
		    !is_header(&s.header)) {
			uint64_t next = find_header(r, source, at + 1);

			r->sources->damaged_headers++;
			recording_damage(r, 1, next - at,
					 "no segment where one should be: offset %llu to %llu%s",
					 (unsigned long long)at, (unsigned long long)next,
					 next == end ? ", the end of the file" : "");
			at = next;
			continue;
		}
		if (s.header.header_bytes > left ||
		    s.header.stored_bytes > left - s.header.header_bytes) {
			r->sources->damaged_headers++;
			recording_damage(r, 1, left,
					 "the file is cut off: the segment at offset %llu goes on "
					 "behind its end",
					 (unsigned long long)at);
			break;
		}
		if (take_segment(r, source, path, &s, d) < 0)
			return -1;
		at += s.header.header_bytes + s.header.stored_bytes;
	}
	return 0;
}
