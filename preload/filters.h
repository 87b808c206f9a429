/*
 * filters.h - seccomp filters that this process is under from its start.
 */
#ifndef PRELOAD_FILTERS_H
#define PRELOAD_FILTERS_H

/* Set session.no_mincore. Once, at start, after session_open(). */
void filters_init(void);

#endif
