/*
 * perf_map.h - names of code that was made at run time, as its maker wrote them for perf:
 * /tmp/perf-PID.map, a line "START SIZE NAME" (hexadecimal, NAME to the end of the line)
 * for each piece. node --perf-basic-prof, python -X perf, and agents for Java write it.
 *
 * The file is a claim by anybody who can write to /tmp: it is believed where it belongs to
 * this user or to root, as perf does; lines that are none are counted and passed over.
 */
#ifndef SYMBOL_PERF_MAP_H
#define SYMBOL_PERF_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "symbol/name_pool.h"
#include "symbol/symbol_codec.h"

#define PERF_MAP_FOLDER "/tmp"

struct perf_map;

/* Read no more than that: the rest of a larger file is left out. */
#define PERF_MAP_BYTES_MAX (256u << 20)

/*
 * The map of process PID in FOLDER (NULL: PERF_MAP_FOLDER); NULL where there is none that may
 * be believed: last written before EARLIEST or after LATEST (nanoseconds since 1970; 0:
 * no bound), it is another process's of that number.
 */
struct perf_map *perf_map_open(const char *folder, uint32_t pid, uint64_t earliest,
			       uint64_t latest);

/* The same of BYTES bytes at TEXT, which are copied. Never NULL. */
struct perf_map *perf_map_parse(const char *text, size_t bytes);

void perf_map_free(struct perf_map *map);

/*
 * The code at ADDRESS into FRAME, its strings in POOL; returns whether there is any. Of
 * several pieces the last line in the file counts: addresses are used again. Function, file and
 * line are taken apart where the writer is known: V8's "JS:*name file:line:column" (the
 * line is that of the function), Python's "py::name:file"; else NAME is the function.
 */
int perf_map_find(const struct perf_map *map, uint64_t address, struct name_pool *pool,
		  struct stored_frame *frame);

/* Lines that are pieces of code, and lines that were passed over. */
size_t perf_map_pieces(const struct perf_map *map);
size_t perf_map_ignored(const struct perf_map *map);

#endif
