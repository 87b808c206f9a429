/*
 * strace_filter.h - which system calls the strace report shows: strace's -e.
 *
 *	-e brk,mmap           these; the same as -e trace=brk,mmap
 *	-e trace=%memory      all of the class, which is all that is recorded
 *	-e 'trace=!mprotect'  all but these
 *	-e 'trace=/^m'        those whose names match an extended regular expression
 *	-e none, -e all
 *
 * As with strace the last -e counts.
 */
#ifndef FORMS_STRACE_FILTER_H
#define FORMS_STRACE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"

/* Bit N is set: the call of number N (enum memory_syscall) is shown. */
typedef uint32_t syscall_set;

#define SYSCALL_SET_ALL (~(syscall_set)0)

/* Read an argument of -e into SET. Returns 0, or -1 with D naming what is recorded. */
int strace_filter_parse(const char *expression, syscall_set *set, struct diag *d);

static inline bool syscall_set_has(syscall_set set, unsigned number)
{
	return number < 32 && (set >> number & 1);
}

#endif
