/*
 * window.h - figures of a part of the recording (--since, --until): calls,
 * blocks and bytes acquired, released, failed, ... count only in the window; what
 * is live is right, because everything before the window was replayed too.
 *
 * The peaks (of the heap, of the mappings) are the most live bytes at any moment of the window.
 * Massif's peak and the break's are those of the whole time up to the window's end.
 */
#ifndef FORMS_WINDOW_H
#define FORMS_WINDOW_H

#include "model/replay.h"

struct window;

/*
 * BASE: a replay of R's events before the window, finished; it stays the caller's
 * and outlives the window.
 */
struct window *window_new(const struct replay *base);
void window_free(struct window *w);

/* After each event of the window, in the replay of the whole. */
void window_note(struct window *w, const struct event *event,
		 const struct change *change);

/* Whether the sites at the window's peak need another replay: window_repeat. */
bool window_needs_repeat(const struct window *w);

/* After each event of the window, in a second replay of the same events. */
void window_repeat(struct window *w, const struct change *change);

/*
 * HEAP (of the finished replay of the whole) as a heap with the window's figures. Belongs to
 * the window; so do its sites and sizes.
 */
struct heap *window_heap(struct window *w, const struct heap *heap);

#endif
