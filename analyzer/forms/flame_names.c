/*
 * flame_names.c - see flame_names.h. A frame is known by the node of the tree of frames that
 * stands for its group, so nodes of the call tree that have one function have one name.
 */
#include "forms/flame_names.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/idmap.h"
#include "base/visible.h"
#include "base/xmem.h"
#include "forms/stack_text.h"

struct name {
	char *text;
	const struct symbol_frame *frame;
};

struct flame_names {
	struct frame_tree *frames;
	bool by_line;
	struct name *names;
	size_t count, capacity;
	struct idmap by_frame;   /* address of a frame -> number + 1 */
	struct idmap by_label;   /* address of a root's label -> number + 1 */
	uint32_t without_stack;  /* number + 1 */
};

struct flame_names *flame_names_new(struct frame_tree *frames, bool by_line)
{
	struct flame_names *names = xcalloc(1, sizeof(*names));

	names->frames = frames;
	names->by_line = by_line;
	return names;
}

void flame_names_free(struct flame_names *names)
{
	if (!names)
		return;
	for (size_t i = 0; i < names->count; i++)
		free(names->names[i].text);
	free(names->names);
	idmap_release(&names->by_frame);
	idmap_release(&names->by_label);
	free(names);
}

static uint32_t add(struct flame_names *names, char *text, const struct symbol_frame *frame)
{
	xgrow(&names->names, &names->capacity, names->count, sizeof(*names->names));
	names->names[names->count] = (struct name){ text, frame };
	return (uint32_t)names->count++;
}

static char *name_of(const struct flame_names *names, const struct symbol_frame *f)
{
	char *function, *text;

	if (names->by_line || !f)
		return frame_text(f);
	function = frame_function(f);
	text = visible_text(function);
	free(function);
	return text;
}

uint32_t flame_names_number(struct flame_names *names, const struct call_tree *tree,
			    uint32_t node)
{
	const struct call_node *n = call_tree_node(tree, node);
	const struct symbol_frame *f = call_tree_frame(tree, node);
	const void *key = f ? (const void *)f : n->label;
	struct idmap *map = f ? &names->by_frame : &names->by_label;
	uint32_t number;

	if (!key) {
		if (!names->without_stack)
			names->without_stack = add(names, name_of(names, NULL), NULL) + 1;
		return names->without_stack - 1;
	}
	number = idmap_find(map, (uint64_t)(uintptr_t)key);
	if (!number) {
		number = add(names, f ? name_of(names, f) : visible_text(n->label), f) + 1;
		idmap_add(map, (uint64_t)(uintptr_t)key, number);
	}
	return number - 1;
}

size_t flame_names_count(const struct flame_names *names)
{
	return names->count;
}

const char *flame_names_text(const struct flame_names *names, uint32_t number)
{
	return names->names[number].text;
}

const struct symbol_frame *flame_names_frame(const struct flame_names *names, uint32_t number)
{
	return names->names[number].frame;
}

char *flame_process(const struct image *image, bool is_long)
{
	const char *path = image->argc > 0 && *image->argv[0] ? image->argv[0] :
			   image->exe && *image->exe ? image->exe : "?";
	const char *slash = strrchr(path, '/');
	const char *name = slash && slash[1] ? slash + 1 : path;

	if (!is_long)
		return xstrdup(name);
	if (image->exec_number > 0)
		return xasprintf("%s (%" PRIu32 ":%" PRIu32 ")", name, image->pid, image->exec_number);
	return xasprintf("%s (%" PRIu32 ")", name, image->pid);
}
