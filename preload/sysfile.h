/*
 * sysfile.h - small files of /proc and the environment without libc.
 */
#ifndef PRELOAD_SYSFILE_H
#define PRELOAD_SYSFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Read PATH into BUFFER of SIZE bytes, NUL terminated (so at most SIZE - 1
 * bytes). Returns the bytes read or -errno. The descriptor is closed.
 */
long sysfile_read(const char *path, char *buffer, size_t size);

/*
 * The program's file, as the kernel names it; "" where not known. Asked for once: a
 * forked child has its parent's. One thread at a time, the first time.
 */
const char *sysfile_exe(void);

/* From /proc/self/stat. */
struct sysfile_self {
	uint64_t start_time; /* field 22, in clock ticks; 0: unknown */
	uint32_t threads;    /* field 20; 0: unknown */
};

/* This process. False, and all zero, where /proc does not tell. */
bool sysfile_self(struct sysfile_self *self);

/* The same from the text of a stat file. False where that is not what it is. */
bool sysfile_self_parse(struct sysfile_self *self, const char *stat);

/* Write V in decimal and a NUL at P (21 bytes of room); return the place of the NUL. */
char *sysfile_decimal(char *p, uint64_t v);

#endif
