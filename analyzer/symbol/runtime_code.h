/*
 * runtime_code.h - the maps of code made at run time of all processes of a recording, each
 * opened when it is first asked for. Private to symbol/.
 */
#ifndef SYMBOL_RUNTIME_CODE_H
#define SYMBOL_RUNTIME_CODE_H

#include <stdint.h>

#include "symbol/perf_map.h"
#include "trace/recording.h"

struct runtime_code;

/* R outlives it. FOLDER as in perf_map_open. */
struct runtime_code *runtime_code_new(const struct recording *r, const char *folder);
void runtime_code_free(struct runtime_code *rc);

/*
 * The code at ADDRESS of IMAGE (a number) into FRAME, as perf_map_find. A child by fork that has no
 * map has its parent's code. A map that was written when the image did not run yet, or
 * after the end of the recording, is another process's.
 */
int runtime_code_find(struct runtime_code *rc, uint32_t image, uint64_t address,
		      struct name_pool *pool, struct stored_frame *frame);

/* Lines of the maps opened so far that were not understood. */
uint64_t runtime_code_ignored(const struct runtime_code *rc);

#endif
