/*
 * run_form.c - the driver: one form over one recording. Parse, open, find out
 * what is shown, replay, let the form print, say what is missing, close. Replays once;
 * a second and third time only for what is known late: the default image of a
 * form that prints while it reads, and the figures of a window.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/out.h"
#include "base/term.h"
#include "base/units.h"
#include "base/wrap.h"
#include "base/xmem.h"
#include "cli/command.h"
#include "cli/form_options.h"
#include "cli/input_file.h"
#include "cli/moment.h"
#include "forms/health.h"
#include "forms/window.h"
#include "trace/merge.h"

/* A run and what the driver alone knows of it. */
struct drive {
	struct run run;
	struct form_options options;
	struct diag diag;
	struct out out;
	struct wrappers *wrappers;
	struct replay *base;     /* events before the window */
	struct window *window;
};

static unsigned replay_wants(const struct form *form)
{
	return (form->needs & NEED_SIZES ? REPLAY_SIZES : 0) |
	       (form->needs & NEED_BLOCKS ? REPLAY_BLOCKS : 0);
}

/* A form that names no call stacks needs no tree of them: half the time, and most of the memory. */
static struct stacks *stacks_needed(const struct run *run)
{
	return run->form->needs & (NEED_SYMBOLS | NEED_EVENTS | NEED_ALL) ? run->stacks : NULL;
}

/* Replay up to UNTIL (0: all) and finish; EACH (may be NULL) sees every event from SINCE on. */
static struct replay *replay_part(struct drive *d, unsigned wants, uint64_t since,
				  uint64_t until,
				  void (*each)(struct drive *d, const struct change *c))
{
	struct merge_select select = { .until_stamp = until };
	struct replay *rp = replay_new(d->run.recording, d->run.stacks, wants);
	struct merge *m = merge_open(d->run.recording, stacks_needed(&d->run), &select);
	const struct event *event;

	while ((event = merge_next(m)) != NULL) {
		const struct change *change = replay_step(rp, event);

		if (each && event->r.stamp >= since)
			each(d, change);
	}
	replay_finish(rp);
	merge_close(m);
	return rp;
}

/* The image with the largest peak; 0 where no image was recorded. */
static uint32_t default_image(const struct drive *d, const struct replay *rp)
{
	const struct heap *heap = replay_default_heap(rp);

	if (heap)
		return heap->image->number;
	return d->run.recording->image_count ? d->run.recording->images[0].number : 0;
}

static size_t images_with_events(const struct recording *r)
{
	size_t count = 0;

	for (size_t i = 0; i < r->image_count; i++)
		count += r->images[i].segment_count > 0;
	return count;
}

/* When the image shown had its peak; where several are shown, the highest. */
static uint64_t shown_peak(const struct run *run, const struct replay *rp)
{
	const struct heap *best = NULL;

	for (size_t i = 0; i < replay_heap_count(rp); i++) {
		const struct heap *h = replay_heap(rp, i);

		if (run_shows(run, h->image->number) &&
		    (!best || h->peak.bytes > best->peak.bytes))
			best = h;
	}
	return best ? best->peak_stamp : run->recording->start_stamp;
}

static int check_pid(struct drive *d)
{
	const struct recording *r = d->run.recording;
	char list[256] = "";
	size_t used = 0;

	if (!d->options.has_pid)
		return 0;
	for (size_t i = 0; i < r->image_count; i++) {
		const struct image *image = &r->images[i];

		if (run_shows(&d->run, image->number))
			return 0;
		if (used < sizeof(list) - 16)
			used += (size_t)snprintf(list + used, sizeof(list) - used,
						 "%s%" PRIu32 ":%" PRIu32, used ? ", " : "",
						 image->pid, image->exec_number);
	}
	if (d->options.exec_number >= 0)
		return diag_set(&d->diag, STATUS_USAGE,
				"no process %" PRIu32 ":%" PRId64 " in the recording: it has %s",
				d->options.pid, d->options.exec_number, list);
	return diag_set(&d->diag, STATUS_USAGE,
			"no process %" PRIu32 " in the recording: it has %s",
			d->options.pid, *list ? list : "none");
}

/* A window that nothing can lie in is a slip, not an empty report. */
static int check_inside(struct drive *d, const char *option, const char *typed, uint64_t stamp)
{
	const struct recording *r = d->run.recording;
	int64_t end = recording_ns(r, r->end_stamp);
	char text[UNITS_MAX];

	if ((int64_t)r->wall_duration_ns > end)
		end = (int64_t)r->wall_duration_ns;
	if (!typed || recording_ns(r, stamp) <= end)
		return 0;
	return diag_set(&d->diag, STATUS_USAGE, "%s=%s is after the end of the recording (%s)",
			option, typed, units_ns(text, end > 0 ? (uint64_t)end : 0));
}

