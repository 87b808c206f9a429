/*
 * threshold_text.c - the report `threshold` for people.
 */
#include <stdlib.h>
#include <string.h>

#include "base/term.h"
#include "base/units.h"
#include "base/visible.h"
#include "base/wrap.h"
#include "base/xmem.h"
#include "forms/threshold_facts.h"

#define LINE_WIDTH 80
#define MOVES_SHOWN 10

static void put_title(const struct run *run, const char *title)
{
	fprintf(run->out, "\n%s%s%s\n", term_style(run->color, STYLE_HEAD), title,
		term_plain(run->color));
}

static struct emit *table_of(const struct run *run, const struct column *columns, size_t count)
{
	const struct emit_options options = { .format = EMIT_TEXT, .color = run->color, .indent = 2 };

	return emit_new(run->out, columns, count, &options);
}

static char *range_text(const struct threshold_group *g)
{
	char from[UNITS_MAX], to[UNITS_MAX];

	if (g->is_one_size)
		return xstrdup(units_count(from, g->sum.size));
	if (g->to == UINT64_MAX)
		return xasprintf("%s and more", units_count(from, g->from));
	return xasprintf("%s - %s", units_count(from, g->from), units_count(to, g->to));
}

static void put_requests(const struct run *run, const struct threshold_group *groups, size_t count)
{
	static const struct column columns[] = {
		{ "requested", "requested", COLUMN_TEXT, 0, false, NULL },
		{ "calls", "calls", COLUMN_COUNT, 0, false, NULL },
		{ "heap", "heap", COLUMN_COUNT, 0, false, NULL },
		{ "brk", "brk", COLUMN_COUNT, 0, false, NULL },
		{ "arena", "arena", COLUMN_COUNT, 0, false, NULL },
		{ "mapped", "mapped", COLUMN_COUNT, 0, false, NULL },
		{ "each", "bytes each", COLUMN_COUNT, 0, false, NULL },
	};
	struct emit *table = table_of(run, columns, 7);

	for (size_t i = 0; i < count; i++) {
		const struct served_row *r = &groups[i].sum;
		char *range = range_text(&groups[i]);
		struct cell cells[] = {
			cell_text(range), cell_number(r->calls), cell_number(r->heap),
			cell_number(r->brk), cell_number(r->arena), cell_number(r->mapped),
			{ .is_known = r->maps > 0, .number = r->maps ? r->mapped_bytes / r->maps : 0 },
		};

		if (r->calls)
			emit_row(table, cells);
		free(range);
	}
	emit_free(table);
}

static void put_frees(const struct run *run, const struct threshold_group *groups, size_t count)
{
	static const struct column columns[] = {
		{ "requested", "requested", COLUMN_TEXT, 0, false, NULL },
		{ "freed", "freed", COLUMN_COUNT, 0, false, NULL },
		{ "kept", "kept", COLUMN_COUNT, 0, false, NULL },
		{ "trimmed", "trimmed", COLUMN_COUNT, 0, false, NULL },
		{ "unmapped", "unmapped", COLUMN_COUNT, 0, false, NULL },
	};
	struct emit *table = table_of(run, columns, 5);

	for (size_t i = 0; i < count; i++) {
		const struct served_row *r = &groups[i].sum;
		char *range = range_text(&groups[i]);
		struct cell cells[] = {
			cell_text(range), cell_number(served_freed(r)), cell_number(r->kept),
			cell_number(r->trimmed), cell_number(r->unmapped),
		};

		if (served_freed(r))
			emit_row(table, cells);
		free(range);
	}
	emit_free(table);
}

static char *because_text(const struct threshold_facts *f, const struct threshold_move *m)
{
	char size[UNITS_MAX];
	const char *place;
	char *text, *key, *value;

	if (m->setting) {
		key = visible_text(m->setting->key);
		value = visible_text(m->setting->value);
		text = xasprintf("%.*s, %s)", (int)strcspn(key, ")"), key, value);
		free(key);
		free(value);
		return text;
	}
	place = cause_place(f->places, m->stack, false);
	text = xasprintf("free of %s bytes%s%s", units_count(size, m->request), place ? " from " : "",
			 place ? place : "");
	key = visible_fit(text, 50);
	free(text);
	return key;
}

static void put_row(const struct run *run, struct emit *table, const struct threshold_facts *f,
		    uint64_t stamp, const struct malloc_settings *s, const char *because)
{
	char time[UNITS_MAX];
	int64_t ns = recording_ns(run->recording, stamp) -
		     recording_ns(run->recording, f->image->start_stamp);
	struct cell cells[] = {
		cell_text(units_ns(time, ns > 0 ? (uint64_t)ns : 0)),
		cell_number(s->value[SET_MMAP_THRESHOLD]),
		{ .is_known = s->value[SET_TRIM_THRESHOLD] < (uint64_t)1 << 62,
		  .number = s->value[SET_TRIM_THRESHOLD] },
		cell_text(because),
	};

	emit_row(table, cells);
}

