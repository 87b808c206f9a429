/*
 * info_anonymous.h - resident anonymous memory that no call of the recording explains: of each
 * program's last snapshot of its address space, what is left after the heap, mappings that were
 * seen being made, stacks, data of files, what was there before the library, and the
 * library's own.
 */
#ifndef CLI_INFO_ANONYMOUS_H
#define CLI_INFO_ANONYMOUS_H

#include <jansson.h>
#include <stdint.h>

#include "cli/info_stacks.h"
#include "model/replay.h"

struct anonymous;

struct anonymous *anonymous_new(struct recording *r);
void anonymous_free(struct anonymous *a);

/* Before the events from STAMP on: RP is what it was at snapshots up to then. UINT64_MAX: the end. */
void anonymous_watch(struct anonymous *a, const struct replay *rp, uint64_t stamp);

void anonymous_lines(const struct anonymous *a, info_put *put);

/* A list: {"pid", "image", "time_s", "resident_bytes", "maps", "largest"}. */
json_t *anonymous_json(const struct anonymous *a);

#endif
