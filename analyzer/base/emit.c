/*
 * emit.c - tables as text, CSV and JSON. Numbers are written here and nowhere
 * else, so a column looks alike in every report.
 */
#include "base/emit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/term.h"
#include "base/units.h"
#include "base/visible.h"
#include "base/xmem.h"

struct held_row {
	char **cells;        /* one text for each column shown */
	char **details;
	size_t detail_count, detail_capacity;
};

struct emit {
	FILE *out;
	const struct column *columns;
	size_t count;
	struct emit_options options;
	size_t rows_written;
	struct held_row *rows; /* text */
	size_t row_count, row_capacity;
};

static bool is_number(enum column_type type)
{
	return type != COLUMN_TEXT && type != COLUMN_JSON;
}

static bool is_shown(const struct emit *e, size_t i)
{
	static const unsigned bits[] = { SHOW_TEXT, SHOW_CSV, SHOW_JSON };
	unsigned shown = e->columns[i].shown ? e->columns[i].shown : SHOW_ALL;

	if (e->columns[i].type == COLUMN_JSON)
		shown = SHOW_JSON;
	return shown & bits[e->options.format];
}

/* Nothing in TEXT needs an escape or a quote in any format: true of most names. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~' || *text == '"' || *text == '\\' ||
		    *text == ',')
			return false;
	return true;
}

void csv_put(FILE *out, const char *text)
{
	if (!text[strcspn(text, "\",\r\n")]) {
		fputs(text, out);
		return;
	}
	putc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', out);
		putc(*text, out);
	}
	putc('"', out);
}

json_t *json_from_text(const char *s)
{
	char *text;
	json_t *v;

	if (!s)
		return json_null();
	text = visible_text(s);
	v = json_string(text);
	free(text);
	return v;
}

json_t *json_from_number(uint64_t n)
{
	return n <= INT64_MAX ? json_integer((json_int_t)n) : json_real((double)n);
}

/* Enough for a nanosecond in ten days; with two more 0.1 would read 0.10000000000000001. */
#define REAL_DIGITS JSON_REAL_PRECISION(15)

void json_write(FILE *out, json_t *v)
{
	json_dumpf(v, out, JSON_INDENT(2) | REAL_DIGITS);
	putc('\n', out);
	json_decref(v);
}

struct emit *emit_new(FILE *out, const struct column *columns, size_t count,
		      const struct emit_options *options)
{
	struct emit *e = xcalloc(1, sizeof(*e));
	bool first = true;

	e->out = out;
	e->columns = columns;
	e->count = count;
	e->options = *options;
	if (options->format == EMIT_JSON)
		fputs("[", out);
	if (options->format != EMIT_CSV)
		return e;
	for (size_t i = 0; i < count; i++) {
		if (!is_shown(e, i))
			continue;
		fprintf(out, "%s%s", first ? "" : ",", columns[i].key);
		first = false;
	}
	putc('\n', out);
	return e;
}

static void format_number(char *buffer, size_t bytes, enum column_type type,
			  const struct cell *c, bool is_text)
{
	switch (type) {
	case COLUMN_PERCENT:
		snprintf(buffer, bytes, is_text ? "%.1f" : "%.4f", c->real);
		break;
	case COLUMN_REAL:
		snprintf(buffer, bytes, is_text ? "%.3f" : "%.9g", c->real);
		break;
	case COLUMN_ADDRESS:
		snprintf(buffer, bytes, "0x%" PRIx64, c->number);
		break;
	case COLUMN_MORE_COUNT:
	case COLUMN_MORE_BYTES:
		snprintf(buffer, bytes, "%" PRId64, c->change);
		break;
	default:
		snprintf(buffer, bytes, "%" PRIu64, c->number);
		break;
	}
}

const char *change_text(char *buffer, int64_t change, bool is_bytes)
{
	uint64_t size = change < 0 ? -(uint64_t)change : (uint64_t)change;

	*buffer = change < 0 ? '-' : '+';
	if (is_bytes)
		units_bytes(buffer + (change != 0), size);
	else
		units_count(buffer + (change != 0), size);
	return buffer;
}

