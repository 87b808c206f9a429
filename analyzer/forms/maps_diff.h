/*
 * maps_diff.h - an address space at two moments: what came, went, grew, shrank, and which pages
 * were brought in or given up.
 */
#ifndef FORMS_MAPS_DIFF_H
#define FORMS_MAPS_DIFF_H

#include "base/emit.h"
#include "forms/address_space.h"

/*
 * Write the mappings of A and B that differ as the table that OPTIONS ask for, and in text what
 * the differences add up to; allotrope's own memory stands apart there, as maps_put_regions has it.
 */
void maps_diff_put(FILE *out, const struct address_space *a, const struct address_space *b,
		   const struct emit_options *options);

#endif
