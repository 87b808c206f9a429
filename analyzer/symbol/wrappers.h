/*
 * wrappers.h - which functions only pass an allocation on. The allocation site
 * of a call stack is its first frame that is none of them: `operator new` or
 * xmalloc says nothing about who asked.
 *
 * A wrapper is a function that hands the caller's request, nearly unchanged, to
 * an allocator and returns its block: malloc, operator new, std::allocator's
 * allocate, xmalloc, g_malloc, PyObject_Malloc, sqlite3Malloc ... The table is
 * in wrappers.c. Functions that make something are not wrappers, although they
 * allocate: strdup, asprintf, getline, fopen, vector::push_back (the practice of
 * DHAT and heaptrack). Nor are allocators that ask for a big piece and hand it
 * out in small ones (CPython's new_arena, obstacks, Perl's more_bodies): whoever
 * asks for the small piece that makes them grow did not ask for the big one.
 *
 * Memory that the program mapped itself has wrappers of its own: of mmap, and
 * not of malloc. A pool that maps its pieces is the site of the mapping.
 */
#ifndef SYMBOL_WRAPPERS_H
#define SYMBOL_WRAPPERS_H

#include <stdbool.h>
#include <stdint.h>

#include "symbol/resolve.h"
#include "trace/stacks.h"

struct wrappers;

/*
 * EXTRA is the value of --wrappers: NULL or "" for the table alone; "none": no
 * function is a wrapper; else patterns (fnmatch(3)), separated by commas outside
 * brackets, in addition to the table. A pattern is compared with the function's
 * name, with and without its parameters ("my_alloc", "pool::get"; "[" is written
 * "[[]"), and may end in @MODULE, a pattern for the base name of the object
 * ("alloc@libfoo.so*").
 */
struct wrappers *wrappers_new(const char *extra);
void wrappers_free(struct wrappers *w);

/*
 * Is FUNCTION (as in struct symbol_frame; NULL: unknown, never one) of the
 * object MODULE (a path, NULL: none) a wrapper of heap allocation?
 */
bool wrapper_is(const struct wrappers *w, const char *function,
		const char *module);

/* The same for memory that the program maps: mmap and functions around it. */
bool wrapper_is_mapping(const struct wrappers *w, const char *function,
			const char *module);

/* Where in a call stack a frame is. */
struct frame_place {
	stack_id stack;      /* node; STACK_NONE: the stack was empty */
	uint32_t index;      /* in its symbol: inlined calls have the lower ones */
	const struct symbol_frame *frame; /* NULL with STACK_NONE */
};

/*
 * The allocation site of STACK: the first frame that is no wrapper (of mappings
 * where IS_MAPPING), else the innermost. Functions without a name that are called by
 * a wrapper of the same object belong to it (stripped libraries) and are passed over.
 * Walk on with frame_place_caller. The frame belongs to RS.
 */
struct frame_place wrappers_site(const struct wrappers *w, struct resolver *rs,
				 const struct stacks *stacks, stack_id stack,
				 bool is_mapping);

/*
 * The allocation site of STACK in one line: where that is in the C++ standard library
 * (cxx_library.h), the function outside it that called. The site itself where there
 * is none but the loader's and the C library's: start-up code of the C++ library.
 */
struct frame_place wrappers_user(const struct wrappers *w, struct resolver *rs,
				 const struct stacks *stacks, stack_id stack,
				 bool is_mapping);

/* The innermost frame of STACK. */
struct frame_place frame_place_first(struct resolver *rs, stack_id stack);

/* The frame that called P; stack is STACK_NONE where P is the outermost. */
struct frame_place frame_place_caller(struct resolver *rs,
				      const struct stacks *stacks,
				      struct frame_place p);

#endif
