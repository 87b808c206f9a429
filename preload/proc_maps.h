/*
 * proc_maps.h - /proc/self/maps, line by line, without libc.
 */
#ifndef PRELOAD_PROC_MAPS_H
#define PRELOAD_PROC_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct maps_line {
	uint64_t start, end;
	unsigned prot;      /* PROT_READ | PROT_WRITE | PROT_EXEC */
	bool is_shared;
	uint64_t inode;     /* 0: no file */
	const char *name;   /* until the next line is read; empty for anonymous memory */
};

struct maps_reader {
	long fd;
	size_t used, next;
	char text[8192];
};

/* False where the file cannot be opened; then there is nothing to close. */
bool maps_open(struct maps_reader *r);
bool maps_next(struct maps_reader *r, struct maps_line *line);
void maps_close(struct maps_reader *r);

/* Parse one line (terminated by NUL, which may be changed) into *LINE. False: it is none. */
bool maps_parse(char *text, struct maps_line *line);

#endif
