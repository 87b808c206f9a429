/*
 * call_table.h - ltrace's -c table: calls and time by function. Time is known of
 * the calls that were measured only; the rest is taken to have been like them, and
 * the table's note says how many were measured.
 */
#ifndef FORMS_CALL_TABLE_H
#define FORMS_CALL_TABLE_H

#include <stdint.h>

#include "forms/form.h"

struct call_table;

struct call_table *call_table_new(void);
void call_table_free(struct call_table *t);

/* CALLS calls of NAME, which must outlive the table. */
void call_table_add(struct call_table *t, const char *name, uint64_t calls);

/* CALLS calls of NAME already added took TICKS each. */
void call_table_add_time(struct call_table *t, const char *name, uint64_t calls, uint64_t ticks);

/* Print the table in the run's format; what must be known of the times becomes a note (run_note). */
void call_table_put(struct call_table *t, struct run *run);

#endif
