/*
 * syscall_numbers.h - the recording's memory system calls and the kernel's
 * numbers for them.
 */
#ifndef PRELOAD_SYSCALL_NUMBERS_H
#define PRELOAD_SYSCALL_NUMBERS_H

#include <sys/syscall.h>

#include "record_kinds.h"

/* Newer than some kernel headers. */
#ifndef SYS_io_uring_register
#define SYS_io_uring_register 427
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif
#ifndef SYS_set_mempolicy_home_node
#define SYS_set_mempolicy_home_node 450
#endif

/* The kernel's number of NUMBER. */
static inline long syscall_kernel_number(enum memory_syscall number)
{
	static const short numbers[] = {
#define ROW(name, argc) SYS_##name,
		MEMORY_SYSCALLS(ROW)
#undef ROW
	};

	return numbers[number];
}

/* The memory system call that the kernel calls NR; SYS_MEM_COUNT: none of them. */
static inline enum memory_syscall syscall_of_kernel_number(long nr)
{
	unsigned i = 0;

	while (i < SYS_MEM_COUNT && syscall_kernel_number((enum memory_syscall)i) != nr)
		i++;
	return (enum memory_syscall)i;
}

#endif
