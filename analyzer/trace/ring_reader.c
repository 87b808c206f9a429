/*
 * ring_reader.c - a session ring's file as a recording: left by a bare preload
 * or by a recorder that died, or still being written. The file may be as large
 * as the disk and nearly all hole: only what exists is read (SEEK_DATA). There
 * are no checksums here; every length is checked, and no slot is trusted beyond its
 * own bytes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmem.h"
#include "record_codec.h"
#include "session_ring.h"
#include "trace/recording_parts.h"
#include "version.h"

#define SLOT_BYTES_MAX (64u << 20)
#define TABLE_STEP (64 * 1024)
/* Metadata read at a time, where the file system tells no holes. */
#define META_RUN_MAX ((size_t)256 << 20)

struct ring_scan {
	struct recording *r;
	unsigned source;
	struct ring_header h;
	uint64_t file_bytes;
	struct decoder *decoder;    /* for slots that their owners did not close */
};

static bool is_range(uint64_t offset, uint64_t bytes, uint64_t end)
{
	return offset <= end && bytes <= end - offset;
}

static bool is_sane(const struct ring_header *h)
{
	return h->header_bytes >= sizeof(*h) && h->header_bytes <= h->meta_offset &&
	       h->ring_bytes <= INT64_MAX &&
	       is_range(h->meta_offset, h->meta_bytes, h->table_offset) &&
	       is_range(h->table_offset, 8 * (uint64_t)h->slot_count, h->slots_offset) &&
	       h->slot_bytes > sizeof(struct segment_header) &&
	       h->slot_bytes <= SLOT_BYTES_MAX && h->slot_count > 0 &&
	       is_range(h->slots_offset, (uint64_t)h->slot_count * h->slot_bytes,
			h->ring_bytes) &&
	       (h->meta_offset | h->table_offset | h->slots_offset) % 8 == 0;
}

static int check_ring_header(struct ring_scan *s, const char *path, struct diag *d)
{
	struct ring_header *h = &s->h;

	if (!recording_pread(s->r, s->source, 0, h, sizeof(*h)))
		return diag_set(d, STATUS_IO,
				"cannot read '%s': it ends inside its header: the session "
				"ring was cut off at its beginning", path);
	if (h->endian == __builtin_bswap32(ENDIAN_MARK))
		return diag_set(d, STATUS_IO,
				"cannot read '%s': it was recorded on a machine of the other "
				"byte order: read it there", path);
	if (h->endian == ENDIAN_MARK && h->version != FORMAT_VERSION)
		return diag_set(d, STATUS_IO,
				"cannot read '%s': format version %u, this allotrope reads version %u: %s",
				path, h->version, FORMAT_VERSION,
				h->version > FORMAT_VERSION ? "use a newer allotrope"
							    : "record it again");
	if (h->endian != ENDIAN_MARK || !is_sane(h))
		return diag_set(d, STATUS_IO, "cannot read '%s': its header is damaged", path);
	return 0;
}

static void take_header(struct ring_scan *s)
{
	struct recording *r = s->r;
	const struct ring_header *h = &s->h;

	for (int i = 0; i < LOSS_COUNT; i++)
		if (h->losses[i] > r->losses[i])
			r->losses[i] = h->losses[i];
	r->options = h->options;
	/* readers use these as indices */
	if (r->options.when_full > WHEN_FULL_OVERWRITE)
		r->options.when_full = WHEN_FULL_WAIT;
	if (r->options.syscalls > SYSCALLS_STACKS)
		r->options.syscalls = SYSCALLS_EXACT;
	if (r->options.follow > FOLLOW_NO)
		r->options.follow = FOLLOW_TREE;
	if (r->options.callgraph > CALLGRAPH_LIBUNWIND)
		r->options.callgraph = CALLGRAPH_CFI;
	r->has_options = true;
	r->sources->taken_slots = h->taken_slots;
	r->sources->taken_bytes = h->taken_bytes;
	if (!r->root_pid)
		r->root_pid = h->root_pid;
	/* a packed file beside it knows more */
	if (s->source > 0)
		return;
	memcpy(r->head.magic, FILE_MAGIC, sizeof(r->head.magic));
	r->head.endian = ENDIAN_MARK;
	r->head.version = FORMAT_VERSION;
	r->head.header_bytes = sizeof(r->head);
	r->head.clock = h->clock == CLOCK_KIND_MONOTONIC ? CLOCK_KIND_MONOTONIC
							 : CLOCK_KIND_TSC;
	r->head.stamp_shift = h->stamp_shift;
	r->head.start_stamp = h->start_stamp;
	r->head.wall_ns = h->wall_ns;
}

/*
 * The next piece of [*AT, END) that is not a hole, at most MAX bytes, or 0 where
 * there is none. *AT moves to its beginning.
 */
static size_t next_data(const struct ring_scan *s, uint64_t *at, uint64_t end, size_t max)
{
	int fd = s->r->sources->files[s->source].fd;
	off_t data;

	if (end > s->file_bytes)
		end = s->file_bytes;
	if (*at >= end)
		return 0;
	data = lseek(fd, (off_t)*at, SEEK_DATA);
	if (data < 0) {
		/* ENXIO: holes up to the end of the file */
		if (errno == ENXIO)
			return 0;
		data = (off_t)*at;
	}
	/* the areas consist of 8-byte words; a hole begins anywhere */
	if ((uint64_t)data > *at)
		*at = (uint64_t)data & ~(uint64_t)7;
	if (*at >= end)
		return 0;
	return end - *at < max ? (size_t)(end - *at) : max;
}

