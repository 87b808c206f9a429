/*
 * sandbox.h - calls by which a program gives up system calls or the clock that the
 * library needs.
 */
#ifndef PRELOAD_SANDBOX_H
#define PRELOAD_SANDBOX_H

/*
 * Before prctl(OPTION, ARGUMENT) and seccomp(OPERATION): recording ends where they
 * would make the library's own instructions fatal, and from a filter on no system call is
 * made that could be spared.
 */
void sandbox_prctl(int option, unsigned long argument);
void sandbox_seccomp(unsigned operation);

#endif
