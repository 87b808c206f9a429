/*
 * strace_table.h - strace's -c table: calls, errors and time by system call, and what
 * strace does not tell: how often and how far brk moved the break up and down.
 */
#ifndef FORMS_STRACE_TABLE_H
#define FORMS_STRACE_TABLE_H

#include "forms/form.h"
#include "forms/strace_filter.h"

/* A column of the table, and what -S sorts by. */
enum strace_column {
	STRACE_PERCENT, STRACE_TOTAL, STRACE_MIN, STRACE_MAX, STRACE_AVERAGE, STRACE_CALLS,
	STRACE_ERRORS, STRACE_NAME, STRACE_COLUMNS, STRACE_UNSORTED = STRACE_COLUMNS,
};

struct strace_summary {
	enum strace_column sort;                /* -S; STRACE_PERCENT (zero) is strace's default */
	enum strace_column shown[STRACE_COLUMNS]; /* -U, in this order */
	unsigned count;                         /* of `shown`; 0: strace's default */
};

/* The word of -S, in any of strace's spellings; false where there is none such. */
bool strace_sort_parse(const char *word, enum strace_column *sort);

/*
 * The list of -U: "calls,errors,name". The name comes last where it is not among them. Returns
 * 0, or -1 with D.
 */
int strace_columns_parse(const char *list, struct strace_summary *summary, struct diag *d);

/* The calls of SET made by the run's heaps, added up, in the run's format. */
void strace_table_put(struct run *run, syscall_set set, const struct strace_summary *summary);

#endif
