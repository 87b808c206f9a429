/*
 * suppressions.c - the two grammars. What is accepted was found out with valgrind 3.19 and
 * LeakSanitizer of LLVM 14 and GCC 12.
 */
#include "forms/suppressions.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text_file.h"
#include "base/xmem.h"

/* valgrind's own limit (VG_MAX_SUPP_CALLERS), there as in ours for a slip of the hand. */
#define LOCATIONS_MAX 24

/* ---- life ---- */

static void release_one(struct suppression *p)
{
	for (size_t i = 0; i < p->location_count; i++)
		free(p->locations[i].pattern);
	free(p->locations);
	free(p->name);
}

void suppressions_release(struct suppressions *s)
{
	for (size_t i = 0; i < s->count; i++)
		release_one(&s->items[i]);
	for (size_t i = 0; i < s->file_count; i++)
		free(s->files[i]);
	free(s->items);
	free(s->files);
	memset(s, 0, sizeof(*s));
}

/* ---- reading ---- */

struct reading {
	struct suppressions *list;
	struct text_lines lines;
	const char *file;
	struct diag *diag;
};

static struct suppression *add(struct reading *r, char *name, bool is_valgrind)
{
	struct suppressions *s = r->list;

	xgrow(&s->items, &s->capacity, s->count, sizeof(*s->items));
	s->items[s->count] = (struct suppression){
		.name = name,
		.file = r->file,
		.line = r->lines.number,
		.is_valgrind = is_valgrind,
	};
	return &s->items[s->count++];
}

static int wrong(struct reading *r, const char *reason, const char *line)
{
	return diag_set(r->diag, STATUS_USAGE, "'%s', line %u: %s%s%.100s%s", r->file, r->lines.number,
			reason, line ? ": '" : "", line ? line : "", line ? "'" : "");
}

/* The next line that says something, the caller's; NULL at the end. */
static char *next_line(struct reading *r)
{
	char *line;

	while ((line = text_lines_next(&r->lines)) != NULL) {
		if (*line && *line != '#')
			return line;
		free(line);
	}
	return NULL;
}

static int read_leak_line(struct reading *r, const char *line)
{
	if (strcmp(line, "{") == 0)
		return wrong(r, "a valgrind suppression in a file that began with leak: lines", NULL);
	if (strncmp(line, "leak:", 5) != 0)
		return wrong(r, "expected leak:PATTERN", line);
	if (!line[5])
		return wrong(r, "the pattern after leak: is empty ('leak:*' suppresses everything)",
			     NULL);
	add(r, xstrdup(line + 5), false);
	return 0;
}

/* "Memcheck,Other:Leak": 1 for leaks, 0 for something else, -1 where it is wrong. */
static int kind_line(struct reading *r, const char *line)
{
	const char *colon = strchr(line, ':');
	bool is_memcheck = false;

	if (!colon || colon == line || !colon[1])
		return wrong(r, "expected TOOL:KIND, as Memcheck:Leak", line);
	for (const char *tool = line; tool <= colon; ) {
		size_t bytes = strcspn(tool, ",:");

		is_memcheck |= bytes == 8 && strncmp(tool, "Memcheck", 8) == 0;
		tool += bytes + 1;
	}
	if (!is_memcheck)
		return 0;
	if (strcmp(colon + 1, "Leak") == 0)
		return 1;
	if (strcasecmp(colon + 1, "leak") == 0)
		return wrong(r, "the kind is written 'Leak'", line);
	return 0;
}

static int leak_kinds(struct reading *r, struct suppression *p, const char *kinds)
{
	static const char *const words[] = {
		"definite", "indirect", "possible", "reachable", "all", "none",
	};
	unsigned seen = 0;

	for (kinds += strspn(kinds, " \t"); *kinds; ) {
		size_t bytes = strcspn(kinds, ","), i;

		for (i = 0; i < 6; i++)
			if (strlen(words[i]) == bytes && strncmp(words[i], kinds, bytes) == 0)
				break;
		if (i == 6)
			return wrong(r, "match-leak-kinds has definite, indirect, possible, reachable, "
				     "all or none, separated by commas", kinds);
		seen |= 1u << i;
		kinds += bytes + (kinds[bytes] == ',');
	}
	if (!seen)
		return wrong(r, "match-leak-kinds: without a kind", NULL);
	p->has_kinds = !(seen & 1u << 4) && (seen & 0xf) != 0xf;
	return 0;
}

