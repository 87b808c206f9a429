/*
 * modules.h - the loaded objects, as META_MODULE_MAP and META_MODULE_UNMAP.
 *
 * A change is learnt from the loader itself where syscall_sites.c could patch
 * the function that it calls after each change (modules_exact); else by looking
 * now and then.
 */
#ifndef PRELOAD_MODULES_H
#define PRELOAD_MODULES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Record all loaded objects, at start. No heap, no loader lock. In a fork child it
 * does nothing: the reader gives a child its parent's objects.
 */
void modules_record_all(void);

/*
 * Record what changed since the last call: from dlclose and at slot changes.
 * Cheap when modules_exact (nothing to do) or when nothing changed. May take the
 * loader's lock of dl_iterate_phdr otherwise.
 */
void modules_poll(void);

/* Called by the patched loader, with its lock held, before and after it changes its list. */
void modules_loader_changed(void) __attribute__((visibility("hidden")));

/* The loader reports its changes: nobody needs to poll. Set by syscall_sites_install(). */
extern bool modules_exact __attribute__((visibility("hidden")));

#endif
