/*
 * merge.c - orders the events of all streams by time. Each stream is
 * non-decreasing by itself. The stream at the head delivers event after event
 * without a look at the others until its stamp passes that of the second;
 * only then the heap is put right. A stream that has not been reached stands in
 * the heap with the first stamp of its first segment, and nothing of it is loaded.
 */
#include "trace/merge.h"

#include <stdlib.h>

#include "base/xmem.h"
#include "trace/decode.h"

/* What the order depends on: stamp, release before the rest, stream. */
struct key {
	uint64_t stamp;
	uint32_t rank;            /* 0: a release, or not decoded yet */
	uint32_t stream;          /* index in merge.streams */
};

struct merge {
	struct decode decode;
	struct stream *streams;
	size_t stream_count;
	struct key *heap;         /* [0] is the head */
	size_t heap_count;
	struct key second;        /* the smallest but the head's */
	bool head_is_out;         /* the head's event was given to the caller */
	uint64_t until;
};

static bool is_before(const struct key *a, const struct key *b)
{
	if (a->stamp != b->stamp)
		return a->stamp < b->stamp;
	if (a->rank != b->rank)
		return a->rank < b->rank;
	return a->stream < b->stream;
}

static void sift_down(struct merge *m, size_t at)
{
	struct key key = m->heap[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= m->heap_count)
			break;
		if (child + 1 < m->heap_count &&
		    is_before(&m->heap[child + 1], &m->heap[child]))
			child++;
		if (!is_before(&m->heap[child], &key))
			break;
		m->heap[at] = m->heap[child];
		at = child;
	}
	m->heap[at] = key;
}

static void find_second(struct merge *m)
{
	m->second = (struct key){ .stamp = UINT64_MAX, .rank = UINT32_MAX,
				  .stream = UINT32_MAX };
	for (size_t i = 1; i <= 2 && i < m->heap_count; i++)
		if (is_before(&m->heap[i], &m->second))
			m->second = m->heap[i];
}

static uint32_t rank_of(unsigned kind)
{
	static const uint8_t rank[EVENT_KIND_COUNT] = {
#define RELEASE 0
#define ACQUIRE 1
#define INFO 1
#define EVENT_KIND(number, name, text, cls, fields) [number] = cls,
#include "record_kinds.def"
#undef EVENT_KIND
#undef INFO
#undef ACQUIRE
#undef RELEASE
	};

	return rank[kind & TAG_KIND_MASK];
}

struct merge *merge_open(struct recording *r, struct stacks *stacks,
			 const struct merge_select *select)
{
	struct merge *m = xcalloc(1, sizeof(*m));
	size_t capacity = 0, heap_capacity = 0;
	uint32_t number = 0;

	m->decode.recording = r;
	m->decode.stacks = stacks;
	m->until = select && select->until_stamp ? select->until_stamp : UINT64_MAX;
	for (size_t i = 0, end; i < r->segment_count; i = end, number++) {
		const struct segment_header *h = &r->segments[i].header;
		uint32_t index = (uint32_t)m->stream_count;

		for (end = i + 1; end < r->segment_count; end++)
			if (r->segments[end].header.image != h->image ||
			    r->segments[end].header.stream != h->stream)
				break;
		if (select && select->image && select->image != h->image)
			continue;
		xgrow(&m->streams, &capacity, m->stream_count, sizeof(*m->streams));
		xgrow(&m->heap, &heap_capacity, m->heap_count, sizeof(*m->heap));
		stream_init(&m->streams[m->stream_count++], r, i, end, number);
		m->heap[m->heap_count++] = (struct key){
			.stamp = stream_first_stamp(&m->streams[index], r),
			.stream = index,
		};
	}
	for (size_t i = m->heap_count / 2; i-- > 0;)
		sift_down(m, i);
	find_second(m);
	return m;
}

/* Put the head where it belongs; its key has changed. */
static void settle(struct merge *m)
{
	sift_down(m, 0);
	find_second(m);
}

static void drop_head(struct merge *m)
{
	stream_release(&m->streams[m->heap[0].stream]);
	m->heap[0] = m->heap[--m->heap_count];
	if (m->heap_count)
		settle(m);
}

const struct event *merge_next(struct merge *m)
{
	while (m->heap_count) {
		struct key *head = &m->heap[0];
		struct stream *s = &m->streams[head->stream];

		/* a key made from a header has no event behind it yet */
		if (m->head_is_out || !s->payload) {
			bool is_first = !s->payload;

			m->head_is_out = false;
			if (head->stamp > m->until)
				return NULL;
			if (!stream_next(&m->decode, s)) {
				drop_head(m);
				continue;
			}
			/* the segment that it waited for was damaged, the next one begins before */
			if (__builtin_expect(is_first && s->event.r.stamp < head->stamp, 0))
				s->event.r.stamp = s->floor = head->stamp;
			head->stamp = s->event.r.stamp;
			/* most events stand alone in time: nobody asks their rank */
			if (head->stamp >= m->second.stamp) {
				head->rank = rank_of(s->event.r.kind);
				if (!is_before(head, &m->second)) {
					settle(m);
					continue;
				}
			}
		}
		if (head->stamp > m->until)
			return NULL;
		m->head_is_out = true;
		return &s->event;
	}
	return NULL;
}

void merge_close(struct merge *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->stream_count; i++)
		stream_release(&m->streams[i]);
	free(m->decode.spare);
	free(m->streams);
	free(m->heap);
	free(m);
}
