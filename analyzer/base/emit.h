/*
 * emit.h - one table, three forms: text for people, CSV (RFC 4180) and JSON (an
 * array of objects) for programs. The columns are described once; heading, key,
 * alignment and --sort come from that description.
 *
 * Text holds the rows back until emit_free, to know the widths; CSV and JSON
 * are written row by row.
 */
#ifndef BASE_EMIT_H
#define BASE_EMIT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/diag.h"

enum emit_format { EMIT_TEXT, EMIT_CSV, EMIT_JSON };

enum column_type {
	COLUMN_TEXT,    /* left-aligned, escaped; the last one is not padded */
	COLUMN_COUNT,   /* 1,234,567 in text, digits elsewhere */
	COLUMN_EXACT,   /* digits everywhere */
	COLUMN_BYTES,   /* 9.1 MiB in text, digits elsewhere */
	COLUMN_NS,      /* nanoseconds: 4.56 ms in text, digits elsewhere */
	COLUMN_PERCENT, /* real; 12.5 in text */
	COLUMN_REAL,    /* real; three digits after the point in text */
	COLUMN_MORE_COUNT, /* a change: +1,234 or -1,234 in text, digits elsewhere */
	COLUMN_MORE_BYTES, /* a change: +9.1 MiB in text, digits elsewhere */
	COLUMN_ADDRESS, /* 0x55d0c0a2a2a0; a string in JSON */
	COLUMN_JSON,    /* a JSON value: in JSON only */
};

/* Where a column is shown. */
#define SHOW_TEXT 1u
#define SHOW_CSV  2u
#define SHOW_JSON 4u
#define SHOW_ALL  (SHOW_TEXT | SHOW_CSV | SHOW_JSON)

struct column {
	const char *key;       /* CSV header, JSON member, word of --sort */
	const char *heading;   /* in text */
	enum column_type type;
	unsigned shown;        /* SHOW_*; 0: SHOW_ALL */
	bool is_sortable;
	const char *help;      /* with its unit; for the manual and --help */
};

struct cell {
	bool is_known;         /* false: "-" in text, empty in CSV, null in JSON */
	union {
		uint64_t number;
		int64_t change;    /* COLUMN_MORE_* */
		double real;
		const char *text;  /* need not outlive the call */
		json_t *json;      /* the reference is taken over */
	};
};

static inline struct cell cell_number(uint64_t n)
{
	return (struct cell){ .is_known = true, .number = n };
}

static inline struct cell cell_change(int64_t n)
{
	return (struct cell){ .is_known = true, .change = n };
}

static inline struct cell cell_real(double v)
{
	return (struct cell){ .is_known = true, .real = v };
}

/* NULL: not known. */
static inline struct cell cell_text(const char *text)
{
	return (struct cell){ .is_known = text != NULL, .text = text };
}

static inline struct cell cell_json(json_t *value)
{
	return (struct cell){ .is_known = value != NULL, .json = value };
}

struct emit;

struct emit_options {
	enum emit_format format;
	bool color;
	int indent;            /* text: columns before each line */
	bool no_heading;       /* text: rows only */
};

/* COLUMNS must outlive the table. */
struct emit *emit_new(FILE *out, const struct column *columns, size_t count,
		      const struct emit_options *options);

/* A row: one cell for each column, shown or not. */
void emit_row(struct emit *e, const struct cell *cells);

/* Text only: LINE as it is under the row just given; the caller escaped it. */
void emit_detail(struct emit *e, const char *line);

/* Write what is held back and end the table. */
void emit_free(struct emit *e);

/* ---- sorting ---- */

#define SORT_MAX 8

struct sort_key { size_t column; bool is_ascending; };
struct sort_order { struct sort_key keys[SORT_MAX]; size_t count; };

/*
 * Read "bytes,function": keys of sortable columns; numbers fall, texts rise, "-" before
 * a key turns that round. Returns 0, or -1 with D naming the columns there are.
 */
int emit_parse_sort(const char *text, const struct column *columns, size_t count,
		    struct sort_order *order, struct diag *d);

/* A change as the columns of changes have it in text; BUFFER: UNITS_MAX + 1 bytes, returned. */
const char *change_text(char *buffer, int64_t change, bool is_bytes);

/* ---- JSON ---- */

/* S as a JSON string: bytes that are no UTF-8 and control characters as \xNN. NULL: null. */
json_t *json_from_text(const char *s);

/* N as a JSON integer; beyond 2^63 - 1 (damaged input only) as a real. */
json_t *json_from_number(uint64_t n);

/* Write V, indented by two, and a line end; V's reference is taken over. */
void json_write(FILE *out, json_t *v);

/* One CSV field, quoted where RFC 4180 asks for it. */
void csv_put(FILE *out, const char *text);

#endif
