/*
 * run_form.c - the driver: one form over one recording. Parse, open (reading.h), let
 * the form print, say what is missing, close.
 */
#include <stdlib.h>

#include "base/out.h"
#include "base/wrap.h"
#include "base/xmem.h"
#include "cli/command.h"
#include "cli/form_options.h"
#include "cli/reading.h"
#include "cli/report_output.h"
#include "forms/health.h"

/* A run and what the driver alone knows of it. */
struct drive {
	struct reading reading;
	struct out out;
	bool is_live;          /* of a living process: there is no recording */
};

static void put_notes(struct drive *d)
{
	struct run *run = &d->reading.run;
	bool on_error = run->format != EMIT_TEXT || run->own_format ||
			run->form->has_bare_text || run->is_bare;
	struct health *health;

	if (run->format == EMIT_JSON && run->form->has_json_notes)
		return;
	health = health_new(run);
	if (!on_error && health->count > 0)
		putc('\n', run->out);
	for (size_t i = 0; i < health->count; i++) {
		if (on_error) {
			diag_print("note", "%s", health->notes[i]);
			continue;
		}
		fputs("note: ", run->out);
		wrap_put(run->out, health->notes[i], 6, 6, run->width);
	}
	health_free(health);
}

/* Of a recording without calls most reports would print noughts that nobody counted. */
static int check_known(struct reading *rd)
{
	if (rd->run.form->knows_outside || !recording_is_outside(rd->run.recording))
		return 0;
	return diag_set(&rd->diag, STATUS_USAGE, "'%s' needs the program's calls, and this recording was "
			"made from outside (record --no-preload); 'allotrope maps', 'timeline' and "
			"'summary' show what the kernel told", rd->run.form->name);
}

static int print_report(struct drive *d)
{
	struct run *run = &d->reading.run;
	const struct form *form = run->form;

	reading_begin(&d->reading);
	if (form->begin && form->begin(run) != 0)
		return -1;
	if (reading_replay(&d->reading) != 0)
		return -1;
	if (form->end && form->end(run) != 0)
		return -1;
	put_notes(d);
	return 0;
}

/* What a report without a recording needs of its options. */
static void begin_live(struct reading *rd)
{
	rd->run.diag = &rd->diag;
	rd->run.format = rd->options.format;
	rd->run.own_format = rd->options.own_format;
	rd->run.top = rd->options.has_top ? rd->options.top : 0;
}

int command_run_form(const struct form *form, int argc, char **argv)
{
	struct drive d = { 0 };
	struct reading *rd = &d.reading;
	void *state = xcalloc(1, form->state_size ? form->state_size : 1);
	int result = -1;

	rd->run.form = form;
	rd->run.state = state;
	form_options_parse(form, argc, argv, &rd->options, state);
	d.is_live = form->is_live && form->is_live(state);
	if (d.is_live)
		begin_live(rd);
	if ((d.is_live || (reading_open(rd, form) == 0 && check_known(rd) == 0 &&
			    reading_prepare(rd) == 0)) &&
	    report_output_open(&d.out, &rd->run, &rd->options) == 0) {
		struct diag closing = { 0 };

		result = d.is_live ? form->live(&rd->run) : print_report(&d);
		/* before the output is closed: a form may still hold lines back */
		if (form->release)
			form->release(&rd->run);
		if (out_close(&d.out, result == 0, &closing) != 0 && result == 0) {
			rd->diag = closing;
			result = -1;
		}
	} else if (form->release) {
		form->release(&rd->run);
	}
	reading_release(rd);
	free(state);
	if (result == 0)
		return rd->run.status;
	diag_print(NULL, "%s", rd->diag.text);
	if (rd->diag.status == STATUS_USAGE)
		fprintf(stderr, "Try 'allotrope %s --help'.\n", form->name);
	return rd->diag.status;
}
