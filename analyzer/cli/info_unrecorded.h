/*
 * info_unrecorded.h - what allotrope info says of programs that are not in the recording:
 * which and why, those that could not be started, and kills for lack of memory.
 */
#ifndef CLI_INFO_UNRECORDED_H
#define CLI_INFO_UNRECORDED_H

#include <jansson.h>
#include <stddef.h>

#include "cli/info_stacks.h"
#include "trace/recording.h"

/* The lines among the others. */
void info_unrecorded_lines(const struct recording *r, info_put *put);

/* The table of programs, nothing where there are none. WIDTH: columns for a command line. */
void info_unrecorded_text(const struct recording *r, size_t width);

/*
 * Into O: the lists "not_recorded", "failed_execs" and "oom_kills", and whether all programs
 * that were started are known, "execs_known".
 */
void info_unrecorded_json(const struct recording *r, json_t *o);

#endif