/* What is known only after a look at the whole: default image, moments, the window's base. */
static int prepare(struct drive *d)
{
	const struct form_options *o = &d->options;
	struct run *run = &d->run;
	bool needs_peak = moment_needs_peak(o->since) || moment_needs_peak(o->until) ||
			  moment_needs_peak(o->at);
	bool needs_image = run->is_default && (run->form->needs & NEED_EVENTS) &&
			   images_with_events(run->recording) > 1;
	uint64_t peak = 0;

	for (size_t i = 0; i < run->recording->image_count; i++)
		if (run->recording->images[i].segment_count > 0 || i == 0)
			run->default_image = run->recording->images[i].number;
	if (needs_peak || needs_image) {
		struct replay *rp = replay_part(d, 0, 0, 0, NULL);

		run->default_image = default_image(d, rp);
		peak = shown_peak(run, rp);
		replay_free(rp);
	}
	if (o->since && moment_parse(o->since, run->recording, peak, &run->since_stamp,
				     &d->diag) != 0)
		return -1;
	if (o->until && moment_parse(o->until, run->recording, peak, &run->until_stamp,
				     &d->diag) != 0)
		return -1;
	if (o->at) {
		if (moment_parse(o->at, run->recording, peak, &run->at_stamp, &d->diag) != 0)
			return -1;
		run->has_at = true;
		run->at_text = o->at;
		run->until_stamp = run->at_stamp;
	}
	if (run->until_stamp == 0)
		run->until_stamp = 1;
	if (run->since_stamp > run->until_stamp)
		return diag_set(&d->diag, STATUS_USAGE, "--since=%s is later than --until=%s",
				o->since, o->until ? o->until : "end");
	if (check_inside(d, "--since", o->since, run->since_stamp) != 0 ||
	    check_inside(d, "--at", o->at, run->at_stamp) != 0)
		return -1;
	run->has_window = o->since || o->until;
	if (run->since_stamp > 1 && (run->form->needs & NEED_HEAP)) {
		d->base = replay_part(d, replay_wants(run->form), 0,
				      run->since_stamp - 1, NULL);
		d->window = window_new(d->base);
	}
	return 0;
}

static void repeat_event(struct drive *d, const struct change *change)
{
	window_repeat(d->window, change);
}

/* The one replay. Returns -1 where the form failed. */
static int replay_events(struct drive *d)
{
	struct run *run = &d->run;
	uint64_t until = run->until_stamp == UINT64_MAX ? 0 : run->until_stamp;
	struct merge_select select = { .until_stamp = until };
	struct merge *m = merge_open(run->recording, stacks_needed(run), &select);
	bool has_events = (run->form->needs & NEED_EVENTS) && run->form->event;
	void (*watch)(struct run *run, const struct event *event,
		      const struct change *change) =
		run->form->needs & NEED_ALL ? run->form->watch : NULL;
	const struct event *event;
	uint64_t count = 0;
	int result = 0;

	while (result == 0 && (event = merge_next(m)) != NULL) {
		const struct change *change = replay_step(run->replay, event);

		if (watch)
			watch(run, event, change);
		if (event->r.stamp < run->since_stamp)
			continue;
		if (d->window)
			window_note(d->window, event, change);
		if (has_events && run_shows(run, event->image))
			result = run->form->event(run, event, change);
		/* the reader of a pipe or pager may have gone */
		if ((++count & 0xfff) == 0 && ferror(run->out))
			break;
	}
	merge_close(m);
	replay_finish(run->replay);
	if (d->window && (run->form->needs & NEED_PEAK) &&
	    window_needs_repeat(d->window))
		replay_free(replay_part(d, 0, run->since_stamp, until, repeat_event));
	return result;
}

/* run->heaps: what end() may read. */
static void collect_heaps(struct drive *d)
{
	struct run *run = &d->run;
	size_t count = replay_heap_count(run->replay);

	/* a form that printed while it read has shown another one already */
	if (run->is_default && !(run->form->needs & NEED_EVENTS))
		run->default_image = default_image(d, run->replay);
	run->heaps = xcalloc(count + 1, sizeof(*run->heaps));
	for (size_t i = 0; i < count; i++) {
		struct heap *h = replay_heap(run->replay, i);

		if (!run_shows(run, h->image->number))
			continue;
		/* of many, those that did nothing say nothing */
		if (run->is_all && h->events == 0 && count > 1)
			continue;
		run->heaps[run->heap_count++] = d->window ? window_heap(d->window, h) : h;
	}
}

