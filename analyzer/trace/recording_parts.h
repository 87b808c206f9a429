/*
 * recording_parts.h - how an open recording is put together from its files.
 * Private to trace/: recording.c opens and closes, packed.c and ring_reader.c
 * find the segments of one file, metadata.c fills the tables, clockmap.c finds
 * the length of a tick.
 */
#ifndef TRACE_RECORDING_PARTS_H
#define TRACE_RECORDING_PARTS_H

#include <zstd.h>

#include "trace/recording.h"

/* The longest payload of a segment: events and metadata; symbols and bitmaps. */
#define PAYLOAD_MAX_RECORDS ((uint64_t)64 << 20)
#define PAYLOAD_MAX_OTHER   ((uint64_t)1 << 30)
#define SOURCES_MAX 16

struct source {
	int fd;
	bool is_ring;
	bool has_end;
	uint64_t bytes;             /* size of the file */
};

struct meta_record {
	uint64_t stamp;
	uint32_t order;             /* as found */
	uint16_t kind;
	uint32_t bytes;
	const uint8_t *payload;     /* in one of sources.meta_buffers */
};

struct recording_sources {
	struct source files[SOURCES_MAX];
	size_t count;
	size_t segment_capacity, symbol_capacity, bitmap_capacity;
	ZSTD_DCtx *unpacker;
	uint8_t *packed;            /* a segment as stored */
	size_t packed_capacity;
	/* raw metadata, from open to close: recording_each_meta */
	uint8_t **meta_buffers;
	size_t meta_buffer_count, meta_buffer_capacity;
	uint64_t meta_total;        /* bytes in all of them */
	struct meta_record *meta;
	size_t meta_count, meta_capacity;
	uint64_t taken_slots, taken_bytes; /* by the recorder, as its ring says */
	size_t damaged_headers;     /* places where no segment header was found */
	size_t note_capacity, mark_capacity, sample_capacity;
	size_t unrecorded_capacity, oom_capacity;
	size_t started_count;       /* execs.c: unrecorded programs that began, before the failures */
	struct lookup *lookups;     /* images.c, while opening */
	uint32_t *by_number;        /* image indices by image number */
	uint32_t *by_pid;           /* image indices by pid, start_stamp */
};

/* ---- recording.c ---- */

/* Count damage; the first one is kept in words. Returns -1. */
int recording_damage(struct recording *r, size_t segments, uint64_t bytes,
		     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same for segment S, once for each; an EVENTS segment counts as LOSS_DAMAGED. */
int recording_damage_segment(struct recording *r, const struct segment_ref *s, uint64_t bytes,
			     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* COUNT bytes at OFFSET of file SOURCE; less than all is false. */
bool recording_pread(const struct recording *r, unsigned source, uint64_t offset,
		     void *bytes, size_t count);

/* Put S into the table of its kind (EVENTS, SYMBOLS, BITMAP). */
void recording_add_segment(struct recording *r, const struct segment_ref *s);

/* Take over BUFFER (malloc'ed) with COUNT bytes of metadata area and note its records. */
void recording_add_meta(struct recording *r, uint8_t *buffer, size_t count);

/* ---- one file each ---- */

/* Find all segments of packed file SOURCE. -1 with D set: nothing can be read. */
int packed_scan(struct recording *r, unsigned source, const char *path, struct diag *d);
/* The same for a session ring. */
int ring_scan(struct recording *r, unsigned source, const char *path, struct diag *d);

/* ---- metadata.c ---- */

/* The raw records of COUNT bytes at BYTES, appended to r->sources->meta. */
void metadata_gather(struct recording *r, const uint8_t *bytes, size_t count);
/* From the raw records to the tables of R, but STATUS. */
void metadata_apply(struct recording *r);
/* STATUS records: they name a process, so images must be in order. */
void metadata_apply_status(struct recording *r);
/* COUNT words as a shell would read them back; malloc'ed. */
char *metadata_quote(char *const words[], int count);

/* ---- clockmap.c ---- */

/* Set r->ns_per_tick and r->clock_is_estimate from the raw records and the header. */
void clockmap_find(struct recording *r);

#endif
