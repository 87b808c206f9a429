/*
 * diff_flame.c - `diff --form=flame`: every call stack with both figures, as lines that
 * difffolded.pl of the FlameGraph tools would write ("root;...;leaf OLD NEW"), or drawn: red
 * is what grew, blue what shrank.
 */
#include "forms/diff.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/wrap.h"
#include "base/visible.h"
#include "base/xmem.h"
#include "forms/diff_lines.h"
#include "forms/flame_picture.h"
#include "forms/flame_svg.h"

#define WIDTH 1200
/* Boxes of fewer pixels are not drawn. */
#define LEAST_PIXELS 0.5
/* Columns of the title, and of a line of the notes. */
#define TITLE_COLUMNS 88
#define NOTE_COLUMNS 170

#define GROWN  0xff8f7au
#define SHRUNK 0x8bb6f4u
#define SAME   0xe6e4dfu

int diff_put_folded(struct diff *d)
{
	struct diff_lines *lines = diff_lines_new(d);
	int differs = lines->differs;

	for (size_t i = 0; i < lines->count; i++)
		fprintf(d->out, "%s %" PRIu64 " %" PRIu64 "\n", lines->items[i].text,
			lines->items[i].values[DIFF_OLD], lines->items[i].values[DIFF_NEW]);
	diff_lines_free(lines);
	return differs;
}

/* ---- the picture ---- */

struct drawing {
	const struct diff *diff;
	const struct diff_line *lines;
	struct flame_picture picture;
	bool is_drawn;                /* false: only picture.levels is found out */
};

/* Lines [first, first + count) that go through one function: a box. */
struct bundle {
	size_t first, count;
	uint64_t values[DIFF_SIDES];
	uint64_t width;
};

static void gather(struct bundle *b, const struct diff_line *line)
{
	b->count++;
	b->values[DIFF_OLD] += line->values[DIFF_OLD];
	b->values[DIFF_NEW] += line->values[DIFF_NEW];
	b->width += diff_line_width(line);
}

static struct bundle gather_all(const struct diff_lines *lines)
{
	struct bundle all = { 0 };

	for (size_t i = 0; i < lines->count; i++)
		gather(&all, &lines->items[i]);
	return all;
}

static uint32_t mix(uint32_t from, uint32_t to, double share)
{
	uint32_t result = 0;

	for (int shift = 0; shift < 24; shift += 8) {
		double a = from >> shift & 255, b = to >> shift & 255;

		result |= (uint32_t)(a + (b - a) * share + 0.5) << shift;
	}
	return result;
}

/* The stronger, the larger the part of the box that changed. */
static uint32_t color_of(const struct bundle *b)
{
	double old = (double)b->values[DIFF_OLD], new = (double)b->values[DIFF_NEW];
	double share = (new - old) / (new > old ? new : old);

	if (new == old)
		return SAME;
	/* even a small change is seen */
	return share > 0 ? mix(SAME, GROWN, 0.15 + 0.85 * share) : mix(SAME, SHRUNK, 0.15 - 0.85 * share);
}

/* "old 5.1 MiB, new 7.8 MiB: +2.6 MiB (+51.0 %)"; the caller's. */
static char *change_words(const struct diff *d, const uint64_t values[DIFF_SIDES])
{
	char old[UNITS_MAX], new[UNITS_MAX], more[UNITS_MAX + 1], percent[32] = "";
	struct cell c = diff_percent(values[DIFF_OLD], values[DIFF_NEW]);
	const char *(*words)(char *buffer, uint64_t n) =
		metric_is_blocks(d->metric) ? units_count : units_bytes;

	if (c.is_known)
		snprintf(percent, sizeof(percent), " (%+.1f %%)", c.real);
	return xasprintf("%s %s, %s %s: %s%s", d->is_moments ? "from" : "old",
			 words(old, values[DIFF_OLD]), d->is_moments ? "to" : "new",
			 words(new, values[DIFF_NEW]),
			 change_text(more, diff_change(values[DIFF_OLD], values[DIFF_NEW]),
				     !metric_is_blocks(d->metric)), percent);
}

/* The box of the BYTES bytes of function NAME. */
static void put_box(const struct drawing *g, const struct bundle *b, const char *function, size_t bytes,
		    uint32_t level, uint64_t start)
{
	char *name = xstrndup(function, bytes);
	const struct symbol_frame frame = { .function = name };
	char *label = flame_label(&frame, name, flame_svg_pixels(&g->picture, b->width), false);
	char *detail = change_words(g->diff, b->values);
	struct flame_box box = {
		.level = level,
		.start = start,
		.value = b->width,
		.name = name,
		.label = label,
		.detail = detail,
		.rgb = color_of(b),
	};

	flame_svg_box(g->diff->out, &g->picture, &box);
	free(label);
	free(detail);
	free(name);
}

