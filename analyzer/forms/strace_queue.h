/*
 * strace_queue.h - the lines of the strace report in order: a system call stands where
 * it was entered, but is known only with its end, and what made it with the end of the
 * allocator call around it.
 *
 * Bounded: where more than STRACE_QUEUE_MAX lines wait for one whose end does not
 * come (its thread was killed), that one goes out as it is.
 */
#ifndef FORMS_STRACE_QUEUE_H
#define FORMS_STRACE_QUEUE_H

#include "forms/syscall_pair.h"
#include "model/replay.h"

#define STRACE_QUEUE_MAX 8192

enum strace_line_kind {
	STRACE_CALL,     /* a system call */
	STRACE_STARTUP,  /* what was there before the library: `pair` is made up of it */
	STRACE_EXIT,     /* the end of `image` */
};

struct strace_line {
	enum strace_line_kind kind;
	const struct image *image;
	uint32_t tid;
	uint64_t stamp;              /* when it was entered */
	struct syscall_pair pair;    /* pair.is_open: it never returned */
	stack_id stack;              /* of who asked for it; STACK_NONE: unknown */
	stack_id inner;              /* frames inside the allocator, before those of `stack` */
	bool is_inner;               /* it begins inside the allocator, at the call itself */
	bool has_cause;              /* `cause` is the allocator call around it */
	struct call cause;
	const struct region *region; /* STRACE_STARTUP: of a map; NULL: the program break */
};

struct strace_queue;

/*
 * PUT prints a line. Only with WANTS_CAUSE do lines wait for the allocator call, and have
 * stack and cause where they were made inside one.
 */
struct strace_queue *strace_queue_new(void (*put)(const struct strace_line *line, void *ctx),
				      void *ctx, bool wants_cause);

/* Lets all lines out, as they are. */
void strace_queue_free(struct strace_queue *q);

/* A line of any kind that is complete. */
void strace_queue_line(struct strace_queue *q, const struct strace_line *line);

/*
 * An event of a thread TID of IMAGE; every one with WANTS_CAUSE, else system calls only.
 * Calls of which IS_SHOWN is false when they begin are left out.
 */
void strace_queue_event(struct strace_queue *q, const struct event *event,
			const struct change *change, const struct image *image,
			uint32_t tid, bool is_shown);

#endif
