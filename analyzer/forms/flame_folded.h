/*
 * flame_folded.h - call stacks as lines "outermost;...;innermost NUMBER", one for each, as
 * flamegraph.pl, inferno, speedscope and Perfetto read them.
 */
#ifndef FORMS_FLAME_FOLDED_H
#define FORMS_FLAME_FOLDED_H

#include "forms/flame_names.h"

/*
 * Write the stacks of TREE whose own figure is not 0, or with DEPTH (0: all) what is not deeper
 * and the whole of what is that deep; the numbers add up to the tree's
 * total. In names ';' becomes ',', and a space before digits at their end '_', so that
 * every reader finds the number; a '#' at the start of a line becomes '_'.
 */
void flame_folded_put(FILE *out, const struct call_tree *tree, enum metric metric, uint32_t depth,
		      struct flame_names *names);

/* TEXT as a frame of such a line; the caller's. */
char *flame_folded_name(const char *text);

#endif