/*
 * The boxes of the lines of ALL, which are alike in their first OFFSET bytes, from START on. As deep
 * as call stacks are.
 */
static void put_boxes(struct drawing *g, const struct bundle *all, size_t offset, uint32_t level,
		      uint64_t start)
{
	for (size_t i = all->first; i < all->first + all->count; ) {
		struct bundle b = { .first = i };
		const char *text = g->lines[i].text;
		size_t bytes = text[offset] ? strcspn(text + offset, ";") : 0;

		while (i < all->first + all->count &&
		       strncmp(g->lines[i].text, text, offset + bytes) == 0 &&
		       (g->lines[i].text[offset + bytes] == ';' || !g->lines[i].text[offset + bytes]))
			gather(&b, &g->lines[i++]);
		if (bytes > 0 && flame_svg_pixels(&g->picture, b.width) >= LEAST_PIXELS) {
			struct bundle inner = b;

			if (g->is_drawn)
				put_box(g, &b, text + offset, bytes, level, start);
			else if (level >= g->picture.levels)
				g->picture.levels = level + 1;
			/* a line that ends here is the box itself, and stands before those that go on */
			if (!text[offset + bytes]) {
				inner.first++;
				inner.count--;
			}
			put_boxes(g, &inner, offset + bytes + 1, level + 1, start);
		}
		start += b.width;
	}
}

/* The lines under the picture: both free. */
static char *notes_of(const struct drawing *g, const char ***lines, size_t *count)
{
	char *text = NULL, *rest, *line;
	size_t bytes, capacity = 0;
	FILE *out = open_memstream(&text, &bytes);

	*lines = NULL;
	if (!out)
		return NULL;
	for (size_t i = 0; i < json_array_size(g->diff->notes); i++)
		wrap_put(out, json_string_value(json_array_get(g->diff->notes, i)), 0, 4, NOTE_COLUMNS);
	fclose(out);
	rest = text;
	while ((line = strsep(&rest, "\n")) != NULL && rest) {
		xgrow(lines, &capacity, *count, sizeof(**lines));
		(*lines)[(*count)++] = line;
	}
	return text;
}

/* "jq . x.json", or of all programs how many there are; the caller's. */
static char *title_of(const struct diff *d)
{
	int side = d->sides[DIFF_NEW].heap_count > 0 ? DIFF_NEW : DIFF_OLD;
	const struct diff_side *s = &d->sides[side];
	char *command, *title;

	if (s->heap_count == 0)
		return xstrdup("nothing");
	command = d->is_whole ? xasprintf("%zu programs", s->heap_count) :
		  image_command(s->heaps[0]->image);
	title = visible_fit(command, TITLE_COLUMNS);
	free(command);
	return title;
}

int diff_put_picture(struct diff *d)
{
	static const struct flame_key keys[] = {
		{ "grown", GROWN }, { "shrunk", SHRUNK }, { "same", SAME },
	};
	struct diff_lines *lines = diff_lines_new(d);
	struct drawing g = { .diff = d, .lines = lines->items };
	struct bundle all = gather_all(lines);
	char *title = title_of(d), *change = change_words(d, all.values);
	char *subtitle = xasprintf("%s, %s. A box is as wide as the larger figure of its stacks.",
				   diff_metric_text(d), change);
	int differs = lines->differs;
	const char **notes;
	char *note_text;

	g.picture.title = title;
	g.picture.subtitle = subtitle;
	g.picture.keys = keys;
	g.picture.key_count = sizeof(keys) / sizeof(keys[0]);
	g.picture.width = WIDTH;
	g.picture.is_hanging = true;
	g.picture.total = all.width;
	note_text = notes_of(&g, &notes, &g.picture.note_count);
	g.picture.notes = notes;
	/* a deep stack that is too narrow to be seen needs no room above the others */
	put_boxes(&g, &all, 0, 0, 0);
	g.is_drawn = true;
	flame_svg_begin(d->out, &g.picture);
	put_boxes(&g, &all, 0, 0, 0);
	flame_svg_end(d->out, &g.picture);
	free(notes);
	free(note_text);
	free(subtitle);
	free(change);
	free(title);
	diff_lines_free(lines);
	return differs;
}
