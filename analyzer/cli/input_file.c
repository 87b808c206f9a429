/*
 * input_file.c - opens recordings for the commands. Relies on the reader to join a
 * file with its ring and to check both; promises that a ring that cannot be used
 * never keeps the file from being read.
 */
#include "cli/input_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmem.h"

/* R and its ring as one; NULL: only R can be had. */
static struct recording *join(const struct recording *r, const char *file, char **ring)
{
	const char *paths[2] = { file, r->ring_path };
	struct recording *joined = NULL;
	struct diag ignored = { 0 };

	if (r->is_ring || r->complete || !r->ring_path || access(r->ring_path, R_OK) != 0)
		return NULL;
	joined = recording_open_many(paths, 2, &ignored);
	if (joined && ring)
		*ring = xstrdup(r->ring_path);
	return joined;
}

struct recording *input_open(const char *file, char **ring, struct diag *d)
{
	struct recording *r, *joined;

	if (ring)
		*ring = NULL;
	if (strcmp(file, INPUT_DEFAULT) == 0 && access(file, F_OK) != 0 && errno == ENOENT) {
		diag_set(d, STATUS_IO, "there is no '%s' here: make one with 'allotrope record "
			 "PROGRAM', or name another recording", file);
		return NULL;
	}
	r = recording_open(file, d);
	joined = r ? join(r, file, ring) : NULL;
	if (joined)
		recording_close(r);
	return joined ? joined : r;
}
