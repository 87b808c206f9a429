/*
 * maps_diff.c - compares two address spaces of one process. A mapping is the same one where it
 * begins at the same address, or ends at the same and has the same name (a stack grows downwards).
 */
#include "forms/maps_diff.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/term.h"
#include "base/units.h"
#include "base/visible.h"
#include "base/xmem.h"

enum { COL_CHANGE, COL_ADDRESS, COL_SIZE, COL_RSS, COL_DIRTY, COL_MODE, COL_TYPE, COL_NAME, COLS };

static const struct column columns[COLS] = {
	[COL_CHANGE] = { "change", "change", COLUMN_TEXT, 0, false, "new, gone, grown, shrunk or pages" },
	[COL_ADDRESS] = { "start", "address", COLUMN_ADDRESS, 0, false, "where it begins" },
	[COL_SIZE] = { "size_change", "virtual", COLUMN_TEXT, 0, false, "bytes of address space" },
	[COL_RSS] = { "rss_change", "resident", COLUMN_TEXT, 0, false, "bytes in memory" },
	[COL_DIRTY] = { "dirty_change", "dirty", COLUMN_TEXT, 0, false, "bytes changed in memory" },
	[COL_MODE] = { "mode", "mode", COLUMN_TEXT, 0, false, "access" },
	[COL_TYPE] = { "type", "type", COLUMN_TEXT, 0, false, "what it is for" },
	[COL_NAME] = { "name", "mapping", COLUMN_TEXT, 0, false, "as the kernel names it" },
};

struct step { int64_t size, rss, dirty; };

static int64_t difference_of(uint64_t now, uint64_t before)
{
	return (int64_t)(now - before);
}

static uint64_t dirty_of(const struct smaps_region *m)
{
	return m->shared_dirty + m->private_dirty;
}

/* "+1.2 MiB", or plain digits for programs. */
static const char *signed_bytes(char *buffer, const struct emit_options *o, int64_t v)
{
	char text[UNITS_MAX];

	if (o->format != EMIT_TEXT)
		snprintf(buffer, UNITS_MAX, "%" PRId64, v);
	else if (v == 0)
		strcpy(buffer, "0");
	else
		snprintf(buffer, UNITS_MAX, "%c%.40s", v < 0 ? '-' : '+',
			 units_bytes(text, v < 0 ? (uint64_t)-v : (uint64_t)v));
	return buffer;
}

static void put_row(struct emit *table, const struct emit_options *o, const char *word,
		    const struct region_view *v, struct step c)
{
	char size[UNITS_MAX], rss[UNITS_MAX], dirty[UNITS_MAX], mode[5];
	const struct smaps_region *m = v->map;
	const char *slash = *m->name == '/' ? strrchr(m->name, '/') : NULL;
	const struct cell cells[COLS] = {
		[COL_CHANGE] = cell_text(word), [COL_ADDRESS] = cell_number(m->start),
		[COL_SIZE] = cell_text(signed_bytes(size, o, c.size)),
		[COL_RSS] = cell_text(signed_bytes(rss, o, c.rss)),
		[COL_DIRTY] = cell_text(signed_bytes(dirty, o, c.dirty)),
		[COL_MODE] = cell_text(mode),
		[COL_TYPE] = cell_text(region_type_name(v->type)),
		[COL_NAME] = cell_text(o->format == EMIT_TEXT && slash ? slash + 1 : m->name),
	};

	mode[0] = m->prot & PROT_READ ? 'r' : '-';
	mode[1] = m->prot & PROT_WRITE ? 'w' : '-';
	mode[2] = m->prot & PROT_EXEC ? 'x' : '-';
	mode[3] = m->is_shared ? 's' : 'p';
	mode[4] = '\0';
	emit_row(table, cells);
}

/* The mapping of A that V of B is; NULL: it is new. */
static const struct region_view *same_in(const struct address_space *a, const struct region_view *v)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->rows[i].map->start == v->map->start &&
		    strcmp(a->rows[i].map->name, v->map->name) == 0)
			return &a->rows[i];
	for (size_t i = 0; i < a->count; i++)
		if (a->rows[i].map->end == v->map->end && *v->map->name &&
		    strcmp(a->rows[i].map->name, v->map->name) == 0)
			return &a->rows[i];
	return NULL;
}

static const char *word_of(const struct step *c)
{
	if (c->size)
		return c->size > 0 ? "grown" : "shrunk";
	if (c->rss)
		return c->rss > 0 ? "paged in" : "evicted";
	return c->dirty ? "written" : NULL;
}

/* What a table is made of, and what its rows add up to. */
struct comparison {
	struct emit *table;
	const struct emit_options *options;
	struct step program, recorder;
};

static void add_row(struct comparison *c, const char *word, const struct region_view *v,
		    struct step step)
{
	struct step *sum = v->type == REGION_RECORDER ? &c->recorder : &c->program;

	sum->size += step.size;
	sum->rss += step.rss;
	sum->dirty += step.dirty;
	/* in text the recorder's own is a line of its own; for programs the type tells it */
	if (word && (sum == &c->program || c->options->format != EMIT_TEXT))
		put_row(c->table, c->options, word, v, step);
}

static void put_sum(FILE *out, const struct emit_options *o, const char *words,
		    const struct step *sum, const char *end)
{
	char size[UNITS_MAX], rss[UNITS_MAX], dirty[UNITS_MAX];

	fprintf(out, "%s: virtual %s, resident %s, dirty %s%s\n", words,
		signed_bytes(size, o, sum->size), signed_bytes(rss, o, sum->rss),
		signed_bytes(dirty, o, sum->dirty), end);
}

void maps_diff_put(FILE *out, const struct address_space *a, const struct address_space *b,
		   const struct emit_options *options)
{
	struct comparison c = { .options = options };
	bool *is_seen = xcalloc(a->count + 1, sizeof(*is_seen));

	c.table = emit_new(out, columns, COLS, options);
	for (size_t i = 0; i < b->count; i++) {
		const struct region_view *now = &b->rows[i], *before = same_in(a, now);
		struct step step = {
			difference_of(now->map->size, before ? before->map->size : 0),
			difference_of(now->map->rss, before ? before->map->rss : 0),
			difference_of(dirty_of(now->map), before ? dirty_of(before->map) : 0),
		};

		if (before)
			is_seen[before - a->rows] = true;
		add_row(&c, before ? word_of(&step) : "new", now, step);
	}
	for (size_t i = 0; i < a->count; i++) {
		const struct smaps_region *m = a->rows[i].map;
		struct step step = { -(int64_t)m->size, -(int64_t)m->rss, -(int64_t)dirty_of(m) };

		if (!is_seen[i])
			add_row(&c, "gone", &a->rows[i], step);
	}
	emit_free(c.table);
	free(is_seen);
	if (options->format != EMIT_TEXT)
		return;
	put_sum(out, options, "\nin all", &c.program, "");
	if (c.recorder.size || c.recorder.rss || c.recorder.dirty)
		put_sum(out, options, "(allotrope's, not counted", &c.recorder, ")");
}
