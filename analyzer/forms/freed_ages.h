/*
 * freed_ages.h - how old blocks are when they are freed: a histogram by powers of ten.
 */
#ifndef FORMS_FREED_AGES_H
#define FORMS_FREED_AGES_H

#include "forms/form.h"

/* Rows: below 100 ns, below 1 us, ... below 1,000 s, and the rest. */
#define AGE_ROWS 12

struct freed_ages {
	struct amount rows[AGE_ROWS];
	struct amount sum;
};

/* WEIGHT was freed NS nanoseconds after its allocation. */
void freed_ages_add(struct freed_ages *a, uint64_t ns, struct amount weight);

/* As text with bars; nothing where nothing was freed. */
void freed_ages_put(struct run *run, const struct freed_ages *a);

/* The table for CSV and JSON, and its rows: from_ns, to_ns, blocks, bytes, pid, exec. */
struct emit *freed_ages_table(struct run *run);
void freed_ages_emit(struct emit *table, const struct image *image, const struct freed_ages *a);

#endif
