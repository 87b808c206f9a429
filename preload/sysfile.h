/*
 * sysfile.h - small files of /proc and the environment without libc.
 */
#ifndef PRELOAD_SYSFILE_H
#define PRELOAD_SYSFILE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Read PATH into BUFFER of SIZE bytes, NUL terminated (so at most SIZE - 1
 * bytes). Returns the bytes read or -errno. The descriptor is closed.
 */
long sysfile_read(const char *path, char *buffer, size_t size);

/* Field 22 of /proc/self/stat: start time of this process in clock ticks; 0: unknown. */
uint64_t sysfile_start_time(void);

/* Field 22 in the text of a stat file; 0 where it is not there. */
uint64_t sysfile_parse_start_time(const char *stat);

/* Write V in decimal and a NUL at P (21 bytes of room); return the place of the NUL. */
char *sysfile_decimal(char *p, uint64_t v);

#endif
