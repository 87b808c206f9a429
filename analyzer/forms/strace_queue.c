/*
 * strace_queue.c - see strace_queue.h. Relies on the order of a stream: a release is
 * recorded before the system calls that it makes, an acquire after them, so those of
 * an acquire take its call stack when it comes.
 */
#include "forms/strace_queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"

struct held {
	struct held *next;
	struct held *next_inner;  /* of the same allocator call */
	struct strace_line line;
	bool needs_end, needs_cause;
};

struct stream {
	struct held *open;        /* the call under way */
	struct held *inner;       /* calls that wait for the allocator call around them */
	struct call release;      /* the last release */
	bool has_release;
};

struct strace_queue {
	void (*put)(const struct strace_line *line, void *ctx);
	void *ctx;
	bool wants_cause;
	struct held *first, **end;
	struct held *spare;
	size_t count;
	struct stream *streams;
	size_t stream_count;
};

struct strace_queue *strace_queue_new(void (*put)(const struct strace_line *line, void *ctx),
				      void *ctx, bool wants_cause)
{
	struct strace_queue *q = xcalloc(1, sizeof(*q));

	q->put = put;
	q->ctx = ctx;
	q->wants_cause = wants_cause;
	q->end = &q->first;
	return q;
}

static struct stream *stream_of(struct strace_queue *q, uint32_t stream)
{
	if (stream >= q->stream_count) {
		size_t count = (size_t)stream + 16;

		q->streams = xreallocarray(q->streams, count, sizeof(*q->streams));
		memset(q->streams + q->stream_count, 0,
		       (count - q->stream_count) * sizeof(*q->streams));
		q->stream_count = count;
	}
	return &q->streams[stream];
}

static void let_out_first(struct strace_queue *q)
{
	struct held *h = q->first;

	q->put(&h->line, q->ctx);
	q->first = h->next;
	if (!q->first)
		q->end = &q->first;
	h->next = q->spare;
	q->spare = h;
	q->count--;
}

/* Nothing may wait for the first line any more: it goes out incomplete. */
static void forget_first(struct strace_queue *q)
{
	const struct held *h = q->first;

	for (size_t i = 0; i < q->stream_count; i++) {
		struct stream *s = &q->streams[i];

		if (s->open == h)
			s->open = NULL;
		for (struct held **p = &s->inner; *p; p = &(*p)->next_inner) {
			if (*p == h) {
				*p = h->next_inner;
				break;
			}
		}
	}
}

static void let_out(struct strace_queue *q)
{
	while (q->first && !q->first->needs_end && !q->first->needs_cause)
		let_out_first(q);
	if (q->count <= STRACE_QUEUE_MAX)
		return;
	forget_first(q);
	let_out_first(q);
	while (q->first && !q->first->needs_end && !q->first->needs_cause)
		let_out_first(q);
}

void strace_queue_free(struct strace_queue *q)
{
	struct held *next;

	if (!q)
		return;
	while (q->first)
		let_out_first(q);
	for (struct held *h = q->spare; h; h = next) {
		next = h->next;
		free(h);
	}
	free(q->streams);
	free(q);
}

static struct held *add(struct strace_queue *q, const struct strace_line *line)
{
	struct held *h = q->spare;

	if (h)
		q->spare = h->next;
	else
		h = xcalloc(1, sizeof(*h));
	*h = (struct held){ .line = *line };
	*q->end = h;
	q->end = &h->next;
	q->count++;
	return h;
}

void strace_queue_line(struct strace_queue *q, const struct strace_line *line)
{
	add(q, line);
	let_out(q);
}

static bool is_release(uint8_t func)
{
	return func == FUNC_FREE || func == FUNC_CFREE || func == FUNC_FREE_SIZED ||
	       func == FUNC_FREE_ALIGNED_SIZED;
}

/* Which allocator call H belongs to, as far as that is known at its begin. */
static void begin_cause(struct strace_queue *q, struct stream *s, struct held *h,
			const struct event *event)
{
	struct strace_line *line = &h->line;
	uint8_t func = line->pair.func;

	line->stack = line->pair.stack;
	/* with sampling the next or last call of the stream may be any other */
	line->is_inner = func != FUNC_COUNT && event->sampling;
	if (!q->wants_cause || func == FUNC_COUNT || event->sampling)
		return;
	if (!is_release(func)) {
		line->stack = STACK_NONE;
		h->needs_cause = true;
		h->next_inner = s->inner;
		s->inner = h;
	} else if (s->has_release && s->release.func == func) {
		line->has_cause = true;
		line->cause = s->release;
	}
}

static void begin_call(struct strace_queue *q, struct stream *s, const struct event *event,
		       const struct image *image, uint32_t tid)
{
	struct strace_line line = {
		.kind = STRACE_CALL,
		.image = image,
		.tid = tid,
		.stamp = event->r.stamp,
	};

	if (s->open)
		s->open->needs_end = false;
	line.inner = event->inner;
	syscall_pair_begin(&line.pair, event);
	s->open = add(q, &line);
	s->open->needs_end = true;
	begin_cause(q, s, s->open, event);
}

static void end_call(struct strace_queue *q, struct stream *s, const struct event *event)
{
	if (!s->open || !syscall_pair_end(&s->open->line.pair, event))
		return;
	s->open->needs_end = false;
	s->open = NULL;
	let_out(q);
}

/* The stream's allocator call is complete, and so are those that waited for it. */
static void end_allocator_call(struct strace_queue *q, struct stream *s,
			       const struct event *event, const struct call *call)
{
	s->has_release = is_release(call->func);
	if (s->has_release)
		s->release = *call;
	if (!s->inner)
		return;
	for (struct held *h = s->inner; h; h = h->next_inner) {
		h->needs_cause = false;
		if (h->line.pair.func != call->func)
			continue;
		h->line.has_cause = true;
		h->line.cause = *call;
		h->line.stack = event->stack;
	}
	s->inner = NULL;
	let_out(q);
}

void strace_queue_event(struct strace_queue *q, const struct event *event,
			const struct change *change, const struct image *image,
			uint32_t tid, bool is_shown)
{
	struct stream *s;

	switch (event->r.kind) {
	case EVENT_SYSCALL_BEGIN:
		s = stream_of(q, event->stream);
		if (is_shown)
			begin_call(q, s, event, image, tid);
		break;
	case EVENT_SYSCALL_END:
		end_call(q, stream_of(q, event->stream), event);
		break;
	default:
		if (q->wants_cause && change->has_call)
			end_allocator_call(q, stream_of(q, event->stream), event,
					   &change->call);
		break;
	}
}
