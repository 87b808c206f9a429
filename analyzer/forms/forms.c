/*
 * forms.c - the table of forms, and what all of them ask of a run.
 */
#include "forms/form.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/term.h"
#include "base/visible.h"
#include "base/xmem.h"

#define FORM(name) extern const struct form form_##name;
#include "forms/forms.def"
#undef FORM

const struct form *const forms[] = {
#define FORM(name) &form_##name,
#include "forms/forms.def"
#undef FORM
	NULL,
};

const struct form *form_find(const char *name)
{
	for (size_t i = 0; forms[i]; i++)
		if (strcmp(forms[i]->name, name) == 0)
			return forms[i];
	return NULL;
}

void form_usage_error(const struct argp_state *state, const char *format, ...)
{
	const struct form_input *input = state->input;
	va_list ap;
	char *text;

	va_start(ap, format);
	text = xvasprintf(format, ap);
	va_end(ap);
	input->usage_error(state, text);
}

uint32_t form_depth(const struct argp_state *state, const char *text)
{
	char *end;
	unsigned long depth = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || depth > DEPTH_MAX)
		form_usage_error(state, "--depth takes a number of frames from 0 (all) to %d, not '%s'",
				 DEPTH_MAX, text);
	return (uint32_t)depth;
}

bool run_shows(const struct run *run, uint32_t image)
{
	const struct image *i;

	if (run->is_all)
		return true;
	if (run->is_default)
		return image == run->default_image;
	i = recording_image(run->recording, image);
	return i && i->pid == run->pid &&
	       (run->exec_number < 0 || i->exec_number == run->exec_number);
}

size_t run_rows(const struct run *run, size_t count)
{
	return run->top == 0 || run->top > count ? count : run->top;
}

void run_note(struct run *run, const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	text = xvasprintf(format, ap);
	va_end(ap);
	xgrow(&run->notes, &run->note_capacity, run->note_count, sizeof(*run->notes));
	run->notes[run->note_count++] = text;
}

struct emit *run_table(struct run *run, const struct column *columns, size_t count)
{
	struct emit_options options = {
		.format = run->format,
		.color = run->color,
	};

	return emit_new(run->out, columns, count, &options);
}

/* WORD is shown as it is; anything else is quoted. */
static bool is_plain_word(const char *word)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789_@%+=:,./-";

	return *word && word[strspn(word, plain)] == '\0';
}

char *image_command(const struct image *image)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return xstrdup("?");
	if (image->argc == 0)
		fputs(image->exe && *image->exe ? image->exe : "?", out);
	for (int i = 0; i < image->argc; i++) {
		const char *word = image->argv[i];

		if (i > 0)
			putc(' ', out);
		if (is_plain_word(word)) {
			fputs(word, out);
			continue;
		}
		putc('\'', out);
		for (; *word; word++) {
			if (*word == '\'')
				fputs("'\\''", out);
			else
				putc(*word, out);
		}
		putc('\'', out);
	}
	fclose(out);
	return text;
}

void run_put_image(const struct run *run, const struct image *image)
{
	const struct recording *r = run->recording;
	char *command, *shown;
	size_t number = 0;

	if (r->image_count < 2)
		return;
	while (number < r->image_count && &r->images[number] != image)
		number++;
	command = image_command(image);
	shown = visible_fit(command, 60);
	fprintf(run->out, "%s%zu of %zu: %s (pid %" PRIu32 "%s", term_style(run->color, STYLE_FAINT),
		number + 1, r->image_count, shown, image->pid,
		run->is_default ? "); others: --pid, --all" : ")");
	fprintf(run->out, "%s\n\n", term_plain(run->color));
	free(command);
	free(shown);
}
