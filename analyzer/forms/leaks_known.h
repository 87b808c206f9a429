/*
 * leaks_known.h - suppressions at work on a recording: which call stacks are suppressed, by
 * what, and how much that was.
 */
#ifndef FORMS_LEAKS_KNOWN_H
#define FORMS_LEAKS_KNOWN_H

#include "forms/form.h"
#include "forms/suppressions.h"

/* What one suppression took away. */
struct known_use {
	struct amount amount;
	size_t stacks;           /* call stacks */
};

struct known_leaks {
	struct suppressions list;
	struct known_use *uses;  /* one for each of the list; made with the first look-up */
	/* private */
	struct resolver *readable, *linker;
	struct known_funcs *funcs;
	size_t func_count, func_capacity, last;
	struct known_path *paths;
	size_t path_count, path_capacity;
	struct suppression_frame *frames;
	size_t frame_capacity;
};

/* suppression.file of those that known_leaks_add_libc adds. */
#define KNOWN_LIBC "--hide-libc"

/* All zero is empty. */
void known_leaks_release(struct known_leaks *k);

/* Add PATH's. Returns 0, or -1 with D set. */
int known_leaks_read(struct known_leaks *k, const char *path, struct diag *d);

/*
 * Add what libc and the C++ library keep for themselves until the process ends: buffers of standard
 * streams, conversion tables, locales, the loader's tables, the exception pool. In
 * front of files' suppressions where it is called first.
 */
void known_leaks_add_libc(struct known_leaks *k);

/* After every event: by which function each site was called. Does nothing where the list is empty. */
void known_leaks_watch(struct known_leaks *k, const struct change *change);

/* Is SITE (an index) of HEAP suppressed? Its LIVE blocks are counted then. After the last event. */
bool known_leaks_has(struct known_leaks *k, const struct run *run, const struct heap *heap,
		     size_t site, struct amount live);

/* Live blocks of all that were suppressed, and by how many of the list. */
struct amount known_leaks_sum(const struct known_leaks *k, size_t *used);

#endif
