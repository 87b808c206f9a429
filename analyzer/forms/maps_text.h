/*
 * maps_text.h - an address space in print: as pmap -x prints it, as sums of smaps, and by what
 * the mappings are for.
 */
#ifndef FORMS_MAPS_TEXT_H
#define FORMS_MAPS_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "forms/address_space.h"

/* As `pmap -x PID` of procps 4.0.2. COMMAND is escaped here. */
void maps_put_pmap(FILE *out, const struct address_space *a, uint32_t pid, const char *command);

/* As /proc/PID/smaps_rollup: the sum of each field over all mappings, KiB. */
void maps_put_smaps(FILE *out, const struct address_space *a);

/*
 * VIRT, RES, SHR in top's words, then a row for each type of mapping; allotrope's own memory
 * stands apart and is in no sum. COLOR as of term.h.
 */
void maps_put_regions(FILE *out, const struct address_space *a, bool color);

#endif
