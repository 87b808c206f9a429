/*
 * outside.h - processes recorded without the library (record --no-preload): the recorder announces
 * them itself, as far as it sees them.
 */
#ifndef CLI_OUTSIDE_H
#define CLI_OUTSIDE_H

#include <sys/types.h>

#include "cli/family.h"
#include "cli/pack.h"
#include "cli/session_file.h"

struct outside;

/* ROOT is the program started, and runs. All pointers stay the caller's. */
struct outside *outside_new(struct session_file *s, struct family *f, struct pack *p, pid_t root);
void outside_free(struct outside *o);

/*
 * Look which processes there are: the root, its children and theirs, and whether one runs another
 * program now. What begins and ends between two looks is not seen.
 */
void outside_poll(struct outside *o);

#endif
