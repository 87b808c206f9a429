/*
 * settings.h - what governs the allocators of this image, as META_SETTING:
 * environment variables at start, mallopt() calls later.
 */
#ifndef PRELOAD_SETTINGS_H
#define PRELOAD_SETTINGS_H

/*
 * Record the variables of the environment ENV that change how memory is allocated:
 * MALLOC_*, GLIBC_TUNABLES, PYTHONMALLOC, PYTHONMALLOCSTATS, LD_PRELOAD, MIMALLOC_*,
 * TCMALLOC_*. The key is the variable's name. Once, at start; ENV is a parameter
 * because libc's environ may not be set yet when the library begins.
 */
void settings_record(char *const *env);

/* Record that mallopt(PARAMETER, VALUE) succeeded; key "mallopt(M_NAME)", value in decimal. */
void settings_mallopt(int parameter, int value);

#endif
