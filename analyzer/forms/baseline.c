/*
 * baseline.c - see baseline.h: reading and writing of the text.
 */
#include "forms/baseline.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text_file.h"
#include "base/xmem.h"

#define HEAD "# allotrope baseline"
#define VERSION 1

/* Nobody writes more programs or sites: what comes behind is a mistake. */
#define PROGRAMS_MAX 10000
#define SITES_MAX 10000

static const struct { const char *key, *text; bool is_bytes; } figures[FIGURE_COUNT] = {
	[FIGURE_PEAK_BYTES] = { "peak_bytes", "bytes at the peak", true },
	[FIGURE_PEAK_BLOCKS] = { "peak_blocks", "blocks at the peak", false },
	[FIGURE_END_BYTES] = { "end_bytes", "bytes live at the end", true },
	[FIGURE_END_BLOCKS] = { "end_blocks", "blocks live at the end", false },
	[FIGURE_BLOCKS] = { "blocks", "blocks in all", false },
	[FIGURE_BYTES] = { "bytes", "bytes in all", true },
	[FIGURE_MAPPED_PEAK_BYTES] = { "mapped_peak_bytes", "bytes mapped at most", true },
};

const char *figure_key(enum figure f)
{
	return figures[f].key;
}

const char *figure_text(enum figure f)
{
	return figures[f].text;
}

bool figure_is_bytes(enum figure f)
{
	return figures[f].is_bytes;
}

enum figure figure_find(const char *key, size_t bytes)
{
	int f;

	for (f = 0; f < FIGURE_COUNT; f++)
		if (strlen(figures[f].key) == bytes && strncmp(figures[f].key, key, bytes) == 0)
			break;
	return (enum figure)f;
}

void baseline_release(struct baseline *b)
{
	for (size_t i = 0; i < b->count; i++) {
		struct baseline_program *p = &b->programs[i];

		for (size_t j = 0; j < p->site_count; j++)
			free(p->sites[j].function);
		free(p->sites);
		free(p->name);
	}
	free(b->programs);
	memset(b, 0, sizeof(*b));
}

struct baseline_program *baseline_add(struct baseline *b, char *name)
{
	xgrow(&b->programs, &b->capacity, b->count, sizeof(*b->programs));
	b->programs[b->count] = (struct baseline_program){ .name = name };
	return &b->programs[b->count++];
}

void baseline_add_site(struct baseline_program *p, char *function, struct amount peak)
{
	xgrow(&p->sites, &p->site_capacity, p->site_count, sizeof(*p->sites));
	p->sites[p->site_count++] = (struct baseline_site){ function, peak };
}

struct baseline_program *baseline_find(const struct baseline *b, const char *name)
{
	for (size_t i = 0; i < b->count; i++)
		if (strcmp(b->programs[i].name, name) == 0)
			return &b->programs[i];
	return NULL;
}

/* ---- reading ---- */

struct reading {
	struct baseline *baseline;
	struct text_lines lines;
	const char *file;
	struct diag *diag;
};

static int wrong(const struct reading *r, const char *reason, const char *line)
{
	return diag_set(r->diag, STATUS_USAGE, "'%s', line %u: %s%s%.100s%s", r->file,
			r->lines.number ? r->lines.number : 1, reason, line ? ": '" : "",
			line ? line : "", line ? "'" : "");
}

/* Digits at *TEXT, which moves behind them and the spaces there. Returns -1 where there are none. */
static int read_number(const char **text, uint64_t *n)
{
	char *end;

	if (**text < '0' || **text > '9')
		return -1;
	errno = 0;
	*n = strtoull(*text, &end, 10);
	if (errno || (*end && *end != ' '))
		return -1;
	*text = end + strspn(end, " ");
	return 0;
}

static int read_head(struct reading *r)
{
	char *line = text_lines_next(&r->lines);
	const char *number;
	uint64_t version;
	int result = 0;

	if (!line || strncmp(line, HEAD " ", strlen(HEAD) + 1) != 0) {
		result = wrong(r, "no baseline: it begins with '" HEAD " 1'", NULL);
	} else {
		number = line + strlen(HEAD) + 1;
		if (read_number(&number, &version) != 0 || *number)
			result = wrong(r, "no version", line);
		else if (version != VERSION)
			result = wrong(r, "a version of baselines that is not known here; this one is 1",
				       line);
	}
	free(line);
	return result;
}

