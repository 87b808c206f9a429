/*
 * threshold_track.h - glibc's mmap threshold in each program over time: set at the
 * start, by mallopt, and moved by what the program frees.
 */
#ifndef MODEL_THRESHOLD_TRACK_H
#define MODEL_THRESHOLD_TRACK_H

#include <stddef.h>

#include "model/malloc_settings.h"
#include "model/replay.h"

struct threshold_move {
	uint64_t stamp;
	struct malloc_settings from, to;
	const struct setting *setting; /* mallopt did it; NULL: free did */
	/* Of free: the block, */
	uint64_t address;
	uint64_t request;      /* its requested bytes */
	stack_id stack;        /* where it was allocated; STACK_NONE: not known */
	stack_id freed_stack;  /* and where freed */
	uint32_t stream;       /* of the free */
};

struct threshold_track {
	const struct image *image;
	struct malloc_settings first;  /* when the program began */
	struct malloc_settings now;
	size_t settings_seen;
	struct threshold_move *moves;  /* by stamp */
	size_t move_count, move_capacity;
	bool is_inherited;             /* `first` is the parent's at the fork */
};

struct threshold_tracks;

struct threshold_tracks *threshold_tracks_new(const struct recording *r);
void threshold_tracks_free(struct threshold_tracks *ts);

/* Every event of every image, in order, with what it did. */
void threshold_tracks_event(struct threshold_tracks *ts, const struct event *event,
			    const struct change *change);

/* The track of IMAGE, with the settings recorded up to STAMP applied. Never NULL. */
const struct threshold_track *threshold_tracks_of(struct threshold_tracks *ts,
						  const struct image *image, uint64_t stamp);

#endif
