/*
 * info_events.h - what only a reading of all events tells of a recording's health: releases of
 * blocks that were never seen, with their places, and memory that no call explains.
 */
#ifndef CLI_INFO_EVENTS_H
#define CLI_INFO_EVENTS_H

#include <jansson.h>

#include "cli/info_stacks.h"
#include "cli/reading.h"

struct info_events;

/*
 * Read all events of FILE. NULL with *D set. info_events_recording has the open recording,
 * also with HEADERS_ONLY, where no event is read and the rest has nothing to say.
 */
struct info_events *info_events_new(const char *file, bool headers_only, struct diag *d);
struct recording *info_events_recording(struct info_events *e);
void info_events_free(struct info_events *e);

/* The lines among the others. */
void info_events_lines(struct info_events *e, info_put *put);

/*
 * Into O: "unmatched_frees" and "unexplained_memory", lists; null where events were not
 * read.
 */
void info_events_json(struct info_events *e, json_t *o);

#endif
