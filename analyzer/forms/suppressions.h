/*
 * suppressions.h - which leaks are known and wanted: the files that LeakSanitizer and
 * valgrind read, taken as they take them.
 *
 * LeakSanitizer: a line "leak:PATTERN" each, '#' begins a comment. PATTERN is found
 * anywhere in the name of a function, its source file or its object, of any frame;
 * "^" and "$" tie it to begin and end, "*" stands for anything.
 *
 * valgrind (3.19): "{", a name, "Memcheck:Leak", perhaps "match-leak-kinds: ...", then frames
 * from the innermost on: "fun:", "obj:", "src:" with * and ?, or "..." for any number
 * of frames; "}". Those of other tools and errors are read past. Functions have the
 * linker's names there (inlined ones the bare name, "allocate"); the version behind an '@' is
 * not compared. Frames behind the last one may be any. Reachability is not known
 * here: a suppression for some kinds of leak holds for all.
 *
 * Both see the allocator's function as the innermost frame (valgrind: posix_memalign as two);
 * a recording begins with its caller, so that they are added (struct suppression_stack).
 */
#ifndef FORMS_SUPPRESSIONS_H
#define FORMS_SUPPRESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "record_kinds.h"

/* A frame to compare; each may be NULL: not known. */
struct suppression_frame {
	const char *function;    /* as people read it */
	const char *symbol;      /* as the linker has it */
	const char *file;        /* source file */
	const char *module;      /* path of the object */
	const char *real_module; /* the same without links: what the tools see in /proc */
	int line;                /* 0: not known */
	bool is_inlined;
};

struct suppression_stack {
	const struct suppression_frame *frames; /* innermost first */
	size_t count;
	/*
	 * Functions of the allocator that were called: bits by enum alloc_func and
	 * ALLOCATOR_REALLOC_NULL; 0: none (a mapping).
	 */
	uint32_t allocators;
};

/* realloc and reallocarray of NULL, which is not among the others then. */
#define ALLOCATOR_REALLOC_NULL FUNC_COUNT

enum location_kind { LOCATION_FUNCTION, LOCATION_OBJECT, LOCATION_SOURCE, LOCATION_ANY };

struct suppression_location {
	enum location_kind kind;
	char *pattern;           /* NULL with LOCATION_ANY */
};

struct suppression {
	char *name;              /* valgrind's name, LeakSanitizer's pattern */
	const char *file;        /* where it stands */
	unsigned line;           /* there, of its first line */
	bool is_valgrind;
	bool has_kinds;          /* match-leak-kinds with some kinds only */
	struct suppression_location *locations; /* valgrind: from the innermost on */
	size_t location_count, location_capacity;
};

struct suppressions {
	struct suppression *items; /* in the order of the files */
	size_t count, capacity;
	char **files;
	size_t file_count, file_capacity;
};

/* All zero is an empty list. */
void suppressions_release(struct suppressions *s);

/*
 * Add those in TEXT, which ends with a NUL after BYTES; FILE is its name. Which of the two kinds
 * it is, its first line tells. Returns 0, or -1 with D naming line and reason (STATUS_USAGE).
 */
int suppressions_parse(struct suppressions *s, const char *text, size_t bytes, const char *file,
		       struct diag *d);

/* The same with the content of PATH. */
int suppressions_read(struct suppressions *s, const char *path, struct diag *d);

/* The index of the first one that STACK is suppressed by, or -1. */
int64_t suppressions_find(const struct suppressions *s, const struct suppression_stack *stack);

#endif
