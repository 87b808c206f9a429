/*
 * call_trace.c - see call_trace.h.
 */
#include "support/call_trace.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static void line_free(struct trace_line *l)
{
	free(l->text);
	for (int k = 0; k < l->frame_count; k++) {
		free(l->frames[k]);
		free(l->functions[k]);
	}
}

void call_trace_free(struct call_trace *t)
{
	for (int i = 0; i < t->count; i++)
		line_free(&t->lines[i]);
	free(t->lines);
}

void call_trace_drop(struct call_trace *t, int count)
{
	assert_in_range(count, 0, t->count);
	for (int i = 0; i < count; i++)
		line_free(&t->lines[i]);
	t->count -= count;
	memmove(t->lines, t->lines + count, (size_t)t->count * sizeof(*t->lines));
}

/* " > /lib/x.so(function+0x12) [0x98fa8]" */
static void add_frame(struct trace_line *l, char *text)
{
	char *paren = strrchr(text, '('), *bracket = strrchr(text, '['), *slash, *plus;

	if (!paren || !bracket || l->frame_count == FRAMES_MAX)
		return;
	*paren++ = '\0';
	bracket[-2] = '\0';
	plus = strrchr(paren, '+');
	if (plus)
		*plus = '\0';
	slash = strrchr(text, '/');
	assert_true(asprintf(&l->frames[l->frame_count], "%s %.*s", slash ? slash + 1 : text,
			     (int)strcspn(bracket, "]") + 1, bracket) > 0);
	l->functions[l->frame_count++] = strdup(paren);
}

static bool is_loader_frame(const char *frame)
{
	return strncmp(frame, "ld-linux", 8) == 0 || strncmp(frame, "ld-2", 4) == 0;
}

static bool is_set_aside(const struct trace_line *l, bool is_strace)
{
	return l->frame_count > 0 && ((is_strace && is_loader_frame(l->frames[0])) ||
				      is_loader_frame(l->frames[l->frame_count - 1]));
}

/* "mmap(... <unfinished ...>" and "<... mmap resumed>) = 0" as one line, where it was begun. */
static bool resume(struct call_trace *t, long tid, const char *text)
{
	const char *rest = strstr(text, " resumed>");

	if (strncmp(text, "<... ", 5) != 0 || !rest)
		return false;
	for (int i = t->count - 1; i >= 0; i--) {
		struct trace_line *l = &t->lines[i];
		char *end = strstr(l->text, " <unfinished ...>"), *whole;

		if (l->tid != tid || !end)
			continue;
		*end = '\0';
		rest += strlen(" resumed>");
		rest += *rest == ' ';
		assert_true(asprintf(&whole, "%s%s", l->text, rest) > 0);
		free(l->text);
		l->text = whole;
		return true;
	}
	return true;
}

struct call_trace call_trace_read(const char *path, int is_strace)
{
	struct call_trace t = { calloc(CALLS_MAX, sizeof(struct trace_line)), 0, 0 };
	FILE *in = fopen(path, "r");
	char text[4096];
	int kept = 0;

	assert_non_null(in);
	while (fgets(text, sizeof(text), in) && t.count < CALLS_MAX) {
		char *rest;
		long tid;

		text[strcspn(text, "\n")] = '\0';
		if (strncmp(text, " > ", 3) == 0 && t.count > 0)
			add_frame(&t.lines[t.count - 1], text + 3);
		tid = strtol(text, &rest, 10);
		rest += strspn(rest, " ");
		if (tid == 0 || !(isalpha((unsigned char)*rest) || *rest == '<') ||
		    resume(&t, tid, rest))
			continue;
		t.lines[t.count].tid = tid;
		t.lines[t.count++].text = strdup(rest);
	}
	fclose(in);
	for (int i = 0; i < t.count; i++) {
		if (is_set_aside(&t.lines[i], is_strace)) {
			line_free(&t.lines[i]);
			t.set_aside++;
		} else {
			t.lines[kept++] = t.lines[i];
		}
	}
	t.count = kept;
	return t;
}

/* ---- the same for what differs from run to run ---- */

/* Numbers of addresses: a table without removals, four times as large as it is full. */
#define PLACES (4 * CALLS_MAX)

struct labels {
	unsigned long address[PLACES];
	int number[PLACES];
	int count;
};

static int label_of(struct labels *labels, unsigned long address)
{
	size_t place = address / 4096 * 0x9e3779b97f4a7c15ul % PLACES;

	while (labels->address[place] && labels->address[place] != address)
		place = (place + 1) % PLACES;
	if (!labels->address[place]) {
		labels->address[place] = address;
		labels->number[place] = labels->count++;
	}
	return labels->number[place];
}

/* Where a mapping lies is chance: addresses (six digits and more) become @0, @1, ... */
static char *labelled(struct labels *labels, const char *text)
{
	char *out = malloc(strlen(text) + 64), *end = out;

	for (const char *p = text; *p; ) {
		size_t digits = strncmp(p, "0x", 2) == 0 ? strspn(p + 2, "0123456789abcdef") : 0;

		if (digits < 6 || digits > 16) {
			/* the column of results depends on the length of what is before it */
			if (*p == ' ' && (p[1] == ' ' || (p[1] == '=' && end[-1] == ' ')))
				p++;
			else
				*end++ = *p++;
			continue;
		}
		end += sprintf(end, "@%d", label_of(labels, strtoul(p, NULL, 16)));
		p += digits + 2;
	}
	*end = '\0';
	return out;
}

/*
 * How much of the reservation for an arena is given back at each end depends on where it
 * lies: what follows the mmap is one line with the sum.
 */
static int join_arena(const struct call_trace *t, int i, char *text)
{
	long sum = 0;
	int n = i + 1, k = i + 1;

	for (; k < t->count && (t->lines[k].tid != t->lines[i].tid ||
				strncmp(t->lines[k].text, "munmap(", 7) == 0); k++) {
		if (t->lines[k].tid != t->lines[i].tid)
			continue;
		sum += strtol(strchr(t->lines[k].text, ',') + 1, NULL, 10);
		n = k + 1;
	}
	sprintf(text, "arena, %ld bytes too much", sum);
	return n;
}

char *call_trace_thread(const struct call_trace *t, int number)
{
	static struct labels labels;
	long seen[256];
	int threads = 0;
	char *text = NULL;
	size_t bytes;
	FILE *out;

	for (int i = 0; i < t->count && threads <= number; i++) {
		int k = 0;

		while (k < threads && seen[k] != t->lines[i].tid)
			k++;
		if (k == threads && threads < 256)
			seen[threads++] = t->lines[i].tid;
	}
	if (threads <= number)
		return NULL;
	memset(&labels, 0, sizeof(labels));
	out = open_memstream(&text, &bytes);
	for (int i = 0; i < t->count; i++) {
		char arena[64], *line;

		if (t->lines[i].tid != seen[number])
			continue;
		if (strncmp(t->lines[i].text, "mmap(NULL, 134217728, PROT_NONE", 31) == 0) {
			i = join_arena(t, i, arena) - 1;
			fprintf(out, "%s\n", arena);
			continue;
		}
		line = labelled(&labels, t->lines[i].text);
		fprintf(out, "%s\n", strncmp(line, "shmat(", 6) == 0 ? strchr(line, ',') : line);
		free(line);
	}
	fclose(out);
	return text;
}
