/*
 * input_file.h - the recording that a command reads.
 */
#ifndef CLI_INPUT_FILE_H
#define CLI_INPUT_FILE_H

#include "base/diag.h"
#include "trace/recording.h"

/* Read where no FILE is named, written where no -o is given. */
#define INPUT_DEFAULT "allotrope.data"

/*
 * Open FILE; one that is unfinished (it is being made, or its recorder was killed)
 * together with its ring, where that still exists: what is not yet in the file is
 * there. RING (may be NULL) receives the path of that ring, the caller's, or NULL.
 * NULL with D set where FILE cannot be read.
 */
struct recording *input_open(const char *file, char **ring, struct diag *d);

#endif
