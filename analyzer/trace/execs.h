/*
 * execs.h - programs that were started and are not in the recording, and how processes were
 * killed for lack of memory: the tables recording.unrecorded and recording.oom_kills.
 * Private to trace/.
 */
#ifndef TRACE_EXECS_H
#define TRACE_EXECS_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/meta_parse.h"
#include "trace/recording.h"

/* One META_EXEC or META_OOM_KILLS record, in the order of the stamps. */
void execs_add(struct recording *r, struct fields *f);
void execs_add_oom(struct recording *r, struct fields *f);

/*
 * After images_finish: leave in r->unrecorded what did not announce itself, and the attempts
 * that failed but for those of a search along PATH that went on.
 */
void execs_finish(struct recording *r);

/*
 * After execs_finish: process PID ended by STAMP with STATUS. True where it ran a program
 * that is not recorded, which has the end now; false: it is an image's.
 */
bool execs_take_end(struct recording *r, uint32_t pid, uint64_t stamp, int status);

/* At last: by stamp. */
void execs_sort(struct recording *r);

void execs_release(struct recording *r);

#endif
