/*
 * deep_binding.h - libraries that are loaded with RTLD_DEEPBIND, as PHP loads its
 * extensions: they look for names among their own dependencies first, and would find
 * malloc in libc, past this library.
 */
#ifndef PRELOAD_DEEP_BINDING_H
#define PRELOAD_DEEP_BINDING_H

#include <link.h>
#include <stdbool.h>

/* This thread is about to call the real dlopen with MODE. */
void deep_binding_announce(int mode);

/* Does this thread load with RTLD_DEEPBIND? Asked once for each announcement. */
bool deep_binding_take(void);

/*
 * Let the COUNT objects of MAPS (all that one dlopen has mapped and not yet relocated) find this
 * library's functions first, as they would without RTLD_DEEPBIND; all other names are found
 * as before. LIST is the loader's. Nothing where one of them, or the program, has a malloc
 * of its own: theirs was meant. With the loader's lock held.
 */
void deep_binding_lead(const struct r_debug *list, const struct link_map *const *maps,
		       unsigned count);

#endif
