/*
 * syscall_sites.h - libc's own memory system calls, seen by a jump written over
 * `mov $NR,%eax; syscall` (DESIGN 4).
 */
#ifndef PRELOAD_SYSCALL_SITES_H
#define PRELOAD_SYSCALL_SITES_H

#include <stdbool.h>
#include <stdint.h>

#include "record_kinds.h"

/*
 * Patch libc's sites and _dl_debug_state where the session asks for it and the
 * process has one thread. Returns FEATURE_SITES_EXACT, FEATURE_SITES_INFERRED or
 * 0 (off), after a META_NOTE with the reason where exact was asked and refused.
 */
uint32_t syscall_sites_install(void);

/* Bits by enum memory_syscall: calls whose sites in libc are patched. */
extern uint32_t syscall_sites_patched __attribute__((visibility("hidden")));

/*
 * Bits by enum memory_syscall: calls that interposed functions must not record,
 * because a site does or because none are wanted. All ones until install.
 */
extern uint32_t syscall_sites_settled __attribute__((visibility("hidden")));

/* True where an interposed function has to record its system call NUMBER. */
static inline bool syscall_by_hook(enum memory_syscall number)
{
	return !(syscall_sites_settled >> number & 1);
}

/* True where a patched site of libc makes the system call NUMBER. */
static inline bool syscall_sites_see(enum memory_syscall number)
{
	return syscall_sites_patched >> number & 1;
}

#endif
