/*
 * ring_file.h - the file behind the ring.
 */
#ifndef PRELOAD_RING_FILE_H
#define PRELOAD_RING_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "config.h"

/*
 * Map the ring at PATH, made by `record`, into struct session. Refuses what is no
 * regular file, a symbolic link, or not a ring of this version.
 */
bool ring_file_join(const char *path);

/*
 * Make the ring of a bare run as C says, private to the user, and map it. A file
 * that exists is left alone: the name gets .1 to .9 then. False: no such place, no
 * room, or a limit on file sizes; nothing is left behind.
 */
bool ring_file_create(const struct config *c);

/* INFO, of an open file, is that of the ring that is mapped. */
bool ring_file_is(const struct stat *info);

#endif
