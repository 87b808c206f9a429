/*
 * missing.h - what could not be named, and what to do about it, in words.
 */
#ifndef SYMBOL_MISSING_H
#define SYMBOL_MISSING_H

#include <stddef.h>
#include <stdint.h>

/* Distinct code addresses of a module. */
struct missing_count {
	uint64_t frames;
	uint64_t without_name;
	uint64_t without_line;
};

struct missing_module {
	const char *path;
	uint8_t state;      /* enum module_state */
	struct missing_count count;
};

/*
 * A line for each module of LIST, most frames first (sorts LIST), each ended by a
 * newline; none for modules with debug information for most of their frames: the rest is
 * code that has no source. LOOSE_FRAMES: distinct addresses in no module;
 * IGNORED_LINES: of maps of code made at run time (perf_map.h). Malloc'ed, the caller's; ""
 * where all is well.
 */
char *missing_text(struct missing_module *list, size_t count,
		   uint64_t loose_frames, uint64_t ignored_lines);

#endif
