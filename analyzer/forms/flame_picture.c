/*
 * flame_picture.c - see flame_picture.h. Goes through the tree twice: which levels and owners
 * are drawn, then the boxes.
 */
#include "forms/flame_picture.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/visible.h"
#include "base/wrap.h"
#include "base/xmem.h"
#include "forms/flame_color.h"
#include "forms/stack_text.h"

/* Fewer columns than this show the beginning of a name, more its end as well. */
#define SHORT 18

/* Pixels of a column of the title, and how many beside it are for the field to search in. */
#define TITLE_COLUMN 11
#define TOOLS 220

/* Pixels of a column of the notes: their font is smaller. */
#define NOTE_COLUMN 7

struct drawing {
	const struct call_choice *choice;
	const struct call_tree *tree;
	struct flame_names *names;
	struct flame_picture picture;
	struct flame_key keys[FLAME_OWNERS];
	uint32_t *levels;        /* by node; roots have one too */
	uint64_t least;
	uint32_t depth;
	bool has_hidden;         /* something was too narrow */
	bool has_deeper;         /* or too deep */
};

uint64_t flame_picture_least(const struct flame_layout *layout, uint64_t total)
{
	struct flame_picture p = { .width = layout->width, .total = total };
	double pixels = flame_svg_pixels(&p, total);
	uint64_t least = units_whole(layout->min / pixels * (double)total + 0.5);

	return least > 0 ? least : 1;
}

static enum flame_owner owner_of(const struct drawing *d, uint32_t node)
{
	const struct image *image = call_tree_node(d->tree, node)->image;

	return flame_owner_of(call_tree_frame(d->tree, node), image ? image->exe : NULL);
}

/* Levels and legend: what is drawn at all. */
static void look(struct drawing *d, size_t node_count)
{
	bool is_used[FLAME_OWNERS] = { false };
	uint32_t node = 0;

	d->levels = xcalloc(node_count, sizeof(*d->levels));
	d->picture.levels = 0;
	while ((node = call_tree_next(d->tree, node, d->least, d->depth)) != 0) {
		const struct call_node *n = call_tree_node(d->tree, node);

		if (d->depth && n->depth == d->depth)
			d->has_deeper |= n->count > 0 || n->has_more;
		else if (call_tree_shown(d->tree, node, d->least, d->depth) < n->count)
			d->has_hidden = true;
		/* the base is no box, so what is under it is at level 0 */
		d->levels[node] = n->parent ? d->levels[n->parent] + 1 : 0;
		if (d->levels[node] + 1 > d->picture.levels)
			d->picture.levels = d->levels[node] + 1;
		if (n->frame)
			is_used[owner_of(d, node)] = true;
	}
	for (enum flame_owner o = 0; o < FLAME_OWNERS; o++)
		if (is_used[o])
			d->keys[d->picture.key_count++] =
				(struct flame_key){ flame_owner_name(o), flame_owner_color(o) };
}

/* The first COLUMNS - 2 columns of NAME, which is printable, and two dots; the caller's. */
static char *cut(const char *name, size_t columns)
{
	size_t bytes = 0;

	for (size_t column = 0; name[bytes] && column < columns - 2; column++)
		for (bytes++; (name[bytes] & 0xc0) == 0x80; )
			bytes++;
	return xasprintf("%.*s..", (int)bytes, name);
}

char *flame_label(const struct symbol_frame *frame, const char *name, double pixels, bool by_line)
{
	double room = flame_svg_label_room(pixels);
	double width = flame_svg_text_width(name);
	size_t columns = visible_width(name);
	struct symbol_frame function;
	char *label;

	if (room < 14)
		return NULL;
	if (width <= room)
		return xstrdup(name);
	columns = (size_t)((double)columns * room / width);
	if (frame) {
		function = *frame;
		if (!by_line)
			function.file = function.module = NULL;
	}
	/* narrow letters may stand in front, so the first guess can be too wide */
	for (; columns >= 3; columns--) {
		label = columns < SHORT ? cut(name, columns) :
			frame && frame->function ? frame_text_fit(&function, columns) :
			visible_fit(name, columns);
		if (flame_svg_text_width(label) <= room)
			return label;
		free(label);
	}
	return NULL;
}

/* "12.3 %" of the whole. */
static const char *share(const struct drawing *d, char *buffer, struct amount amount)
{
	return units_percent(buffer, metric_of(amount, d->choice->metric), d->picture.total);
}

