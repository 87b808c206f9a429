/*
 * flame_color.h - which colour a frame has: by whose code it is, so that a flame graph shows
 * at a glance what is the program's, an interpreter's, a library's.
 */
#ifndef FORMS_FLAME_COLOR_H
#define FORMS_FLAME_COLOR_H

#include <stdint.h>

#include "symbol/resolve.h"

enum flame_owner {
	FLAME_PROGRAM,     /* the executable itself */
	FLAME_SCRIPT,      /* code in a language that is interpreted: its source says so */
	FLAME_INTERPRETER, /* CPython, Perl, Node, ... as executable or library */
	FLAME_LIBRARY,     /* other shared objects */
	FLAME_CXX,         /* the C++ standard library, inlined templates too */
	FLAME_LIBC,        /* the C library and the loader */
	FLAME_UNKNOWN,     /* no object: generated code, truncated stacks */
	FLAME_OWNERS,
};

/* Whose code FRAME (not NULL) is in a program whose executable is EXE (a path; NULL: unknown). */
enum flame_owner flame_owner_of(const struct symbol_frame *frame, const char *exe);

/* For the legend: "program". */
const char *flame_owner_name(enum flame_owner owner);

/* The colour of the legend, 0xRRGGBB. */
uint32_t flame_owner_color(enum flame_owner owner);

/*
 * The colour of FRAME: its owner's, a little different for each object and function, and
 * always the same for the same names. Dark text on any of them has a contrast of 7 or more.
 */
uint32_t flame_color(const struct symbol_frame *frame, enum flame_owner owner);

#define FLAME_ROOT_COLOR 0xdde0e4u

#endif
