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

static bool is_recorder(const char *module)
{
	static const char name[] = "/liballotrope.so";
	size_t bytes = strlen(module);

	return bytes >= sizeof(name) - 1 && strcmp(module + bytes - (sizeof(name) - 1), name) == 0;
}

/*
 * The first frame of STACK that is of another object than the innermost, the recording
 * library aside; STACK itself: there is none.
 */
static stack_id outside_allocator(const struct run *run, stack_id stack)
{
	const char *inner = resolver_frame(run->resolver, stack)->frames[0].module;
	stack_id outer = stack;

	while (outer != STACK_NONE) {
		const char *module = resolver_frame(run->resolver, outer)->frames[0].module;

		if (!inner || !module || (strcmp(inner, module) != 0 && !is_recorder(module)))
			return outer;
		outer = stacks_node(run->stacks, outer)->parent;
	}
	return stack;
}

const char *cause_place(struct cause_texts *t, stack_id stack, bool is_inner)
{
	const struct run *run = t->run;
	struct frame_place place;

	if (stack == STACK_NONE)
		return NULL;
	if (is_inner)
		stack = outside_allocator(run, stack);
	if (stack != t->stack) {
		place = wrappers_user(run->wrappers, run->resolver, run->stacks, stack, false);
		free(t->place);
		t->place = place_text(place.frame);
		t->stack = stack;
	}
	return t->place;
}

const char *cause_text(struct cause_texts *t, uint8_t func, const struct call *call,
		       stack_id stack, bool is_inner)
{
	const struct call_line line = { .kind = LINE_CALL, .call = { .func = func } };
	const char *place = cause_place(t, stack, is_inner);

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
