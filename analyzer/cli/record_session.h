/*
 * record_session.h - one recording from the start of a program to its complete
 * file: what `allotrope record` does between its options and its exit status.
 */
#ifndef CLI_RECORD_SESSION_H
#define CLI_RECORD_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "cli/finish.h"
#include "session_ring.h"

/* Frames kept of a call stack unless the request says otherwise. */
#define DEPTH_DEFAULT 1024

/* What the command line asked for. */
struct request {
	const char *output;           /* file to write */
	char **argv;                  /* the program, its arguments, NULL */
	bool quiet;
	bool python_malloc;           /* PYTHONMALLOC=malloc */
	bool no_symbols;
	const char *debuginfod;    /* as in finish.h */
	bool no_preload;              /* from outside: no library in the program */
	uint64_t ring_bytes;
	uint64_t mark_every_ns;       /* 0: no marks */
	uint64_t memory_interval_ns;  /* 0: the default */
	struct ring_options ring;
};

/*
 * Record. Returns 0 when the program ran: *STATUS is its wait status and C holds the figures
 * for the closing lines (its strings live as long as RQ); else -1 with D set and nothing left
 * behind.
 */
int record_session(const struct request *rq, int *status, struct closing *c, struct diag *d);

#endif
