/*
 * strace_table.h - strace's -c table: calls, errors and time by system call, and what
 * strace does not tell: how often and how far brk moved the break up and down.
 */
#ifndef FORMS_STRACE_TABLE_H
#define FORMS_STRACE_TABLE_H

#include "forms/form.h"
#include "forms/strace_filter.h"

/* strace's -S: what the rows are sorted by. */
enum strace_sort { STRACE_BY_TIME, STRACE_BY_CALLS, STRACE_BY_ERRORS, STRACE_BY_NAME, STRACE_UNSORTED };

/* The word of -S; false where there is none such. */
bool strace_sort_parse(const char *word, enum strace_sort *sort);

/* The calls of SET made by the run's heaps, added up, in the run's format. */
void strace_table_put(struct run *run, syscall_set set, enum strace_sort sort);

#endif
