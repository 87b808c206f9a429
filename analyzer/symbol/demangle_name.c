/*
 * demangle_name.c - asks libiberty, but only for names that look mangled: a C
 * function is never renamed. Relies on nothing; keeps no state.
 */
#include "symbol/demangle_name.h"

#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>

#define NAME_BYTES_MAX (16 * 1024)

static int looks_mangled(const char *name)
{
	/* macOS and some JITs put another underscore in front */
	if (name[0] == '_' && name[1] == '_' && (name[2] == 'Z' || name[2] == 'R'))
		return 1;
	return name[0] == '_' && (name[1] == 'Z' || name[1] == 'R' ||
				  name[1] == 'D');
}

char *demangle_name(const char *name)
{
	/* Naming DMGL_RUST beside DMGL_AUTO would switch C++ off. */
	int options = DMGL_PARAMS | DMGL_ANSI | DMGL_AUTO;

	if (!looks_mangled(name) || strnlen(name, NAME_BYTES_MAX) == NAME_BYTES_MAX)
		return NULL;
	if (name[1] == 'D')
		options = DMGL_PARAMS | DMGL_DLANG;
	return cplus_demangle(name, options);
}
