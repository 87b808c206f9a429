/*
 * resolve.h - what an address means: function, file, line, inlined frames. The
 * only header of symbol/ that forms use.
 *
 * Two sources, in this order: the SYMBOLS segments of the recording (made by
 * `record` at its end), then the files on this machine (elfutils), where the
 * build-id agrees; for code made at run time the map that its process wrote (perf_map.h).
 * Nothing is fetched over the network but from the servers of the options.
 */
#ifndef SYMBOL_RESOLVE_H
#define SYMBOL_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "symbol/debuginfod.h"
#include "trace/recording.h"
#include "trace/stacks.h"

/* One line of a call stack as people read it. Strings belong to the resolver. */
struct symbol_frame {
	const char *function;   /* demangled; NULL: unknown */
	const char *full_name;  /* of a function that is shortened (short_names); else NULL */
	const char *file;       /* source file as in the debug information; NULL: unknown */
	int line;               /* 0: unknown */
	const char *module;     /* path of the object; NULL: none (JIT, unknown) */
	uint64_t offset;        /* address in the object's file (vaddr); else the pc itself */
	uint64_t into;          /* offset + 1 - start of the function; 0: unknown, or inlined */
	bool is_inlined;        /* a call that the compiler put into its caller (next frame) */
};

/* All frames of one pc: innermost inlined call first, the real function last. */
struct symbol {
	const struct symbol_frame *frames;
	uint32_t count;         /* at least 1 */
};

struct resolver;

struct resolver_options {
	bool no_demangle;
	bool short_names;       /* short_name.h */
	bool stored_only;       /* do not open files of this machine */
	const char *perf_map_folder; /* NULL: PERF_MAP_FOLDER */
	struct debuginfod *servers; /* asked for debug files; NULL: nobody is. The caller's */
};

struct resolver *resolver_new(struct recording *r, struct stacks *stacks,
			      const struct resolver_options *options);
void resolver_free(struct resolver *rs);

/*
 * The frames of the innermost node of STACK (not its callers). Never NULL:
 * unknown code has function NULL and module + offset; special frames have a
 * function text such as "[truncated]". Cached; valid until resolver_free.
 */
const struct symbol *resolver_frame(struct resolver *rs, stack_id stack);

/*
 * Modules whose frames had no function name or no line, most frames first, as
 * text with the remedy, one a line ("libfoo.so.1: no debug information:
 * install libfoo1-dbgsym ..."); "" where all is well. Belongs to the resolver.
 */
const char *resolver_missing(struct resolver *rs);

#endif
