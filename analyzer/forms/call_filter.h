/*
 * call_filter.h - which calls the ltrace report shows: ltrace's -e and -l.
 *
 *	-e malloc             malloc only
 *	-e malloc+free        several; a comma does as well
 *	-e '*alloc-calloc'    patterns (fnmatch(3)); minus takes away
 *	-e malloc@MAIN        calls from the program itself
 *	-e free@libssl*       calls from an object
 *	-l python             calls from objects called so
 *
 * In ltrace an object after -e and -l is the one that is called; all calls here
 * go to the allocator, so it is the one that calls. An object is matched by its
 * base name as a pattern; a plain word matches also what has only a version or suffix
 * more: python is python3.11, ssl is libssl.so.3.
 */
#ifndef FORMS_CALL_FILTER_H
#define FORMS_CALL_FILTER_H

#include <stdbool.h>

#include "base/diag.h"

struct call_filter;

struct call_filter *call_filter_new(void);
void call_filter_free(struct call_filter *f);

/* Add an argument of -e. Returns 0, or -1 with D naming what is recorded. */
int call_filter_add(struct call_filter *f, const char *expression, struct diag *d);

/* Add an argument of -l. */
void call_filter_add_caller(struct call_filter *f, const char *pattern);

/* No -e and no -l was given. */
bool call_filter_is_empty(const struct call_filter *f);

/* Some rule asks for the calling object. */
bool call_filter_has_caller(const struct call_filter *f);

/* Is a call of FUNCTION by the object CALLER (path; NULL: unknown) shown? MAIN is the program's path. */
bool call_filter_shows(const struct call_filter *f, const char *function,
		       const char *caller, const char *main_path);

#endif
