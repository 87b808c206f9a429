/*
 * live_process.h - a process that runs now, as /proc shows it.
 */
#ifndef FORMS_LIVE_PROCESS_H
#define FORMS_LIVE_PROCESS_H

#include <stdint.h>

#include "base/diag.h"
#include "trace/smaps.h"

/*
 * The mappings of process PID (smaps_free) and in *COMMAND its command line as ps shows it (the
 * caller's, not escaped). NULL with D set: it is gone, not ours, or a thread of the kernel.
 */
struct smaps *live_process_read(uint32_t pid, char **command, struct diag *d);

#endif
