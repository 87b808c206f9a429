/*
 * decode.h - the events of one stream in their order: loads its segments one
 * after another when they are reached, decodes, and keeps the call stack in
 * force. Private to trace/: merge.c puts the streams together.
 */
#ifndef TRACE_DECODE_H
#define TRACE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/event.h"
#include "trace/recording.h"

struct stream {
	struct event event;       /* the present one */
	const struct image *unmapper; /* the image, where it ever unmapped a module; else NULL */
	uint64_t floor;           /* stamps do not go below the last one */
	/* of the segment under way; of its 64 KiB only the pages that deep stacks need are touched */
	struct decoder *decoder;
	stack_id *path;           /* ids of the stack in force, outermost first */
	size_t path_capacity;
	uint8_t *payload;         /* NULL: not loaded */
	size_t payload_capacity;
	size_t next_segment;      /* index in recording.segments */
	size_t end_segment;
};

/* What all streams of a merge share. */
struct decode {
	struct recording *recording;
	struct stacks *stacks;        /* NULL: not wanted */
	uint64_t losses[LOSS_COUNT];  /* by LOSS records so far */
	/* payload buffers of streams that have ended */
	uint8_t *spare;
	size_t spare_capacity;
};

/* The stream of segments [FIRST, END) of the recording, at its beginning: nothing is loaded. */
void stream_init(struct stream *s, const struct recording *r, size_t first, size_t end,
		 uint32_t number);
void stream_release(struct stream *s);

/*
 * The next event into s->event. False at the end of the stream. Damaged segments
 * are counted in the recording and skipped.
 */
bool stream_next(struct decode *d, struct stream *s);

/* Not later than the stamp of the next event; UINT64_MAX: none follows. Only while nothing is loaded. */
uint64_t stream_first_stamp(const struct stream *s, const struct recording *r);

#endif
