/*
 * threshold_track.c - see threshold_track.h. Relies on glibc's rule (malloc_settings.h):
 * only free(3) moves the threshold, not the release inside a realloc that moves its block.
 */
#include "model/threshold_track.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"

/* What a chunk with a mapping of its own has besides usable bytes (2.42 and before). */
#define MAPPED_OVERHEAD 16

struct threshold_tracks {
	const struct recording *recording;
	struct threshold_track *tracks; /* as recording.images */
	bool *has_begun;
};

struct threshold_tracks *threshold_tracks_new(const struct recording *r)
{
	struct threshold_tracks *ts = xcalloc(1, sizeof(*ts));

	ts->recording = r;
	ts->tracks = xcalloc(r->image_count + 1, sizeof(*ts->tracks));
	ts->has_begun = xcalloc(r->image_count + 1, sizeof(*ts->has_begun));
	return ts;
}

void threshold_tracks_free(struct threshold_tracks *ts)
{
	if (!ts)
		return;
	for (size_t i = 0; i < ts->recording->image_count; i++)
		free(ts->tracks[i].moves);
	free(ts->tracks);
	free(ts->has_begun);
	free(ts);
}

static struct threshold_move *add_move(struct threshold_track *t, uint64_t stamp,
				       const struct malloc_settings *from)
{
	struct threshold_move *m;

	xgrow(&t->moves, &t->move_capacity, t->move_count, sizeof(*t->moves));
	m = &t->moves[t->move_count++];
	*m = (struct threshold_move){ .stamp = stamp, .from = *from, .to = t->now };
	return m;
}

static bool is_mallopt(const struct setting *s)
{
	return s->key && strncmp(s->key, "mallopt(", 8) == 0;
}

/* mallopt's calls up to STAMP. */
static void apply_settings(struct threshold_track *t, uint64_t stamp)
{
	const struct image *image = t->image;

	for (; t->settings_seen < image->setting_count &&
	       image->settings[t->settings_seen].stamp <= stamp; t->settings_seen++) {
		const struct setting *s = &image->settings[t->settings_seen];
		struct malloc_settings from = t->now;

		if (is_mallopt(s) && malloc_settings_apply(&t->now, s->key, s->value))
			add_move(t, s->stamp, &from)->setting = s;
	}
}

static struct threshold_track *track_of(struct threshold_tracks *ts, const struct image *image,
					uint64_t stamp);

static void begin(struct threshold_tracks *ts, struct threshold_track *t,
		  const struct image *image)
{
	const struct image *parent = image->how == PROCESS_FORKED ?
		image_parent(ts->recording, image) : NULL;

	t->image = image;
	if (parent) {
		t->now = track_of(ts, parent, image->start_stamp)->now;
		t->is_inherited = true;
	} else {
		malloc_settings_init(&t->now, image->libc);
		for (size_t i = 0; i < image->setting_count; i++)
			if (!is_mallopt(&image->settings[i]))
				malloc_settings_apply(&t->now, image->settings[i].key,
						      image->settings[i].value);
	}
	t->first = t->now;
}

static struct threshold_track *track_of(struct threshold_tracks *ts, const struct image *image,
					uint64_t stamp)
{
	size_t i = (size_t)(image - ts->recording->images);
	struct threshold_track *t = &ts->tracks[i];

	if (!ts->has_begun[i]) {
		ts->has_begun[i] = true;
		begin(ts, t, image);
	}
	if (t->settings_seen < image->setting_count)
		apply_settings(t, stamp);
	return t;
}

static void note_free(struct threshold_tracks *ts, const struct event *event,
		      const struct change *change)
{
	const struct block *b = &change->old;
	struct threshold_track *t = track_of(ts, change->heap->image, event->r.stamp);
	struct malloc_settings from = t->now;
	struct threshold_move *m;

	if (!malloc_settings_free(&t->now, b->size + b->slack + MAPPED_OVERHEAD))
		return;
	m = add_move(t, event->r.stamp, &from);
	m->address = b->addr;
	m->request = b->size;
	m->stream = event->stream;
	m->stack = b->site < change->heap->site_count ? change->heap->sites[b->site].stack :
							STACK_NONE;
	if (t->image->features & FEATURE_FREE_STACKS)
		m->freed_stack = event->stack;
}

/* The munmap that the free makes has the call stack that the free itself need not have. */
static void note_unmap(struct threshold_tracks *ts, const struct event *event,
		       const struct image *image)
{
	const struct threshold_track *t = track_of(ts, image, event->r.stamp);
	struct threshold_move *m = t->move_count ? &t->moves[t->move_count - 1] : NULL;
	const uint64_t *args = event->r.args;

	if (m && !m->setting && m->freed_stack == STACK_NONE && m->stream == event->stream &&
	    m->address >= args[0] && m->address - args[0] < args[1])
		m->freed_stack = event->stack;
}

void threshold_tracks_event(struct threshold_tracks *ts, const struct event *event,
			    const struct change *change)
{
	/* a realloc that moves its block releases the old one without a look at the threshold */
	bool is_resize = event->r.kind == EVENT_REALLOC_END;

	for (const struct change *c = change; c; c = c->also)
		if (c->released && c->kind == KIND_HEAP && c->old.cls == CLASS_MAPPED &&
		    c->heap && !(is_resize && c == change))
			note_free(ts, event, c);
	if (event->r.kind == EVENT_SYSCALL_BEGIN && event->r.number == SYS_MEM_munmap &&
	    (event->r.flags & SYSCALL_IN_ALLOCATOR) && change->heap)
		note_unmap(ts, event, change->heap->image);
	/* what mallopt set must be applied in time */
	if (change->heap && change->heap->image->setting_count > 0)
		track_of(ts, change->heap->image, event->r.stamp);
}

const struct threshold_track *threshold_tracks_of(struct threshold_tracks *ts,
						  const struct image *image, uint64_t stamp)
{
	return track_of(ts, image, stamp);
}
