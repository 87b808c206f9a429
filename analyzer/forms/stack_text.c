/*
 * stack_text.c - words for frames. The only place that decides how a function
 * without a name or a line is called.
 */
#include "forms/stack_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/emit.h"
#include "base/visible.h"
#include "base/xmem.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

char *frame_function(const struct symbol_frame *f)
{
	if (!f)
		return NULL;
	if (f->function)
		return xstrdup(f->function);
	if (f->module)
		return xasprintf("%s+0x%" PRIx64, base_name(f->module), f->offset);
	return xasprintf("0x%" PRIx64, f->offset);
}

char *frame_text(const struct symbol_frame *f)
{
	char *function, *text, *safe;

	if (!f)
		return xstrdup("(no call stack)");
	function = frame_function(f);
	if (f->function && f->file && f->line > 0)
		text = xasprintf("%s (%s:%d)", function, base_name(f->file), f->line);
	else if (f->function && f->file)
		text = xasprintf("%s (%s)", function, base_name(f->file));
	else if (f->function && f->module)
		text = xasprintf("%s (%s)", function, base_name(f->module));
	else
		text = xstrdup(function);
	safe = visible_text(text);
	free(text);
	free(function);
	return safe;
}

/* Where the parameter list of a C++ function begins, or its end where it has none. */
static size_t name_bytes(const char *function)
{
	size_t length = strlen(function);
	size_t i = length;
	int depth = 0;

	if (length > 6 && strcmp(function + length - 6, " const") == 0)
		i -= 6;
	if (i == 0 || function[i - 1] != ')')
		return length;
	while (i > 0) {
		i--;
		depth += function[i] == ')';
		depth -= function[i] == '(';
		if (depth == 0)
			break;
	}
	/* "operator()" and a name that is all parentheses keep theirs */
	return depth == 0 && i > 0 && !(i >= 8 && strncmp(function + i - 8, "operator", 8) == 0) ?
	       i : length;
}

/* Bytes of "<...>" at TEXT, 0 where it is not closed. */
static size_t argument_bytes(const char *text)
{
	int depth = 0;

	for (size_t i = 0; text[i]; i++) {
		depth += text[i] == '<';
		depth -= text[i] == '>' && i > 0 && text[i - 1] != '-';
		if (depth == 0)
			return i + 1;
	}
	return 0;
}

/* FUNCTION with what stands in template arguments as "...": "basic_string<...>::append". */
static char *without_arguments(const char *function)
{
	char *text = xcalloc(strlen(function) * 2 + 8, 1);
	size_t out = 0;

	for (const char *p = function; *p; ) {
		size_t bytes = *p == '<' && p > function ? argument_bytes(p) : 0;

		if (strncmp(p, "operator", 8) == 0) {
			/* operator<, operator->, operator<=> */
			bytes = 8 + strspn(p + 8, "<>=-");
			memcpy(text + out, p, bytes);
			out += bytes;
			p += bytes;
		} else if (bytes > strlen("<...>")) {
			memcpy(text + out, "<...>", 5);
			out += 5;
			p += bytes;
		} else {
			text[out++] = *p++;
		}
	}
	return text;
}

char *frame_text_fit(const struct symbol_frame *f, size_t width)
{
	struct symbol_frame cut;
	char *text = frame_text(f);
	char *function, *fit;

	if (!f || !f->function || visible_width(text) <= width)
		return text;
	free(text);
	function = xstrndup(f->function, name_bytes(f->function));
	cut = *f;
	cut.function = function;
	text = frame_text(&cut);
	if (visible_width(text) > width) {
		char *shorter = without_arguments(function);

		free(text);
		free(function);
		cut.function = function = shorter;
		text = frame_text(&cut);
	}
	if (visible_width(text) > width) {
		free(text);
		text = visible_text(function);
	}
	fit = visible_fit(text, width);
	free(text);
	free(function);
	return fit;
}

char *stack_folded(const struct frame_tree *t, frame_node node)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return xstrdup("");
	for (frame_node n = node; n; n = frame_tree_parent(t, n)) {
		char *function = frame_function(frame_tree_frame(t, n));

		for (char *p = function; (p = strchr(p, ';')); )
			*p = ',';
		fprintf(out, "%s%s", n == node ? "" : ";", function);
		free(function);
	}
	fclose(out);
	return text;
}

json_t *stack_json(const struct frame_tree *t, frame_node node)
{
	json_t *list = json_array();

	for (; node; node = frame_tree_parent(t, node)) {
		const struct symbol_frame *f = frame_tree_frame(t, node);
		json_t *frame = json_object();
		char *function = frame_function(f);

		json_object_set_new(frame, "function", json_from_text(function));
		json_object_set_new(frame, "file", json_from_text(f->file));
		json_object_set_new(frame, "line",
				    f->line > 0 ? json_integer(f->line) : json_null());
		json_object_set_new(frame, "module", json_from_text(f->module));
		json_array_append_new(list, frame);
		free(function);
	}
	return list;
}
