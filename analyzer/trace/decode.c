/*
 * decode.c - see decode.h. Relies on recording_read for bytes and on
 * record_codec.h for what they mean; promises stamps that do not go down and a
 * stack that fits every event, whatever the bytes are.
 */
#include "trace/decode.h"

#include <stdlib.h>

#include "base/xmem.h"
#include "inner_record.h"
#include "trace/recording_parts.h"

/* IMAGE where one of its modules was unmapped while it ran, else NULL. */
static const struct image *unmapper(const struct image *image)
{
	for (size_t i = 0; image && i < image->map_count; i++)
		if (image->maps[i].to_stamp != UINT64_MAX)
			return image;
	return NULL;
}

void stream_init(struct stream *s, const struct recording *r, size_t first, size_t end,
		 uint32_t number)
{
	*s = (struct stream){
		.next_segment = first, .end_segment = end,
		.event = {
			.image = r->segments[first].header.image, .stream = number,
		},
		.unmapper = unmapper(recording_image(r, r->segments[first].header.image)),
	};
}

void stream_release(struct stream *s)
{
	free(s->path);
	free(s->payload);
	free(s->decoder);
	s->decoder = NULL;
	s->path = NULL;
	s->payload = NULL;
}

uint64_t stream_first_stamp(const struct stream *s, const struct recording *r)
{
	uint64_t stamp;

	if (s->next_segment >= s->end_segment)
		return UINT64_MAX;
	stamp = r->segments[s->next_segment].header.first_stamp;
	return stamp < s->floor ? s->floor : stamp;
}

/* Streams that wait for their next segment hold no buffer. */
static void put_buffer(struct decode *d, struct stream *s)
{
	if (!s->payload)
		return;
	if (s->payload_capacity > d->spare_capacity) {
		free(d->spare);
		d->spare = s->payload;
		d->spare_capacity = s->payload_capacity;
	} else {
		free(s->payload);
	}
	s->payload = NULL;
	s->payload_capacity = 0;
}

static void take_buffer(struct decode *d, struct stream *s)
{
	s->payload = d->spare;
	s->payload_capacity = d->spare_capacity;
	d->spare = NULL;
	d->spare_capacity = 0;
}

/* The next segment of S into the decoder. False: there is none. */
static bool load(struct decode *d, struct stream *s)
{
	while (s->next_segment < s->end_segment) {
		const struct segment_ref *ref = &d->recording->segments[s->next_segment++];
		int64_t bytes;

		if (!s->payload)
			take_buffer(d, s);
		bytes = recording_read(d->recording, ref, &s->payload, &s->payload_capacity);
		if (bytes < 0)
			continue;
		if (!s->decoder)
			s->decoder = xmalloc(sizeof(*s->decoder));
		decoder_init(s->decoder, s->payload, (size_t)bytes,
			     ref->header.first_stamp, ref->header.thread);
		s->event.sampling = ref->header.sampling;
		s->event.stack = STACK_NONE;
		/* what came before may be missing */
		s->event.inner = STACK_NONE;
		return true;
	}
	put_buffer(d, s);
	return false;
}

static void note_damage(struct decode *d, struct stream *s)
{
	const struct segment_ref *ref = &d->recording->segments[s->next_segment - 1];
	uint64_t at = (uint64_t)(s->decoder->p - s->payload);

	recording_damage_segment(d->recording, ref, ref->header.committed - at,
				 "the segment at offset %llu holds no records from its byte %llu on",
				 (unsigned long long)ref->offset, (unsigned long long)at);
	s->decoder->p = s->decoder->end;
}

static void apply_stack(struct decode *d, struct stream *s)
{
	const struct record *r = &s->event.r;
	uint32_t depth = s->decoder->depth - r->push;
	stack_id id = depth ? s->path[depth - 1] : STACK_NONE;

	if (s->decoder->depth > s->path_capacity)
		xgrow(&s->path, &s->path_capacity, s->decoder->depth, sizeof(*s->path));
	for (uint32_t i = 0; i < r->push; i++) {
		const struct frame *frame = &s->decoder->frames[i];
		uint16_t generation = 0;

		if (__builtin_expect(s->unmapper != NULL, 0) && frame->type == FRAME_NATIVE)
			generation = image_generation(s->unmapper, frame->value, r->stamp);
		id = stacks_child_of(d->stacks, id, s->event.image, *frame, r->stamp,
				     generation);
		s->path[depth++] = id;
	}
	s->event.stack = id;
}

/* The frames of an inner record (inner_record.h), as a stack of their own. */
static void take_inner(struct decode *d, struct stream *s)
{
	struct inner_frames inner;

	if (!get_inner(&s->event.r, &inner))
		return;
	for (uint32_t i = inner.count; i > 0; i--) {
		const struct frame frame = { .value = inner.pcs[i - 1], .type = FRAME_NATIVE };
		uint16_t generation = s->unmapper ?
			image_generation(s->unmapper, frame.value, s->event.r.stamp) : 0;

		s->event.inner = stacks_child_of(d->stacks, s->event.inner, s->event.image, frame,
						 s->event.r.stamp, generation);
	}
}

static void count_loss(struct decode *d, const struct record *r)
{
	uint64_t *seen;

	if (r->number >= LOSS_COUNT)
		return;
	seen = &d->losses[r->number];
	if (__builtin_add_overflow(*seen, r->count, seen))
		*seen = UINT64_MAX;
	if (*seen > d->recording->losses[r->number])
		d->recording->losses[r->number] = *seen;
}

bool stream_next(struct decode *d, struct stream *s)
{
	struct record *r = &s->event.r;
	int more;

	if (__builtin_expect(!s->payload, 0) && !load(d, s))
		return false;
	while ((more = record_decode(s->decoder, r)) <= 0) {
		if (more < 0)
			note_damage(d, s);
		if (!load(d, s))
			return false;
	}
	/* another clock's segments in one stream: keep the order */
	if (__builtin_expect(r->stamp < s->floor, 0))
		r->stamp = s->floor;
	s->floor = r->stamp;
	if (r->has_stack && d->stacks)
		apply_stack(d, s);
	if (__builtin_expect(s->event.inner != STACK_NONE, 0) && r->kind != EVENT_SYSCALL_BEGIN)
		s->event.inner = STACK_NONE;
	if (__builtin_expect(r->kind == EVENT_EXTENDED, 0) && d->stacks)
		take_inner(d, s);
	if (__builtin_expect(r->kind == EVENT_LOSS, 0))
		count_loss(d, r);
	return true;
}