static char *text_cell(enum column_type type, const struct cell *c)
{
	char buffer[UNITS_MAX + 32];

	if (!c->is_known)
		return xstrdup("-");
	if (type == COLUMN_TEXT)
		return visible_text(c->text);
	if (type == COLUMN_COUNT)
		units_count(buffer, c->number);
	else if (type == COLUMN_BYTES)
		units_bytes(buffer, c->number);
	else if (type == COLUMN_NS)
		units_ns(buffer, c->number);
	else if (type == COLUMN_MORE_COUNT || type == COLUMN_MORE_BYTES)
		change_text(buffer, c->change, type == COLUMN_MORE_BYTES);
	else
		format_number(buffer, sizeof(buffer), type, c, true);
	return xstrdup(buffer);
}

static void hold_row(struct emit *e, const struct cell *cells)
{
	struct held_row *row;

	xgrow(&e->rows, &e->row_capacity, e->row_count, sizeof(*e->rows));
	row = &e->rows[e->row_count++];
	memset(row, 0, sizeof(*row));
	row->cells = xcalloc(e->count, sizeof(*row->cells));
	for (size_t i = 0; i < e->count; i++)
		if (is_shown(e, i))
			row->cells[i] = text_cell(e->columns[i].type, &cells[i]);
}

static void write_csv(struct emit *e, const struct cell *cells)
{
	char buffer[64];
	bool first = true;

	for (size_t i = 0; i < e->count; i++) {
		if (!is_shown(e, i))
			continue;
		if (!first)
			putc(',', e->out);
		first = false;
		if (!cells[i].is_known)
			continue;
		if (e->columns[i].type == COLUMN_TEXT) {
			char *text;

			if (is_plain(cells[i].text)) {
				fputs(cells[i].text, e->out);
				continue;
			}
			text = visible_text(cells[i].text);

			csv_put(e->out, text);
			free(text);
			continue;
		}
		format_number(buffer, sizeof(buffer), e->columns[i].type,
			      &cells[i], false);
		fputs(buffer, e->out);
	}
	putc('\n', e->out);
}

/* V, whose reference is taken over, compact. */
static void write_value(FILE *out, json_t *v)
{
	json_dumpf(v, out, JSON_COMPACT | JSON_ENCODE_ANY | REAL_DIGITS);
	json_decref(v);
}

/*
 * Whole numbers, most of a long table, are the same in JSON as elsewhere and
 * written directly: a json_t each would take most of the time.
 */
static void write_json_cell(FILE *out, enum column_type type, const struct cell *c)
{
	char buffer[64];

	if (!c->is_known) {
		fputs("null", out);
		return;
	}
	switch (type) {
	case COLUMN_TEXT:
		if (is_plain(c->text))
			fprintf(out, "\"%s\"", c->text);
		else
			write_value(out, json_from_text(c->text));
		break;
	case COLUMN_PERCENT:
	case COLUMN_REAL:
		write_value(out, json_real(c->real));
		break;
	case COLUMN_JSON:
		write_value(out, c->json);
		break;
	case COLUMN_ADDRESS:
		format_number(buffer, sizeof(buffer), type, c, false);
		fprintf(out, "\"%s\"", buffer);
		break;
	case COLUMN_MORE_COUNT:
	case COLUMN_MORE_BYTES:
		format_number(buffer, sizeof(buffer), type, c, false);
		fputs(buffer, out);
		break;
	default:
		if (c->number > INT64_MAX) {
			write_value(out, json_from_number(c->number));
			break;
		}
		format_number(buffer, sizeof(buffer), type, c, false);
		fputs(buffer, out);
		break;
	}
}

static void write_json(struct emit *e, const struct cell *cells)
{
	bool first = true;

	fputs(e->rows_written ? ",\n {" : "\n {", e->out);
	for (size_t i = 0; i < e->count; i++) {
		if (!is_shown(e, i))
			continue;
		/* keys are words of ours: nothing in them needs an escape */
		fprintf(e->out, "%s\"%s\":", first ? "" : ",", e->columns[i].key);
		write_json_cell(e->out, e->columns[i].type, &cells[i]);
		first = false;
	}
	putc('}', e->out);
}

void emit_row(struct emit *e, const struct cell *cells)
{
	switch (e->options.format) {
	case EMIT_TEXT:
		hold_row(e, cells);
		break;
	case EMIT_CSV:
		write_csv(e, cells);
		break;
	case EMIT_JSON:
		write_json(e, cells);
		break;
	}
	for (size_t i = 0; i < e->count; i++)
		if (e->columns[i].type == COLUMN_JSON && cells[i].is_known &&
		    !is_shown(e, i))
			json_decref(cells[i].json);
	e->rows_written++;
}