static void put_moves(const struct run *run, const struct threshold_facts *f)
{
	static const struct column columns[] = {
		{ "after", "after", COLUMN_TEXT, 0, false, NULL },
		{ "mmap", "mmap", COLUMN_COUNT, 0, false, NULL },
		{ "trim", "trim", COLUMN_COUNT, 0, false, NULL },
		{ "because", "because", COLUMN_TEXT, 0, false, NULL },
	};
	struct emit *table = table_of(run, columns, 4);
	size_t shown = run->top ? run->top : MOVES_SHOWN;
	bool is_set = f->first.is_set[SET_MMAP_THRESHOLD] || f->first.is_set[SET_TRIM_THRESHOLD];
	uint64_t begin = run->since_stamp > f->image->start_stamp ? run->since_stamp :
								    f->image->start_stamp;

	put_row(run, table, f, begin, &f->first,
		begin != f->image->start_stamp ? "(in force)" :
		f->track->is_inherited ? "as in the parent" : is_set ? "set in the environment" :
		"glibc's defaults");
	for (size_t i = 0; i < f->move_count && i < shown; i++) {
		char *because = because_text(f, &f->moves[i]);

		put_row(run, table, f, f->moves[i].stamp, &f->moves[i].to, because);
		free(because);
	}
	emit_free(table);
	if (f->move_count > shown)
		fprintf(run->out, "  %zu more: --top=%zu\n", f->move_count - shown, f->move_count);
}

static void put_found(const struct run *run, const struct threshold_facts *f)
{
	const struct threshold_found *found = &f->found;
	const struct malloc_settings *s = f->found_settings;
	char smallest[UNITS_MAX], largest[UNITS_MAX], rule[UNITS_MAX];

	if (!found->has_mapped)
		return;
	fprintf(run->out, "  smallest request with a mapping of its own   %14s\n",
		units_count(smallest, found->smallest));
	if (found->has_grown)
		fprintf(run->out, "  largest request that the heap grew for       %14s\n",
			units_count(largest, found->largest));
	fprintf(run->out, "  by glibc's rule mappings begin at            %14s\n",
		units_count(rule, malloc_threshold_request(s->value[SET_MMAP_THRESHOLD])));
}

static void put_list(const struct run *run, char **texts, size_t count, int indent)
{
	for (size_t i = 0; i < count; i++) {
		fprintf(run->out, "%*s", indent, "");
		wrap_put(run->out, texts[i], indent, indent, LINE_WIDTH);
		free(texts[i]);
	}
	free(texts);
}

static void put_findings(const struct run *run, const struct threshold_facts *f)
{
	bool has_any = false;

	for (size_t i = 0; i < f->findings->count; i++) {
		const struct finding *x = &f->findings->items[i];

		if (!threshold_finding_is_shown(x))
			continue;
		if (!has_any)
			put_title(run, "Findings");
		has_any = true;
		fputs("  ! ", run->out);
		wrap_put(run->out, x->text, 4, 4, LINE_WIDTH);
		fputs("    -> ", run->out);
		wrap_put(run->out, x->remedy, 7, 7, LINE_WIDTH);
	}
}

void threshold_put_text(struct run *run, const struct threshold_facts *f, bool each, bool explains)
{
	size_t count, text_count;
	struct threshold_group *groups = threshold_groups(f, each, &count);
	char **texts;

	run_put_image(run, f->image);
	fprintf(run->out, "%sRequests%s", term_style(run->color, STYLE_HEAD), term_plain(run->color));
	if (f->sum.calls) {
		fputs(": from the heap as it was, by growing it (brk), from a thread's\n"
		      "arena, or by a mapping of their own (and its bytes)\n", run->out);
		put_requests(run, groups, count);
	} else {
		fputs(": none\n", run->out);
	}
	if (served_freed(&f->sum)) {
		put_title(run, "What free did");
		put_frees(run, groups, count);
	}
	free(groups);
	if (f->is_glibc) {
		put_title(run, "The thresholds, in bytes");
		put_moves(run, f);
		put_found(run, f);
	}
	put_title(run, "In words");
	texts = threshold_paragraphs(f, &text_count);
	put_list(run, texts, text_count, 2);
	if (explains) {
		put_title(run, "The parameters (mallopt(3))");
		texts = threshold_terms(f, &text_count);
		put_list(run, texts, text_count, 2);
	}
	put_findings(run, f);
	if (!explains && f->is_glibc)
		fputs("\nMore: --explain (malloc's parameters), allotrope strace --cause\n", run->out);
}
