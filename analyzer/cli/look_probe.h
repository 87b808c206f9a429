/*
 * look_probe.h - may the library call mincore(2) in the program? A seccomp filter may kill for it.
 */
#ifndef CLI_LOOK_PROBE_H
#define CLI_LOOK_PROBE_H

#include <stdint.h>

/*
 * The value of ring_options.look_at_free: 1, or 1 + the filters that this process is under
 * where a child of it tried the call and lived. Before any thread is started.
 */
uint8_t look_probe(void);

#endif
