/*
 * debuginfod.h - debug files over the network, by build-id, from the servers that the user's
 * DEBUGINFOD_URLS names. Only where the user asked for it: nothing else in this program
 * opens a connection. libdebuginfod is loaded when it is used; it keeps what it fetched in
 * the user's cache and knows the other variables of debuginfod(8).
 */
#ifndef SYMBOL_DEBUGINFOD_H
#define SYMBOL_DEBUGINFOD_H

#include <stddef.h>
#include <stdint.h>

struct debuginfod;

/*
 * STOP (may be NULL) is asked with CTX now and then while a file is fetched: non-zero ends it, and
 * all further ones. NULL where libdebuginfod cannot be used: *REASON (static) says why.
 */
struct debuginfod *debuginfod_new(int (*stop)(void *ctx), void *ctx, const char **reason);
void debuginfod_free(struct debuginfod *di);

/*
 * The path of the debug file of BUILD_ID, malloc'ed, the caller's; NULL where no server has it. After
 * a failure that is not just "not found" no server is asked again.
 */
char *debuginfod_find(struct debuginfod *di, const uint8_t *build_id, size_t bytes);

/* What failed, in words; NULL: nothing did. */
const char *debuginfod_failure(const struct debuginfod *di);

#endif