/* Metadata: all of the area that exists, as one run for each run of data. */
static void read_meta(struct ring_scan *s)
{
	uint64_t used = s->h.meta_tail < s->h.meta_bytes ? s->h.meta_tail : s->h.meta_bytes;
	uint64_t at = s->h.meta_offset, end = at + used;
	int fd = s->r->sources->files[s->source].fd;

	while (next_data(s, &at, end, SIZE_MAX / 4)) {
		off_t hole = lseek(fd, (off_t)at, SEEK_HOLE);
		uint64_t stop = hole > (off_t)at ? (uint64_t)hole : end;
		uint8_t *buffer;
		size_t count;

		if (stop > end)
			stop = end;
		if (stop > s->file_bytes)
			stop = s->file_bytes;
		count = stop - at < META_RUN_MAX ? (size_t)(stop - at) : META_RUN_MAX;
		buffer = xmalloc(count);
		if (recording_pread(s->r, s->source, at, buffer, count))
			recording_add_meta(s->r, buffer, count);
		else
			free(buffer);
		at += count;
	}
}

/* The owner of the slot did not close it: where does it end? */
static uint64_t last_stamp(struct ring_scan *s, const struct segment_ref *ref)
{
	const struct segment_header *h = &ref->header;
	uint8_t *payload = xmalloc(h->committed);
	uint64_t stamp = h->first_stamp;
	struct record rec;

	if (!s->decoder)
		s->decoder = xmalloc(sizeof(*s->decoder));
	if (recording_pread(s->r, s->source, ref->offset + h->header_bytes, payload,
			    h->committed)) {
		decoder_init(s->decoder, payload, h->committed, h->first_stamp, h->thread);
		while (record_decode(s->decoder, &rec) > 0)
			continue;
		stamp = s->decoder->base.stamp;
	}
	free(payload);
	return stamp;
}

static void take_slot(struct ring_scan *s, uint32_t slot)
{
	struct segment_ref ref = {
		.offset = s->h.slots_offset + (uint64_t)slot * s->h.slot_bytes,
		.in_ring = true, .source = (uint16_t)s->source,
	};
	struct segment_header *h = &ref.header;

	if (!recording_pread(s->r, s->source, ref.offset, h, sizeof(*h))) {
		s->r->sources->damaged_headers++;
		recording_damage(s->r, 1, s->h.slot_bytes,
				 "the file is cut off: slot %u is behind its end", slot);
		return;
	}
	/* claimed and nothing published: the owner died, or is about to write */
	if (h->committed == 0)
		return;
	if (h->magic != SEGMENT_MAGIC || h->kind != SEGMENT_EVENTS ||
	    h->version != FORMAT_VERSION || h->header_bytes < sizeof(*h) ||
	    !is_range(h->header_bytes, h->committed, s->h.slot_bytes)) {
		s->r->sources->damaged_headers++;
		recording_damage(s->r, 1, s->h.slot_bytes,
				 "the header of slot %u at offset %llu is damaged", slot,
				 (unsigned long long)ref.offset);
		return;
	}
	h->flags &= (uint16_t)~SEGMENT_ZSTD;
	h->stored_bytes = h->committed;
	if (h->last_stamp < h->first_stamp)
		h->last_stamp = last_stamp(s, &ref);
	recording_add_segment(s->r, &ref);
}

static void read_slots(struct ring_scan *s)
{
	uint64_t at = s->h.table_offset;
	uint64_t end = at + (uint64_t)s->h.slot_count * sizeof(uint64_t);
	uint64_t *words = xmalloc(TABLE_STEP);
	size_t count;

	while ((count = next_data(s, &at, end, TABLE_STEP)) >= sizeof(*words)) {
		uint32_t first = (uint32_t)((at - s->h.table_offset) / sizeof(*words));

		count &= ~(size_t)7;
		if (!recording_pread(s->r, s->source, at, words, count))
			break;
		/* DRAINING: the recorder died before it had kept the segment for sure */
		for (size_t i = 0; i < count / sizeof(*words); i++)
			if (slot_word_state(words[i]) != SLOT_FREE)
				take_slot(s, first + (uint32_t)i);
		at += count;
	}
	free(words);
}

int ring_scan(struct recording *r, unsigned source, const char *path, struct diag *d)
{
	struct ring_scan s = {
		.r = r, .source = source, .file_bytes = r->sources->files[source].bytes,
	};

	if (check_ring_header(&s, path, d) < 0)
		return -1;
	take_header(&s);
	if (s.file_bytes < s.h.slots_offset)
		recording_damage(r, 1, s.h.slots_offset - s.file_bytes,
				 "the file is cut off: it ends at %llu, before its slots",
				 (unsigned long long)s.file_bytes);
	read_meta(&s);
	read_slots(&s);
	free(s.decoder);
	return 0;
}