void emit_detail(struct emit *e, const char *line)
{
	struct held_row *row;

	if (e->options.format != EMIT_TEXT || e->row_count == 0)
		return;
	row = &e->rows[e->row_count - 1];
	xgrow(&row->details, &row->detail_capacity, row->detail_count,
	      sizeof(*row->details));
	row->details[row->detail_count++] = xstrdup(line);
}

/* One line of cells; TEXTS are padded to WIDTHS, numbers on the left. */
static void write_line(const struct emit *e, char *const *texts,
		       const size_t *widths, size_t last)
{
	bool first = true;

	fprintf(e->out, "%*s", e->options.indent, "");
	for (size_t i = 0; i < e->count; i++) {
		size_t pad;

		if (!is_shown(e, i))
			continue;
		pad = widths[i] - visible_width(texts[i]);
		if (!first)
			fputs("  ", e->out);
		first = false;
		if (is_number(e->columns[i].type))
			fprintf(e->out, "%*s", (int)pad, "");
		fputs(texts[i], e->out);
		if (!is_number(e->columns[i].type) && i != last)
			fprintf(e->out, "%*s", (int)pad, "");
	}
}

static void write_text(const struct emit *e)
{
	size_t *widths = xcalloc(e->count, sizeof(*widths));
	char **headings = xcalloc(e->count, sizeof(*headings));
	size_t last = 0;

	for (size_t i = 0; i < e->count; i++) {
		if (!is_shown(e, i))
			continue;
		last = i;
		headings[i] = (char *)e->columns[i].heading;
		if (!e->options.no_heading)
			widths[i] = visible_width(headings[i]);
		for (size_t r = 0; r < e->row_count; r++) {
			size_t width = visible_width(e->rows[r].cells[i]);

			if (width > widths[i])
				widths[i] = width;
		}
	}
	if (!e->options.no_heading) {
		fputs(term_style(e->options.color, STYLE_HEAD), e->out);
		write_line(e, headings, widths, last);
		fprintf(e->out, "%s\n", term_plain(e->options.color));
	}
	for (size_t r = 0; r < e->row_count; r++) {
		write_line(e, e->rows[r].cells, widths, last);
		putc('\n', e->out);
		for (size_t i = 0; i < e->rows[r].detail_count; i++)
			fprintf(e->out, "%s\n", e->rows[r].details[i]);
	}
	free(widths);
	free(headings);
}

void emit_free(struct emit *e)
{
	if (!e)
		return;
	if (e->options.format == EMIT_TEXT)
		write_text(e);
	if (e->options.format == EMIT_JSON)
		fputs(e->rows_written ? "\n]\n" : "]\n", e->out);
	for (size_t r = 0; r < e->row_count; r++) {
		for (size_t i = 0; i < e->count; i++)
			free(e->rows[r].cells[i]);
		for (size_t i = 0; i < e->rows[r].detail_count; i++)
			free(e->rows[r].details[i]);
		free(e->rows[r].cells);
		free(e->rows[r].details);
	}
	free(e->rows);
	free(e);
}

static int unknown_column(const char *word, const struct column *columns,
			  size_t count, struct diag *d)
{
	char list[512];
	size_t used = 0;

	list[0] = '\0';
	for (size_t i = 0; i < count && used < sizeof(list); i++)
		if (columns[i].is_sortable)
			used += (size_t)snprintf(list + used, sizeof(list) - used,
						 "%s%s", used ? ", " : "",
						 columns[i].key);
	return diag_set(d, STATUS_USAGE, "cannot sort by '%s': the columns are %s",
			word, list);
}

int emit_parse_sort(const char *text, const struct column *columns, size_t count,
		    struct sort_order *order, struct diag *d)
{
	char *copy = xstrdup(text);
	char *rest = copy;
	char *word;
	int result = 0;

	order->count = 0;
	while (result == 0 && (word = strsep(&rest, ",")) != NULL) {
		bool is_turned = *word == '-';
		size_t i = 0;

		word += is_turned;
		while (i < count && !(columns[i].is_sortable &&
				      strcmp(columns[i].key, word) == 0))
			i++;
		if (i == count) {
			result = unknown_column(word, columns, count, d);
		} else if (order->count == SORT_MAX) {
			result = diag_set(d, STATUS_USAGE,
					  "cannot sort by more than %d columns",
					  SORT_MAX);
		} else {
			order->keys[order->count++] = (struct sort_key){
				.column = i,
				.is_ascending = (columns[i].type == COLUMN_TEXT) !=
						is_turned,
			};
		}
	}
	free(copy);
	return result;
}