static void put_notes(struct drive *d)
{
	struct run *run = &d->run;
	bool on_error = run->format != EMIT_TEXT || run->own_format || run->form->has_bare_text;
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

/* The command that pages, or NULL. */
static const char *pager(const struct form_options *o)
{
	const char *command = getenv("PAGER");

	if (o->no_pager || (o->out_path && strcmp(o->out_path, "-") != 0) ||
	    isatty(STDOUT_FILENO) != 1)
		return NULL;
	if (!command)
		command = "less";
	if (!*command || strcmp(command, "cat") == 0)
		return NULL;
	setenv("LESS", "FRX", 0);
	return command;
}

static int open_output(struct drive *d)
{
	const struct form_options *o = &d->options;
	struct run *run = &d->run;
	bool is_file = o->out_path && strcmp(o->out_path, "-") != 0;

	if (run->own_format && run->own_format->is_binary && !o->out_path &&
	    isatty(STDOUT_FILENO) == 1)
		return diag_set(&d->diag, STATUS_USAGE,
				"a terminal cannot show '%s': write it to a file (-o FILE)",
				run->own_format->name);
	run->color = run->format == EMIT_TEXT && !run->own_format &&
		     term_has_color(is_file && o->color == COLOR_AUTO ? COLOR_NEVER : o->color,
				    STDOUT_FILENO, getenv("TERM"), getenv("NO_COLOR"));
	run->is_utf8 = term_is_utf8(getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG"));
	run->terminal_columns = is_file ? 0 : term_columns(STDOUT_FILENO);
	run->width = is_file ? 80 : term_width(STDOUT_FILENO, 80);
	run->out_path = is_file ? o->out_path : NULL;
	if (out_open(&d->out, o->out_path, pager(o), &d->diag) != 0)
		return -1;
	run->out = d->out.file;
	return 0;
}

static int print_report(struct drive *d)
{
	struct run *run = &d->run;
	const struct form *form = run->form;

	run->replay = replay_new(run->recording, run->stacks, replay_wants(form));
	if (form->begin && form->begin(run) != 0)
		return -1;
	if (replay_events(d) != 0)
		return -1;
	collect_heaps(d);
	if (form->end && form->end(run) != 0)
		return -1;
	put_notes(d);
	return 0;
}

static int init_run(struct drive *d, const struct form *form)
{
	const struct form_options *o = &d->options;
	struct resolver_options resolving = { .no_demangle = o->no_demangle };
	struct run *run = &d->run;

	run->format = o->format;
	run->own_format = o->own_format;
	run->top = o->has_top ? o->top :
		   o->format == EMIT_TEXT && !o->own_format ? form->default_top : 0;
	run->is_all = o->is_all;
	run->is_default = !o->is_all && !o->has_pid;
	run->pid = o->pid;
	run->exec_number = o->exec_number;
	run->until_stamp = UINT64_MAX;
	if (form->default_sort &&
	    emit_parse_sort(o->sort ? o->sort : form->default_sort, form->columns,
			    form->column_count, &run->sort, &d->diag) != 0)
		return -1;
	run->recording = input_open(o->file, NULL, &d->diag);
	if (!run->recording)
		return -1;
	run->stacks = stacks_new();
	if (form->needs & NEED_SYMBOLS) {
		run->resolver = resolver_new(run->recording, run->stacks, &resolving);
		d->wrappers = wrappers_new(o->wrappers);
		run->wrappers = d->wrappers;
	}
	return check_pid(d);
}

static void release_run(struct drive *d)
{
	struct run *run = &d->run;

	window_free(d->window);
	if (d->base)
		replay_free(d->base);
	if (run->replay)
		replay_free(run->replay);
	if (run->resolver)
		resolver_free(run->resolver);
	if (d->wrappers)
		wrappers_free(d->wrappers);
	if (run->stacks)
		stacks_free(run->stacks);
	if (run->recording)
		recording_close(run->recording);
	for (size_t i = 0; i < run->note_count; i++)
		free(run->notes[i]);
	free(run->notes);
	free(run->heaps);
	free(run->state);
}

int command_run_form(const struct form *form, int argc, char **argv)
{
	struct drive d = { .run = { .form = form } };
	int result = -1;

	d.run.diag = &d.diag;
	d.run.state = xcalloc(1, form->state_size ? form->state_size : 1);
	form_options_parse(form, argc, argv, &d.options, d.run.state);
	if (init_run(&d, form) == 0 && prepare(&d) == 0 && open_output(&d) == 0) {
		struct diag closing = { 0 };

		result = print_report(&d);
		/* before the output is closed: a form may still hold lines back */
		if (form->release)
			form->release(&d.run);
		if (out_close(&d.out, result == 0, &closing) != 0 && result == 0) {
			d.diag = closing;
			result = -1;
		}
	} else if (form->release) {
		form->release(&d.run);
	}
	release_run(&d);
	if (result == 0)
		return d.run.status;
	diag_print(NULL, "%s", d.diag.text);
	if (d.diag.status == STATUS_USAGE)
		fprintf(stderr, "Try 'allotrope %s --help'.\n", form->name);
	return d.diag.status;
}
