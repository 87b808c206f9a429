/*
 * start.h - the library begins: at the first call of a hook or in its
 * constructor, whichever is first.
 */
#ifndef PRELOAD_START_H
#define PRELOAD_START_H

#include <stdbool.h>

/*
 * Resolve the real functions, join or make a session, announce the process, begin to
 * record. Once; a call while it runs (from the functions it uses, or from another
 * thread) returns at once. Afterwards session_live says whether to record.
 */
void start_run(void);

/* True after start_run() has come to its end. */
bool start_is_done(void);

#endif
