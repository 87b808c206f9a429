/*
 * call_queue.c - a queue of lines, and for each stream the line that is still
 * open and the system calls that wait for their call.
 */
#include "forms/call_queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"

/* System calls kept for one call; more go out as lines of their own. */
#define INNER_MAX 64

struct held {
	struct held *next;
	struct call_line line;
	struct call_line *inner;
	size_t inner_count, inner_capacity;
	bool is_open;
	uint32_t stream;
};

struct stream {
	struct held *open;
	struct call_line *waiting;  /* system calls of a call that is not complete */
	size_t waiting_count, waiting_capacity;
};

struct call_queue {
	void (*put)(const struct call_line *line, const struct call_line *inner,
		    size_t count, void *ctx);
	void *ctx;
	struct held *first, **end;
	size_t count;
	struct stream *streams;
	size_t stream_count;
};

struct call_queue *call_queue_new(void (*put)(const struct call_line *line,
					      const struct call_line *inner,
					      size_t count, void *ctx), void *ctx)
{
	struct call_queue *q = xcalloc(1, sizeof(*q));

	q->put = put;
	q->ctx = ctx;
	q->end = &q->first;
	return q;
}

static void let_out_first(struct call_queue *q)
{
	struct held *h = q->first;

	q->put(&h->line, h->inner, h->inner_count, q->ctx);
	if (h->is_open)
		q->streams[h->stream].open = NULL;
	q->first = h->next;
	if (!q->first)
		q->end = &q->first;
	q->count--;
	free(h->inner);
	free(h);
}

static void let_out(struct call_queue *q)
{
	while (q->first && (!q->first->is_open || q->count > QUEUE_MAX))
		let_out_first(q);
}

void call_queue_free(struct call_queue *q)
{
	if (!q)
		return;
	for (size_t i = 0; i < q->stream_count; i++)
		call_queue_skip(q, (uint32_t)i);
	while (q->first)
		let_out_first(q);
	for (size_t i = 0; i < q->stream_count; i++)
		free(q->streams[i].waiting);
	free(q->streams);
	free(q);
}

static struct stream *stream_of(struct call_queue *q, uint32_t stream)
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

static struct held *append(struct call_queue *q, const struct call_line *line)
{
	struct held *h = xcalloc(1, sizeof(*h));

	h->line = *line;
	*q->end = h;
	q->end = &h->next;
	q->count++;
	return h;
}

void call_queue_line(struct call_queue *q, const struct call_line *line)
{
	append(q, line);
	let_out(q);
}

static void close_open(struct stream *s)
{
	if (s->open)
		s->open->is_open = false;
	s->open = NULL;
}

void call_queue_call(struct call_queue *q, uint32_t stream, const struct call_line *line)
{
	struct stream *s = stream_of(q, stream);
	struct held *h;

	close_open(s);
	h = append(q, line);
	h->inner = s->waiting;
	h->inner_count = s->waiting_count;
	h->inner_capacity = s->waiting_capacity;
	s->waiting = NULL;
	s->waiting_count = 0;
	s->waiting_capacity = 0;
	h->is_open = true;
	h->stream = stream;
	s->open = h;
	let_out(q);
}

void call_queue_done(struct call_queue *q, uint32_t stream)
{
	close_open(stream_of(q, stream));
	let_out(q);
}

void call_queue_skip(struct call_queue *q, uint32_t stream)
{
	struct stream *s = stream_of(q, stream);

	close_open(s);
	for (size_t i = 0; i < s->waiting_count; i++)
		append(q, &s->waiting[i]);
	s->waiting_count = 0;
	let_out(q);
}

void call_queue_duration(struct call_queue *q, uint32_t stream, uint64_t ticks)
{
	struct stream *s = stream_of(q, stream);

	if (s->open) {
		s->open->line.has_duration = true;
		s->open->line.duration_ticks = ticks;
	}
	call_queue_done(q, stream);
}

static bool is_release(uint8_t func)
{
	return func == FUNC_FREE || func == FUNC_CFREE || func == FUNC_FREE_SIZED ||
	       func == FUNC_FREE_ALIGNED_SIZED;
}

void call_queue_syscall(struct call_queue *q, uint32_t stream, uint8_t func,
			const struct call_line *line)
{
	struct stream *s = stream_of(q, stream);
	struct held *open = s->open;

	if (is_release(func) && open && is_release(open->line.call.func) &&
	    open->inner_count < INNER_MAX) {
		xgrow(&open->inner, &open->inner_capacity, open->inner_count,
		      sizeof(*open->inner));
		open->inner[open->inner_count++] = *line;
		return;
	}
	close_open(s);
	if (func >= FUNC_COUNT || is_release(func) || s->waiting_count >= INNER_MAX) {
		call_queue_line(q, line);
		return;
	}
	xgrow(&s->waiting, &s->waiting_capacity, s->waiting_count, sizeof(*s->waiting));
	s->waiting[s->waiting_count++] = *line;
	let_out(q);
}
