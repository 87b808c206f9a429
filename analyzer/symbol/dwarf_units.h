/*
 * dwarf_units.h - from an address to the unit and the function of the debug
 * information that it is in. Private to symbol/: the ground under dwarf_lines.c.
 */
#ifndef SYMBOL_DWARF_UNITS_H
#define SYMBOL_DWARF_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <elfutils/libdw.h>
#include <uthash.h>

/* How deep scopes may be nested. */
#define SCOPE_DEPTH_MAX 256

struct function_range {
	Dwarf_Addr low, high;    /* [low, high) */
	Dwarf_Die die;
};

struct unit {
	Dwarf_Off offset;        /* of its DIE: the key */
	Dwarf_Die die;           /* has the lines */
	Dwarf_Die tree;          /* has the functions: another one in split DWARF */
	struct function_range *functions;
	size_t count, capacity;
	bool is_listed, is_deep; /* functions inside classes and functions are listed too */
	bool has_namespaces;     /* language: names are qualified */
	UT_hash_handle hh;
};

struct dwarf_units;

/* DWARF stays the caller's. */
struct dwarf_units *dwarf_units_new(Dwarf *dwarf);
void dwarf_units_free(struct dwarf_units *du);

/*
 * The unit that ADDRESS is in, NULL: none. *FUNCTION becomes the function with
 * code there, NULL where there is none (assembler). Both belong to DU.
 */
struct unit *dwarf_units_find(struct dwarf_units *du, Dwarf_Addr address,
			      struct function_range **function);

/* The next DIE on the same level, into DIE; false at the end, or where it does not lead forward. */
bool die_next(Dwarf_Die *die);

#endif