/* What stands on hover under the name; the caller's. */
static char *detail_of(const struct drawing *d, uint32_t node)
{
	const struct call_node *n = call_tree_node(d->tree, node);
	const struct symbol_frame *f = call_tree_frame(d->tree, node);
	char percent[UNITS_MAX], *all = call_choice_amount(d->choice, n->total);
	char *where = NULL, *self = NULL, *text = NULL;

	if (f && (f->file || f->module)) {
		char *path = visible_text(f->file ? f->file : f->module);

		if (f->file && d->choice->by_line && f->line > 0)
			where = xasprintf("%s:%d%s\n", path, f->line, n->is_inlined ? ", inlined" : "");
		else
			where = xasprintf("%s%s\n", path, n->is_inlined ? ", inlined" : "");
		free(path);
	}
	if (metric_of(n->self, d->choice->metric) > 0 && n->count > 0) {
		char own[UNITS_MAX], *amount = call_choice_amount(d->choice, n->self);

		self = xasprintf("\nitself: %s, %s", amount, share(d, own, n->self));
		free(amount);
	}
	text = xasprintf("%s%s, %s%s", where ? where : "", all, share(d, percent, n->total),
			 self ? self : "");
	free(all);
	free(where);
	free(self);
	return text;
}

static void put_box(FILE *out, const struct drawing *d, uint32_t node, uint64_t start)
{
	const struct symbol_frame *f = call_tree_frame(d->tree, node);
	const char *name = flame_names_text(d->names, flame_names_number(d->names, d->tree, node));
	uint64_t value = call_tree_value(d->tree, node);
	char *label = flame_label(f, name, flame_svg_pixels(&d->picture, value), d->choice->by_line);
	char *detail = detail_of(d, node);
	struct flame_box box = {
		.level = d->levels[node],
		.start = start,
		.value = value,
		.name = name,
		.label = label,
		.detail = detail,
		.rgb = f ? flame_color(f, owner_of(d, node)) : FLAME_ROOT_COLOR,
	};

	flame_svg_box(out, &d->picture, &box);
	free(label);
	free(detail);
}

static void put_boxes(FILE *out, const struct drawing *d, size_t node_count)
{
	uint64_t *starts = xcalloc(node_count, sizeof(*starts)); /* of each node's next child */
	uint32_t node = 0;

	while ((node = call_tree_next(d->tree, node, d->least, d->depth)) != 0) {
		uint32_t parent = call_tree_node(d->tree, node)->parent;
		uint64_t start = starts[parent];

		starts[node] = start;
		starts[parent] = start + call_tree_value(d->tree, node);
		/* roots are never passed over, and may have nothing */
		if (call_tree_value(d->tree, node) > 0)
			put_box(out, d, node, start);
	}
	free(starts);
}

/* The lines under the picture: the notes of LAYOUT and what was left out; free both. */
static char *notes_of(const struct drawing *d, const struct flame_layout *layout,
		      const char ***lines, size_t *count)
{
	char *text = NULL, *rest;
	size_t bytes, capacity = 0;
	FILE *out = open_memstream(&text, &bytes);

	*lines = NULL;
	if (!out)
		return NULL;
	for (size_t i = 0; i < layout->note_count; i++)
		wrap_put(out, layout->notes[i], 0, 4, layout->width / NOTE_COLUMN);
	if (d->has_deeper)
		fprintf(out, "Calls deeper than %" PRIu32 " are not drawn.\n", d->depth);
	if (d->has_hidden)
		fprintf(out, "Calls narrower than %g pixels are not drawn.\n", layout->min);
	fclose(out);
	rest = text;
	for (char *line; (line = strsep(&rest, "\n")) != NULL && rest; ) {
		xgrow(lines, &capacity, *count, sizeof(**lines));
		(*lines)[(*count)++] = line;
	}
	return text;
}

void flame_picture_put(const struct run *run, const struct call_choice *choice,
		       const struct call_tree *tree, struct flame_names *names,
		       const struct flame_layout *layout)
{
	struct amount total = call_tree_total(tree);
	bool is_sum = run->heap_count > 1 || (choice->kinds[KIND_HEAP] && choice->kinds[KIND_MAPPING]);
	char *what = call_choice_text(choice, run, is_sum);
	char *amount = call_choice_amount(choice, total);
	struct drawing d = {
		.choice = choice,
		.tree = tree,
		.names = names,
		.picture = {
			.width = layout->width,
			.is_hanging = layout->is_hanging,
			.total = metric_of(total, choice->metric),
		},
		.depth = layout->depth,
		.least = flame_picture_least(layout, metric_of(total, choice->metric)),
	};
	char *subtitle = xasprintf("%s: %s%s%s%s", what, d.picture.total ? amount : "nothing",
				   recording_sampling(run->recording) ? ", estimated from a sample" : "",
				   layout->title ? "; " : "", layout->title ? layout->command : "");
	char *title = visible_fit(layout->title ? layout->title : layout->command,
				  (size_t)(layout->width - TOOLS) / TITLE_COLUMN);
	const char **lines;
	char *notes;

	look(&d, call_tree_count(tree));
	d.picture.title = title;
	d.picture.subtitle = subtitle;
	d.picture.keys = d.keys;
	notes = notes_of(&d, layout, &lines, &d.picture.note_count);
	d.picture.notes = lines;
	flame_svg_begin(run->out, &d.picture);
	put_boxes(run->out, &d, call_tree_count(tree));
	flame_svg_end(run->out, &d.picture);
	free(lines);
	free(notes);
	free(d.levels);
	free(subtitle);
	free(title);
	free(amount);
	free(what);
}
