/*
 * runtime_code.c - which map belongs to which image, and whether it can.
 */
#include "symbol/runtime_code.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/xmem.h"

/* Clocks of files and of the recording are not quite alike. */
#define SLACK_NS 2000000000
/* Parents of parents that are asked. */
#define FORKS_MAX 64

struct image_map {
	struct perf_map *map;        /* NULL: there is none */
	bool is_opened;
};

struct runtime_code {
	const struct recording *recording;
	const char *folder;
	struct image_map *maps;      /* as recording.images */
	uint64_t ignored;
};

struct runtime_code *runtime_code_new(const struct recording *r, const char *folder)
{
	struct runtime_code *rc = xcalloc(1, sizeof(*rc));

	rc->recording = r;
	rc->folder = folder;
	rc->maps = xcalloc(r->image_count + 1, sizeof(*rc->maps));
	return rc;
}

void runtime_code_free(struct runtime_code *rc)
{
	if (!rc)
		return;
	for (size_t i = 0; i < rc->recording->image_count; i++)
		perf_map_free(rc->maps[i].map);
	free(rc->maps);
	free(rc);
}

/* NS after the recording's start as time since 1970, ADDED to it; 0 where that is not known. */
static uint64_t wall_time(const struct recording *r, int64_t ns, int64_t added)
{
	int64_t wall;

	if (!r->wall_ns || r->wall_ns > INT64_MAX ||
	    __builtin_add_overflow((int64_t)r->wall_ns, ns, &wall) ||
	    __builtin_add_overflow(wall, added, &wall) || wall < 0)
		return 0;
	return (uint64_t)wall;
}

static struct perf_map *open_map(const struct runtime_code *rc, const struct image *image)
{
	const struct recording *r = rc->recording;
	uint64_t earliest = wall_time(r, recording_ns(r, image->start_stamp), -SLACK_NS);
	uint64_t latest = 0;

	/* one that is being made has no end yet */
	if (r->complete && r->wall_duration_ns && r->wall_duration_ns <= INT64_MAX)
		latest = wall_time(r, (int64_t)r->wall_duration_ns, SLACK_NS);
	return perf_map_open(rc->folder, image->pid, earliest, latest);
}

static const struct perf_map *map_of(struct runtime_code *rc, const struct image *image)
{
	struct image_map *m = &rc->maps[image - rc->recording->images];

	if (!m->is_opened) {
		m->is_opened = true;
		m->map = open_map(rc, image);
		if (m->map)
			rc->ignored += perf_map_ignored(m->map);
	}
	return m->map;
}

int runtime_code_find(struct runtime_code *rc, uint32_t number, uint64_t address,
		      struct name_pool *pool, struct stored_frame *frame)
{
	const struct image *image = recording_image(rc->recording, number);

	for (int i = 0; image && i < FORKS_MAX; i++) {
		const struct perf_map *map = map_of(rc, image);

		if (map && perf_map_find(map, address, pool, frame))
			return 1;
		if (image->how != PROCESS_FORKED)
			return 0;
		image = image_parent(rc->recording, image);
	}
	return 0;
}

uint64_t runtime_code_ignored(const struct runtime_code *rc)
{
	return rc->ignored;
}
