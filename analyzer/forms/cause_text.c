/*
 * cause_text.c - see cause_text.h.
 */
#include "forms/cause_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/visible.h"
#include "base/xmem.h"
#include "forms/call_line.h"
#include "forms/stack_text.h"

struct cause_texts {
	const struct run *run;
	stack_id stack;     /* that `place` is of */
	char *place;
	FILE *out;          /* to `text` */
	char *text;
	size_t bytes;
};

struct cause_texts *cause_texts_new(const struct run *run)
{
	struct cause_texts *t = xcalloc(1, sizeof(*t));

	t->run = run;
	t->out = open_memstream(&t->text, &t->bytes);
	return t;
}

void cause_texts_free(struct cause_texts *t)
{
	if (!t)
		return;
	if (t->out)
		fclose(t->out);
	free(t->text);
	free(t->place);
	free(t);
}

static char *place_text(const struct symbol_frame *frame)
{
	const char *slash;
	char *text, *safe;

	if (!frame || !frame->function || !frame->file || frame->line <= 0)
		return frame_text(frame);
	slash = strrchr(frame->file, '/');
	text = xasprintf("%s:%d", slash && slash[1] ? slash + 1 : frame->file, frame->line);
	safe = visible_text(text);
	free(text);
	return safe;
}

const char *cause_place(struct cause_texts *t, stack_id stack)
{
	const struct run *run = t->run;
	struct frame_place place;

	if (stack == STACK_NONE)
		return NULL;
	if (stack != t->stack) {
		place = wrappers_user(run->wrappers, run->resolver, run->stacks, stack, false);
		free(t->place);
		t->place = place_text(place.frame);
		t->stack = stack;
	}
	return t->place;
}

const char *cause_text(struct cause_texts *t, uint8_t func, const struct call *call,
		       stack_id stack)
{
	const struct call_line line = { .kind = LINE_CALL, .call = { .func = func } };
	const char *place = cause_place(t, stack);

	if (!t->out)
		return "";
	rewind(t->out);
	if (call)
		call_put(t->out, call);
	else
		fprintf(t->out, "%s(?)", call_line_name(&line));
	if (place)
		fprintf(t->out, " at %s", place);
	putc('\0', t->out);
	fflush(t->out);
	return t->text;
}
