/*
 * task_calls.h - libc's system calls that start programs and wait for them, made by the
 * patched sites (syscall_sites.h) so that the recording knows of programs that cannot
 * announce themselves and of ends that nobody inside can tell.
 */
#ifndef PRELOAD_TASK_CALLS_H
#define PRELOAD_TASK_CALLS_H

#include <stdbool.h>

/* True where NR, the kernel's number, is one of them. */
bool task_call_is(long nr);

/* The same for libc's syscall(), by which also seccomp(2) and prctl(2) are called. */
bool task_call_is_indirect(long nr);

/*
 * Make the call of either kind and record it: execve, execveat (META_EXEC before and, where
 * it fails, after), wait4, waitid (META_STATUS of a child that ended). Returns the
 * kernel's result. Needs less than 4 KiB of stack; async-signal-safe, and safe in a
 * child made by vfork.
 */
long task_call(long nr, const long args[6]);

#endif
