/*
 * finish.h - after the program: what completes a recording, the symbols, and the
 * closing lines.
 */
#ifndef CLI_FINISH_H
#define CLI_FINISH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "cli/frame_set.h"
#include "cli/launch.h"
#include "cli/pack.h"
#include "record_kinds.h"
#include "trace/packed_writer.h"

/* How symbols are looked up. */
struct symbol_request {
	struct launch *launch;
	bool show_progress;
	const char *debuginfod;    /* servers to ask for debug files (debuginfod_option.h); NULL: none */
	size_t *unrecorded;        /* becomes the number of programs not recorded; NULL: not asked */
	uint64_t *max_rss_bytes;   /* raised to the largest sample of one process; NULL: not asked */
};

/*
 * Look up FRAMES, all of the complete recording PATH, append what they mean to it by W
 * and write its index anew. With show_progress a progress line appears on stderr, where
 * that is a terminal and it takes more than a second; a signal waiting in LAUNCH (may be
 * NULL) ends it early with what was found until then. Returns 0; -1 with D set: the
 * recording is as it was.
 */
int finish_symbols(struct packed_writer *w, const char *path, const struct frame_set *frames,
		   const struct symbol_request *rq, struct diag *d);

/* What the closing lines are made of. */
struct closing {
	char *path;                /* of the recording; malloc'ed, the caller's */
	bool is_default_path;      /* that reports take without being told */
	const char *program;       /* as started */
	uint64_t calls;            /* allocator calls recorded */
	uint64_t sample_bytes;     /* of record --sample; 0: every call was recorded */
	uint64_t processes, images;/* that attached */
	size_t unrecorded;         /* programs that were started and did not; 0 also without symbols */
	uint64_t wall_ns;          /* from start to the end of the last process */
	uint64_t max_rss_bytes;    /* of the largest process, by the kernel and by samples */
	uint64_t file_bytes;
	bool is_outside;          /* --no-preload: no calls were to be seen */
	bool has_own_malloc;       /* the executable brings a malloc */
	uint64_t losses[LOSS_COUNT];
	bool is_output_gone;       /* somebody removed, renamed or emptied it meanwhile */
	int write_error;           /* errno of the output; 0: none */
};

/* At most seven lines on stderr. */
void finish_print(const struct closing *c);

#endif
