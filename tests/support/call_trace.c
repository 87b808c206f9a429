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

#define THREADS_MAX 256

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
	for (int i = 0; i < t->early_count; i++)
		line_free(&t->early[i]);
	free(t->lines);
	free(t->early);
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
	char *paren = strrchr(text, '('), *bracket = strrchr(text, '['), *slash;

	if (!paren || !bracket || l->frame_count == FRAMES_MAX)
		return;
	*paren++ = '\0';
	bracket[-2] = '\0';
	slash = strrchr(text, '/');
	assert_true(asprintf(&l->frames[l->frame_count], "%s %.*s", slash ? slash + 1 : text,
			     (int)strcspn(bracket, "]") + 1, bracket) > 0);
	l->functions[l->frame_count++] = strdup(paren);
}

static bool is_loader_frame(const char *frame)
{
	return strncmp(frame, "ld-linux", 8) == 0 || strncmp(frame, "ld-2", 4) == 0;
}

enum origin { OF_PROGRAM, OF_CONSTRUCTOR, OF_LOADER, OF_TEST };

static enum origin line_origin(const struct trace_line *l, bool is_strace)
{
	for (int k = 0; k < l->frame_count; k++)
		if (strncmp(l->frames[k], "scrub.so ", 9) == 0)
			return OF_TEST;
	if (l->frame_count == 0)
		return OF_PROGRAM;
	if (is_strace && is_loader_frame(l->frames[0]))
		return OF_LOADER;
	return is_loader_frame(l->frames[l->frame_count - 1]) ? OF_CONSTRUCTOR : OF_PROGRAM;
}

/*
 * "mmap(... <unfinished ...>" and "<... mmap resumed>) = 0" as one line, where it was begun: *LINE,
 * to which the frames behind the latter belong. Returns false where TEXT is another thing.
 */
static bool resume(struct call_trace *t, long tid, const char *text, struct trace_line **line)
{
	const char *rest = strstr(text, " resumed>");

	if (strncmp(text, "<... ", 5) != 0 || !rest)
		return false;
	*line = NULL;
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
		*line = l;
		return true;
	}
	return true;
}

struct call_trace call_trace_read(const char *path, int is_strace)
{
	struct call_trace t = {
		.lines = calloc(CALLS_MAX, sizeof(struct trace_line)),
		.early = calloc(CALLS_MAX, sizeof(struct trace_line)),
	};
	struct trace_line *line = NULL;
	FILE *in = fopen(path, "r");
	char text[4096];
	int kept = 0;

