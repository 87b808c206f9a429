/*
 * strace_filter.h - which system calls the strace report shows: strace's -e.
 *
 *	-e brk,mmap           these; the same as -e trace=brk,mmap
 *	-e trace=%memory      all of the class; process_madvise is not in it
 *	-e trace=%desc,%ipc   those of these classes that are recorded
 *	-e 'trace=!mprotect'  all but these
 *	-e 'trace=/^m'        those whose names match an extended regular expression
 *	-e none, -e all
 *
 * As with strace the last -e counts. -e status=failed is another matter: which of them by how
 * they ended.
 */
#ifndef FORMS_STRACE_FILTER_H
#define FORMS_STRACE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"

/* Bit N is set: the call of number N (enum memory_syscall) is shown. */
typedef uint32_t syscall_set;

#define SYSCALL_SET_ALL (~(syscall_set)0)

/* Bits: how calls ended that are shown. -z is SUCCESSFUL, -Z is FAILED. */
enum strace_outcome { OUTCOME_SUCCESSFUL = 1, OUTCOME_FAILED = 2, OUTCOME_UNFINISHED = 4, OUTCOME_ALL = 7 };

/*
 * Is EXPRESSION, an argument of -e, one of status? Then its words ("failed,unfinished",
 * "!successful") become *STATUS. Returns 1, 0 where it is not, -1 with D.
 */
int strace_status_parse(const char *expression, unsigned *status, struct diag *d);

/* Read an argument of -e into SET. Returns 0, or -1 with D naming what is recorded. */
int strace_filter_parse(const char *expression, syscall_set *set, struct diag *d);

static inline bool syscall_set_has(syscall_set set, unsigned number)
{
	return number < 32 && (set >> number & 1);
}

#endif
