/*
 * exec_file.h - what a file that is about to be executed says about whether the library
 * will live in it.
 */
#ifndef PRELOAD_EXEC_FILE_H
#define PRELOAD_EXEC_FILE_H

#include <stdint.h>

/*
 * Bits 1 << enum exec_reason of the program behind PATH (relative to DIRECTORY, an open
 * descriptor or AT_FDCWD), #! lines followed, into *FLAGS. 0 where nothing speaks
 * against it or the file cannot be read. Returns 0, or -errno where there is no such
 * file: the exec will fail likewise. Opens each file for a moment.
 */
long exec_file_flags(int directory, const char *path, uint32_t *flags);

#endif
