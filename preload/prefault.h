/*
 * prefault.h - pages of the ring are made before they are written to, so that a
 * full disk or tmpfs is an error code here and never a SIGBUS in the target.
 */
#ifndef PRELOAD_PREFAULT_H
#define PRELOAD_PREFAULT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Make the pages of START .. START + BYTES of the session's mapping writable
 * without a fault. False: no space (or no memory). errno is not touched.
 */
bool prefault_write(const void *start, size_t bytes);

#endif
