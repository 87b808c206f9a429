/*
 * diff_images.c - which programs are compared. One recording of a build may hold forty
 * processes: the program that both have is meant, and of several processes of that name
 * the one with the same arguments, else the one with the larger peak.
 */
#include "forms/diff.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/term.h"
#include "base/units.h"
#include "base/visible.h"
#include "base/xmem.h"

static const char *program(const struct image *image)
{
	const char *path = image->exe && *image->exe ? image->exe :
			   image->argc > 0 ? image->argv[0] : "?";
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static bool has_same_arguments(const struct image *a, const struct image *b)
{
	if (a->argc != b->argc)
		return false;
	for (int i = 1; i < a->argc; i++)
		if (strcmp(a->argv[i], b->argv[i]) != 0)
			return false;
	return true;
}

/* As replay_default_heap weighs them. */
static uint64_t weight(const struct heap *h)
{
	uint64_t peak = h->peak.bytes + h->mapped_peak.bytes;
	uint64_t inherited = h->inherited_bytes + h->inherited_mapped.bytes;

	return peak > inherited ? peak - inherited : 0;
}

/* The image of RP most like IMAGE, NULL: no program of that name. */
static struct heap *most_like(const struct replay *rp, const struct image *image)
{
	struct heap *best = NULL;

	for (size_t i = 0; i < replay_heap_count(rp); i++) {
		struct heap *h = replay_heap(rp, i);
		bool alike;

		if (h->events == 0 || strcmp(program(h->image), program(image)) != 0)
			continue;
		alike = has_same_arguments(h->image, image);
		if (!best || alike > has_same_arguments(best->image, image) ||
		    (alike == has_same_arguments(best->image, image) && weight(h) > weight(best)))
			best = h;
	}
	return best;
}

/* The same image of one recording at another moment; NULL: it had not begun. */
static struct heap *same_image(const struct replay *rp, const struct image *image)
{
	return replay_image_heap(rp, image->number);
}

static void take(struct diff_side *side, struct heap *heap)
{
	struct run *run = side->run;

	run->heaps[0] = heap;
	run->heap_count = heap ? 1 : 0;
	side->heap_count = run->heap_count;
}

/* SIDE becomes what is most like the first image of the other one. Returns whether there is any. */
static bool follow(struct diff *d, int side)
{
	const struct diff_side *leader = &d->sides[!side];
	struct heap *(*find)(const struct replay *rp, const struct image *image) =
		d->is_moments ? same_image : most_like;
	struct heap *heap;

	if (leader->heap_count == 0)
		return false;
	heap = find(d->sides[side].run->replay, leader->heaps[0]->image);
	if (heap || d->is_moments)
		take(&d->sides[side], heap);
	return heap || d->is_moments;
}

int diff_choose_images(struct diff *d, const bool fixed[DIFF_SIDES])
{
	for (int side = 0; side < DIFF_SIDES; side++) {
		d->sides[side].heaps = d->sides[side].run->heaps;
		d->sides[side].heap_count = d->sides[side].run->heap_count;
	}
	if (fixed[DIFF_OLD] && fixed[DIFF_NEW])
		return 0;
	if (!fixed[DIFF_OLD] && follow(d, DIFF_OLD))
		return 0;
	if (!fixed[DIFF_NEW] && follow(d, DIFF_NEW))
		return 0;
	/* a recording of nothing compares with anything: all is added, or removed */
	return d->sides[DIFF_OLD].heap_count > 0 && d->sides[DIFF_NEW].heap_count > 0;
}

char *diff_program(const struct diff *d, int side)
{
	const struct diff_side *s = &d->sides[side];

	return xstrdup(s->heap_count ? program(s->heaps[0]->image) : "nothing");
}

static void put_side(const struct diff *d, int side, const char *label, const char *name)
{
	const struct diff_side *s = &d->sides[side];
	char *command, *shown, *shown_name = visible_fit(name, 30);
	/* what stands beside the command: label, name and "(pid 1234567)" */
	size_t taken = 6 + visible_width(shown_name) + 2 + 14, room = 20;

	if (taken + room < (size_t)d->width)
		room = (size_t)d->width - taken;
	fprintf(d->out, "%s%-4s  %s", term_style(d->color, STYLE_FAINT), label, shown_name);
	free(shown_name);
	if (d->is_whole) {
		fprintf(d->out, ": %zu program%s", s->heap_count, s->heap_count == 1 ? "" : "s");
	} else if (s->heap_count > 0) {
		command = image_command(s->heaps[0]->image);
		shown = visible_fit(command, room);
		fprintf(d->out, ": %s (pid %" PRIu32 ")", shown, s->heaps[0]->image->pid);
		free(shown);
		free(command);
	} else {
		fputs(d->is_moments ? ": the program had not begun" : ": no program", d->out);
	}
	fprintf(d->out, "%s\n", term_plain(d->color));
}

void diff_put_sides(const struct diff *d)
{
	put_side(d, DIFF_OLD, d->is_moments ? "from" : "old",
		 d->is_moments ? d->moments[DIFF_OLD] : d->sides[DIFF_OLD].run->recording->path);
	put_side(d, DIFF_NEW, d->is_moments ? "to" : "new",
		 d->is_moments ? d->moments[DIFF_NEW] : d->sides[DIFF_NEW].run->recording->path);
	putc('\n', d->out);
}

const char *diff_metric_text(const struct diff *d)
{
	return d->moments[DIFF_NEW] && d->metric == METRIC_END ? "live bytes" : metric_help(d->metric);
}

struct cell diff_percent(uint64_t old, uint64_t new)
{
	return old ? cell_real(((double)new - (double)old) * 100.0 / (double)old) :
		     (struct cell){ 0 };
}
