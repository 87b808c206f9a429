/*
 * task_real.h - the functions behind the hooks of hooks_task.def: the next
 * definition of each name in the program's search order.
 */
#ifndef PRELOAD_TASK_REAL_H
#define PRELOAD_TASK_REAL_H

#include <stdint.h>
#include <sys/types.h>

/*
 * No member is ever null. Until task_real_resolve(), and where libc has no such
 * function, a member makes the system call itself.
 */
extern struct task_real {
#define HOOK(name, need, type, params) type (*name) params;
#include "hooks_task.def"
#undef HOOK
} task_real __attribute__((visibility("hidden")));

/*
 * Find them. At the start of the recording, not later: what the constructors of other
 * libraries map before this library's own has run must pass libc's sites too.
 */
void task_real_resolve(void);

/* libc's copy of the program break, where it exports one; null: not known. */
void *task_break(void);

#endif
