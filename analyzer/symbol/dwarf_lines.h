/*
 * dwarf_lines.h - function, file, line and inlined calls of an address, by the
 * DWARF debug information of one ELF file (libdw, which also reads dwz files
 * and split units).
 *
 * Fast for many addresses of one file: a unit's functions are listed once, when
 * its first address is looked up; ask in order of address.
 */
#ifndef SYMBOL_DWARF_LINES_H
#define SYMBOL_DWARF_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include <libelf.h>

struct dwarf_lines;

/* Inlined calls in one place; the ones beyond are left out (the outer ones stay). */
#define SOURCE_FRAMES_MAX 128

/* One function that the address is in. Strings live as long as the dwarf_lines. */
struct source_frame {
	const char *name;    /* NULL: unknown */
	const char *file;    /* NULL: unknown */
	int line;            /* 0: unknown, or made by the compiler */
	bool is_linkage;     /* name is mangled; else as in the source, with its
				namespaces in C++ and without parameters */
	bool is_c;           /* a language whose names are not mangled */
};

/*
 * NULL where ELF has no debug information that can be read. SHARED is what dwz moved out of it (NULL:
 * libdw looks for that itself). Both stay open and the caller's.
 */
struct dwarf_lines *dwarf_lines_new(Elf *elf, Elf *shared);
void dwarf_lines_free(struct dwarf_lines *dl);

/*
 * What is at ADDRESS (as in the file) into FRAMES: innermost inlined call first,
 * the function that has code of its own last. For each but the first, file and
 * line are those of the call. Returns their number; 0: nothing is known; 1 with
 * a NULL name: a line, but no function (assembler). *ENTRY is the lowest
 * address of the last one's code, *START that of the piece of it (functions may lie in
 * several) that has ADDRESS; 0: unknown.
 */
unsigned dwarf_lines_find(struct dwarf_lines *dl, uint64_t address,
			  struct source_frame frames[SOURCE_FRAMES_MAX],
			  uint64_t *entry, uint64_t *start);

#endif
