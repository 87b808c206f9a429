/*
 * unwind_lib.h - other people's unwinders, opened at run time: libunwind as a
 * method of its own, libgcc's as an oracle.
 *
 * Neither is ever linked: a NEEDED libunwind would take over the target's
 * _Unwind_RaiseException.
 */
#ifndef PRELOAD_UNWIND_LIB_H
#define PRELOAD_UNWIND_LIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * True where dlopen, and what takes the loader's lock, may be called: libc has been
 * initialised (our constructor is called before libc's, and dlopen would run that with nothing
 * for arguments) and none of FRAMES, the call stack, is in the loader. A signal handler may
 * have interrupted it with the lock half taken.
 */
bool unwind_lib_is_safe(const uint64_t *frames, uint32_t count);

/* Open the library. False where it is not installed. The guard must be set: dlopen allocates. */
bool unwind_lib_open_libunwind(void);
bool unwind_lib_open_libgcc(void);

/*
 * Return addresses of the calling thread, innermost first, from this library's own
 * frames on; at most MAX. Returns their number: MAX means that there may be more.
 */
size_t unwind_lib_libunwind(uint64_t *addresses, size_t max);

/* The same, as pcs to look up: return address - 1, or the exact pc after a signal frame. */
size_t unwind_lib_libgcc(uint64_t *pcs, size_t max);

/* Make libunwind, where it is open, forget what it learnt of code that may have gone. */
void unwind_lib_flush(void);

#endif