static int read_location(struct reading *r, struct suppression *p, const char *line)
{
	static const struct { const char *prefix; enum location_kind kind; } kinds[] = {
		{ "fun:", LOCATION_FUNCTION }, { "obj:", LOCATION_OBJECT }, { "src:", LOCATION_SOURCE },
	};
	struct suppression_location location = { LOCATION_ANY, NULL };

	if (p->location_count == LOCATIONS_MAX)
		return wrong(r, "more than 24 frames in a suppression", NULL);
	if (strcmp(line, "...") != 0) {
		for (size_t i = 0; i < 3; i++) {
			if (strncmp(line, kinds[i].prefix, 4) == 0) {
				location.kind = kinds[i].kind;
				location.pattern = xstrdup(line + 4);
			}
		}
		if (!location.pattern)
			return wrong(r, "expected fun:, obj:, src:, '...' or '}'", line);
	}
	/* "pthread_create@@GLIBC_2.34": the version is not in our names */
	if (location.kind == LOCATION_FUNCTION) {
		size_t bytes = strcspn(location.pattern, "@");

		if (bytes > 0)
			location.pattern[bytes] = '\0';
	}
	xgrow(&p->locations, &p->location_capacity, p->location_count, sizeof(*p->locations));
	p->locations[p->location_count++] = location;
	return 0;
}

/* The frames of P up to "}". */
static int read_locations(struct reading *r, struct suppression *p)
{
	bool has_frame = false, is_first = true;
	char *line;

	while ((line = next_line(r)) != NULL && strcmp(line, "}") != 0) {
		int result = is_first && strncmp(line, "match-leak-kinds:", 17) == 0 ?
			     leak_kinds(r, p, line + 17) : read_location(r, p, line);

		free(line);
		if (result != 0)
			return -1;
		is_first = false;
	}
	if (!line)
		return wrong(r, "the file ends inside a suppression: '}' is missing", NULL);
	free(line);
	for (size_t i = 0; i < p->location_count; i++)
		has_frame |= p->locations[i].kind != LOCATION_ANY;
	if (!has_frame)
		return wrong(r, "a suppression needs at least one fun:, obj: or src:", NULL);
	return 0;
}

/* The rest of a suppression that is not about leaks. */
static int skip_block(struct reading *r)
{
	char *line;

	while ((line = next_line(r)) != NULL && strcmp(line, "}") != 0)
		free(line);
	if (!line)
		return wrong(r, "the file ends inside a suppression: '}' is missing", NULL);
	free(line);
	return 0;
}

static int read_block(struct reading *r)
{
	struct suppression *p;
	char *name = next_line(r), *kind;
	int result;

	if (!name || strcmp(name, "}") == 0) {
		free(name);
		return wrong(r, "a suppression begins with its name", NULL);
	}
	p = add(r, name, true);
	kind = next_line(r);
	if (!kind)
		return wrong(r, "the file ends inside a suppression: '}' is missing", NULL);
	result = kind_line(r, kind);
	free(kind);
	if (result == 1)
		return read_locations(r, p);
	release_one(p);
	r->list->count--;
	return result < 0 ? -1 : skip_block(r);
}

static int read_valgrind_line(struct reading *r, const char *line)
{
	if (strcmp(line, "{") != 0)
		return wrong(r, "expected '{' or the end of the file", line);
	return read_block(r);
}

int suppressions_parse(struct suppressions *s, const char *text, size_t bytes, const char *file,
		       struct diag *d)
{
	struct reading r = { .list = s, .lines = { text, text + bytes, 0 }, .diag = d };
	bool is_first = true, is_valgrind = false;
	int result = 0;
	char *line;

	xgrow(&s->files, &s->file_capacity, s->file_count, sizeof(*s->files));
	s->files[s->file_count] = xstrdup(file);
	r.file = s->files[s->file_count++];
	while (result == 0 && (line = next_line(&r)) != NULL) {
		if (is_first)
			is_valgrind = *line == '{';
		is_first = false;
		result = is_valgrind ? read_valgrind_line(&r, line) : read_leak_line(&r, line);
		free(line);
	}
	return result;
}

int suppressions_read(struct suppressions *s, const char *path, struct diag *d)
{
	size_t bytes;
	char *text = text_file_read(path, &bytes, d);
	int result;

	if (!text)
		return -1;
	result = suppressions_parse(s, text, bytes, path, d);
	free(text);
	return result;
}
