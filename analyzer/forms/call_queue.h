/*
 * call_queue.h - lines of the ltrace report that must wait: how long a call
 * took (-T), and which system calls it made (-S), is recorded after it. Lines come
 * out in the order in which they were put in, each when nothing more can
 * belong to it.
 *
 * Bounded: where more than QUEUE_MAX lines wait for one that does not become complete
 * (its thread did nothing more), that one goes out as it is.
 */
#ifndef FORMS_CALL_QUEUE_H
#define FORMS_CALL_QUEUE_H

#include "forms/call_line.h"

#define QUEUE_MAX 8192

struct call_queue;

/* PUT prints a complete line and the COUNT system calls made inside it. */
struct call_queue *call_queue_new(void (*put)(const struct call_line *line,
					      const struct call_line *inner,
					      size_t count, void *ctx), void *ctx);

/* Lets all lines out, as they are. */
void call_queue_free(struct call_queue *q);

/* A call of STREAM. It stays open until the stream's next event, or call_queue_done. */
void call_queue_call(struct call_queue *q, uint32_t stream, const struct call_line *line);

/* A line that is complete and belongs to no stream. */
void call_queue_line(struct call_queue *q, const struct call_line *line);

/*
 * A system call of STREAM, made inside the allocator function FUNC (FUNC_COUNT: not
 * inside). Inside a release it belongs to the open call, inside another function
 * to the one that completes next.
 */
void call_queue_syscall(struct call_queue *q, uint32_t stream, uint8_t func,
			const struct call_line *line);

/* The open call of STREAM took TICKS: it is complete. */
void call_queue_duration(struct call_queue *q, uint32_t stream, uint64_t ticks);

/* The open call of STREAM is complete. System calls that wait for one that is not shown go out as lines. */
void call_queue_done(struct call_queue *q, uint32_t stream);
void call_queue_skip(struct call_queue *q, uint32_t stream);

#endif
