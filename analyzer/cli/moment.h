/*
 * moment.h - moments of a recording as words: 1.5s, mark:NAME, start, peak, end.
 */
#ifndef CLI_MOMENT_H
#define CLI_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "trace/recording.h"

/* Whether the moment is known only after a replay. */
bool moment_needs_peak(const char *text);

/*
 * The stamp of the moment TEXT of R. PEAK_STAMP is that of the image shown (0: not known). A
 * mark that was set several times: the first. Returns 0, or -1 with D saying which
 * words are understood and which marks there are.
 */
int moment_parse(const char *text, struct recording *r, uint64_t peak_stamp,
		 uint64_t *stamp, struct diag *d);

#endif