static int read_program(struct reading *r, const char *name)
{
	if (!*name)
		return wrong(r, "program without a name", NULL);
	if (baseline_find(r->baseline, name))
		return wrong(r, "this program stands there twice", name);
	if (r->baseline->count == PROGRAMS_MAX)
		return wrong(r, "more than 10,000 programs", NULL);
	baseline_add(r->baseline, xstrdup(name))->line = r->lines.number;
	return 0;
}

static int read_site(struct reading *r, struct baseline_program *p, const char *rest, const char *line)
{
	struct amount peak;

	if (read_number(&rest, &peak.bytes) != 0 || read_number(&rest, &peak.blocks) != 0 || !*rest)
		return wrong(r, "expected 'site BYTES BLOCKS FUNCTION'", line);
	if (p->site_count == SITES_MAX)
		return wrong(r, "more than 10,000 sites", NULL);
	baseline_add_site(p, xstrdup(rest), peak);
	return 0;
}

static int read_figure(struct reading *r, struct baseline_program *p, enum figure f, const char *rest,
		       const char *line)
{
	if (read_number(&rest, &p->figures[f]) != 0 || *rest)
		return wrong(r, "expected a name and a number", line);
	if (p->has[f])
		return wrong(r, "this figure stands there twice", line);
	p->has[f] = true;
	p->lines[f] = r->lines.number;
	return 0;
}

static int read_line(struct reading *r, const char *line)
{
	struct baseline *b = r->baseline;
	struct baseline_program *p = b->count ? &b->programs[b->count - 1] : NULL;
	size_t bytes = strcspn(line, " ");
	const char *rest = line + bytes + strspn(line + bytes, " ");
	enum figure f = figure_find(line, bytes);

	if (bytes == 7 && strncmp(line, "program", 7) == 0)
		return read_program(r, rest);
	if (bytes == 8 && strncmp(line, "sampling", 8) == 0 && !p) {
		if (read_number(&rest, &b->sampling_bytes) == 0 && !*rest)
			return 0;
		return wrong(r, "expected 'sampling BYTES'", line);
	}
	if (!p && strcmp(line, "all") == 0) {
		b->is_all = true;
		return 0;
	}
	if (!p)
		return wrong(r, "expected 'program NAME' first", line);
	if (bytes == 4 && strncmp(line, "site", 4) == 0)
		return read_site(r, p, rest, line);
	if (f == FIGURE_COUNT)
		return wrong(r, "no figure of a baseline", line);
	return read_figure(r, p, f, rest, line);
}

int baseline_parse(struct baseline *b, const char *text, size_t bytes, const char *file,
		   struct diag *d)
{
	struct reading r = { b, { text, text + bytes, 0 }, file, d };
	int result = read_head(&r);
	char *line;

	while (result == 0 && (line = text_lines_next(&r.lines)) != NULL) {
		if (*line && *line != '#')
			result = read_line(&r, line);
		free(line);
	}
	if (result == 0 && b->count == 0)
		return wrong(&r, "no program in it: is it cut off?", NULL);
	return result;
}

int baseline_read(struct baseline *b, const char *path, struct diag *d)
{
	size_t bytes;
	char *text = text_file_read(path, &bytes, d);
	int result;

	if (!text)
		return -1;
	result = baseline_parse(b, text, bytes, path, d);
	free(text);
	return result;
}

/* ---- writing ---- */

void baseline_print(const struct baseline *b, FILE *out)
{
	fprintf(out, HEAD " %d\n", VERSION);
	fputs("# Written by 'allotrope check --write-baseline', read by 'allotrope check --baseline=FILE'.\n"
	      "# Sites are for explanation only: bytes and blocks at the peak, function.\n", out);
	if (b->sampling_bytes)
		fprintf(out, "sampling %" PRIu64 "\n", b->sampling_bytes);
	if (b->is_all)
		fputs("all\n", out);
	for (size_t i = 0; i < b->count; i++) {
		const struct baseline_program *p = &b->programs[i];

		fprintf(out, "\nprogram %s\n", p->name);
		for (int f = 0; f < FIGURE_COUNT; f++)
			if (p->has[f])
				fprintf(out, "%s %" PRIu64 "\n", figures[f].key, p->figures[f]);
		for (size_t j = 0; j < p->site_count; j++)
			fprintf(out, "site %" PRIu64 " %" PRIu64 " %s\n", p->sites[j].peak.bytes,
				p->sites[j].peak.blocks, p->sites[j].function);
	}
}
