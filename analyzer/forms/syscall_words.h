/*
 * syscall_words.h - memory system calls in strace's words: names, arguments with
 * their flags, results. What is only a pointer in the recording (the vector of
 * mincore, the node mask of mbind) is printed as one, where strace reads the memory
 * unless the call failed.
 */
#ifndef FORMS_SYSCALL_WORDS_H
#define FORMS_SYSCALL_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "record_kinds.h"

/* "mmap"; "?" beyond the last one. NUMBER: enum memory_syscall. */
const char *syscall_name(unsigned number);

/* "NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0"; the columns it took. */
int syscall_put_arguments(FILE *out, unsigned number, const uint64_t args[6]);

/*
 * The same for mmap with FILE, a path, in place of the descriptor, and an offset that is
 * not known: "0x7f52c0a00000, 4096, PROT_READ, MAP_PRIVATE, ?</lib/libc.so.6>, ?".
 */
int syscall_put_file_map(FILE *out, const uint64_t args[6], const char *file);

/* "0x7f3406a74000", "0", "-1 ENOMEM (Cannot allocate memory)". RESULT as of the kernel. */
int syscall_put_result(FILE *out, unsigned number, int64_t result);

/* The result is an address: of brk, mmap, mremap, shmat. */
bool syscall_gives_address(unsigned number);

#endif
