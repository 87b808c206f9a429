/*
 * leaks_footer.h - under the table of leaks: what was suppressed, and by what.
 */
#ifndef FORMS_LEAKS_FOOTER_H
#define FORMS_LEAKS_FOOTER_H

#include "forms/leaks_known.h"

/* "" for one, "s" for any other number. */
const char *leaks_plural(uint64_t n);

/* "12 blocks, 3.4 KiB"; a new string. */
char *leaks_amount(struct amount a);

/*
 * A table of what was suppressed in text, notes elsewhere; nothing where nothing was, but a
 * note with HAS_FILES: the user named files of suppressions.
 */
void leaks_put_known(struct run *run, const struct known_leaks *known, bool has_files);

#endif
