/*
 * flame_speedscope.h - call stacks in the JSON of https://www.speedscope.app, several
 * profiles in one file.
 */
#ifndef FORMS_FLAME_SPEEDSCOPE_H
#define FORMS_FLAME_SPEEDSCOPE_H

#include "forms/flame_names.h"

struct flame_speedscope;

/* Begin a file of profiles whose frames are called as in NAMES. */
struct flame_speedscope *flame_speedscope_new(FILE *out, struct flame_names *names);

/* A profile called NAME of the stacks of TREE, outermost frame first, cut to DEPTH (0: whole). */
void flame_speedscope_add(struct flame_speedscope *s, const char *name,
			  const struct call_tree *tree, enum metric metric, uint32_t depth);

/* Profiles so far: the number of the next one. */
size_t flame_speedscope_count(const struct flame_speedscope *s);

/* End the file, called NAME; the profile ACTIVE is the one to be shown first. Frees S. */
void flame_speedscope_end(struct flame_speedscope *s, const char *name, size_t active);

#endif
