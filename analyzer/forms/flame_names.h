/*
 * flame_names.h - the names that frames have in a flame graph, each made once: a number from 0
 * on and a text, which is escaped for terminals (visible.h).
 */
#ifndef FORMS_FLAME_NAMES_H
#define FORMS_FLAME_NAMES_H

#include "forms/call_tree.h"

struct flame_names;

/* FRAMES must outlive the names; BY_LINE: names end in their line. */
struct flame_names *flame_names_new(struct frame_tree *frames, bool by_line);
void flame_names_free(struct flame_names *names);

/* The number of the name of NODE of TREE, a tree over FRAMES. */
uint32_t flame_names_number(struct flame_names *names, const struct call_tree *tree,
			    uint32_t node);

size_t flame_names_count(const struct flame_names *names);

/* The text of NUMBER. Belongs to the names. */
const char *flame_names_text(const struct flame_names *names, uint32_t number);

/* The frame of NUMBER; NULL for a root and for stacks without frames. */
const struct symbol_frame *flame_names_frame(const struct flame_names *names, uint32_t number);

/* "python3", or with IS_LONG "python3 (12:1)": the program of IMAGE; the caller's. */
char *flame_process(const struct image *image, bool is_long);

#endif