	assert_non_null(in);
	while (fgets(text, sizeof(text), in) && t.count < CALLS_MAX) {
		char *rest;
		long tid;

		text[strcspn(text, "\n")] = '\0';
		if (strncmp(text, " > ", 3) == 0 && line)
			add_frame(line, text + 3);
		tid = strtol(text, &rest, 10);
		rest += strspn(rest, " ");
		if (tid == 0 || !(isalpha((unsigned char)*rest) || *rest == '<') ||
		    resume(&t, tid, rest, &line))
			continue;
		line = &t.lines[t.count++];
		line->tid = tid;
		line->text = strdup(rest);
	}
	fclose(in);
	for (int i = 0; i < t.count; i++) {
		enum origin origin = line_origin(&t.lines[i], is_strace);

		if (origin == OF_PROGRAM)
			t.lines[kept++] = t.lines[i];
		else if (origin == OF_CONSTRUCTOR)
			t.early[t.early_count++] = t.lines[i];
		else
			line_free(&t.lines[i]);
		t.set_aside += origin != OF_PROGRAM;
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
 * glibc maps twice what an arena needs and gives back what is around the aligned half, or takes
 * the other half of one before: which, and how much at each end, is chance. Either is one line,
 * "arena". Returns the line behind it, I where there is none.
 */
static int join_arena(const struct call_trace *t, int i, char *text)
{
	const char *first = t->lines[i].text, *result = strrchr(first, '=');
	int n = i + 1, k = i + 1;
	long sum = 0;

	if (strstr(first, ", 67108864, PROT_NONE, ") && strncmp(first, "mmap(0x", 7) == 0 &&
	    result && strtoul(result + 1, NULL, 16) % 67108864 == 0) {
		strcpy(text, "arena");
		return i + 1;
	}
	if (strncmp(first, "mmap(NULL, 134217728, PROT_NONE", 31) != 0)
		return i;
	for (; k < t->count && (t->lines[k].tid != t->lines[i].tid ||
				strncmp(t->lines[k].text, "munmap(", 7) == 0); k++) {
		if (t->lines[k].tid != t->lines[i].tid)
			continue;
		sum += strtol(strchr(t->lines[k].text, ',') + 1, NULL, 10);
		n = k + 1;
	}
	if (sum == 67108864)
		strcpy(text, "arena");
	else
		sprintf(text, "arena of %ld bytes", 134217728 - sum);
	return n;
}

/* The calls of TID among LINES. */
static char *text_of(const struct trace_line *lines, int count, long tid)
{
	static struct labels labels;
	const struct call_trace t = { .lines = (struct trace_line *)lines, .count = count };
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	memset(&labels, 0, sizeof(labels));
	for (int i = 0; i < count; i++) {
		char arena[64], *line;
		int next;

		if (lines[i].tid != tid)
			continue;
		next = join_arena(&t, i, arena);
		if (next > i) {
			fprintf(out, "%s\n", arena);
			i = next - 1;
			continue;
		}
		line = labelled(&labels, lines[i].text);
		fprintf(out, "%s\n", strncmp(line, "shmat(", 6) == 0 ? strchr(line, ',') : line);
		free(line);
	}
	fclose(out);
	return text;
}

char *call_trace_thread(const struct call_trace *t, int number)
{
	long seen[THREADS_MAX];
	int threads = 0;

	for (int i = 0; i < t->count && threads <= number; i++) {
		int k = 0;

		while (k < threads && seen[k] != t->lines[i].tid)
			k++;
		if (k == threads && threads < THREADS_MAX)
			seen[threads++] = t->lines[i].tid;
	}
	return threads > number ? text_of(t->lines, t->count, seen[number]) : NULL;
}

/* ---- comparing ---- */

void assert_same_lines(const char *command, int thread, const char *ours, const char *theirs)
{
	int line = 1;

	for (; *ours && *theirs; line++) {
		size_t a = strcspn(ours, "\n"), b = strcspn(theirs, "\n");

		if (a != b || memcmp(ours, theirs, a) != 0)
			fail_msg("%s, thread %d, call %d: %.*s, strace: %.*s", command, thread, line,
				 (int)a, ours, (int)b, theirs);
		ours += a + 1;
		theirs += b + 1;
	}
	if (*ours || *theirs)
		fail_msg("%s, thread %d: after %d calls %s has more: %.200s", command, thread, line - 1,
			 *ours ? "allotrope" : "strace", *ours ? ours : theirs);
}

/* Constructors may have run before the library came: only the last calls are in both. */
static void compare_early(const char *command, const struct call_trace *ours,
			  const struct call_trace *theirs)
{
	int first = theirs->early_count - ours->early_count;
	char *a, *b;

	if (first < 0)
		fail_msg("%s: %d calls of constructors, strace %d", command, ours->early_count,
			 theirs->early_count);
	if (ours->early_count == 0)
		return;
	a = text_of(ours->early, ours->early_count, ours->early[0].tid);
	b = text_of(theirs->early + first, ours->early_count, theirs->early[first].tid);
	assert_same_lines(command, -1, a, b);
	free(a);
	free(b);
}

int call_trace_compare(const char *command, const struct call_trace *ours,
		       const struct call_trace *theirs)
{
	char *a[THREADS_MAX + 1] = { NULL }, *b;
	int threads = 0, free_one, k;

	while (threads < THREADS_MAX && (a[threads] = call_trace_thread(ours, threads)) != NULL)
		threads++;
	for (int i = 0; (b = call_trace_thread(theirs, i)) != NULL; i++) {
		free_one = -1;
		for (k = 0; k < threads && !(a[k] && strcmp(a[k], b) == 0); k++)
			if (a[k] && (free_one < 0 || k == i))
				free_one = k;
		if (k == threads)
			assert_same_lines(command, i, free_one < 0 ? "" : a[free_one], b);
		free(a[k]);
		a[k] = NULL;
		free(b);
	}
	for (k = 0; k < threads; k++)
		assert_same_lines(command, k, a[k] ? a[k] : "", "");
	compare_early(command, ours, theirs);
	return threads;
}
