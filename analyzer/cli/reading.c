/*
 * reading.c - a recording opened for a report: which images and which part of the
 * time are shown, and the replay. Replays once; a second and third time only for
 * what is known late: the default image of a form that prints while it reads, and
 * the figures of a window.
 */
#include "cli/reading.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/xmem.h"
#include "cli/debuginfod_option.h"
#include "cli/input_file.h"
#include "cli/moment.h"
#include "trace/merge.h"

static unsigned replay_wants(const struct run *run)
{
	return (run->needs & NEED_SIZES ? REPLAY_SIZES : 0) |
	       (run->needs & NEED_BLOCKS ? REPLAY_BLOCKS : 0);
}

/* A form that names no call stacks needs no tree of them: half the time, and most of the memory. */
static struct stacks *stacks_needed(const struct run *run)
{
	return run->needs & (NEED_SYMBOLS | NEED_EVENTS | NEED_ALL) ? run->stacks : NULL;
}

/* Replay up to UNTIL (0: all) and finish; EACH (may be NULL) sees every event from SINCE on. */
static struct replay *replay_part(struct reading *rd, unsigned wants, uint64_t since,
				  uint64_t until,
				  void (*each)(struct reading *rd, const struct change *c))
{
	struct merge_select select = { .until_stamp = until };
	struct replay *rp = replay_new(rd->run.recording, rd->run.stacks, wants);
	struct merge *m = merge_open(rd->run.recording, stacks_needed(&rd->run), &select);
	const struct event *event;

	while ((event = merge_next(m)) != NULL) {
		const struct change *change = replay_step(rp, event);

		if (each && event->r.stamp >= since)
			each(rd, change);
	}
	replay_finish(rp);
	merge_close(m);
	return rp;
}

/* The image with the largest peak; 0 where no image was recorded. */
static uint32_t default_image(const struct reading *rd, const struct replay *rp)
{
	const struct heap *heap = replay_default_heap(rp);

	if (heap)
		return heap->image->number;
	return rd->run.recording->image_count ? rd->run.recording->images[0].number : 0;
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

static int check_pid(struct reading *rd)
{
	const struct recording *r = rd->run.recording;
	char list[256] = "";
	size_t used = 0;

	if (!rd->options.has_pid)
		return 0;
	for (size_t i = 0; i < r->image_count; i++) {
		const struct image *image = &r->images[i];

		if (run_shows(&rd->run, image->number))
			return 0;
		if (used < sizeof(list) - 16)
			used += (size_t)snprintf(list + used, sizeof(list) - used,
						 "%s%" PRIu32 ":%" PRIu32, used ? ", " : "",
						 image->pid, image->exec_number);
	}
	if (rd->options.exec_number >= 0)
		return diag_set(&rd->diag, STATUS_USAGE,
				"no process %" PRIu32 ":%" PRId64 " in the recording: it has %s",
				rd->options.pid, rd->options.exec_number, list);
	return diag_set(&rd->diag, STATUS_USAGE,
			"no process %" PRIu32 " in the recording: it has %s",
			rd->options.pid, *list ? list : "none");
}

/* A window that nothing can lie in is a slip, not an empty report. */
static int check_inside(struct reading *rd, const char *option, const char *typed, uint64_t stamp)
{
	const struct recording *r = rd->run.recording;
	int64_t end = recording_ns(r, r->end_stamp);
	char text[UNITS_MAX];

	if ((int64_t)r->wall_duration_ns > end)
		end = (int64_t)r->wall_duration_ns;
	if (!typed || recording_ns(r, stamp) <= end)
		return 0;
	return diag_set(&rd->diag, STATUS_USAGE, "%s=%s is after the end of the recording (%s)",
			option, typed, units_ns(text, end > 0 ? (uint64_t)end : 0));
}

int reading_prepare(struct reading *rd)
{
	const struct form_options *o = &rd->options;
	struct run *run = &rd->run;
	bool needs_peak = moment_needs_peak(o->since) || moment_needs_peak(o->until) ||
			  moment_needs_peak(o->at);
	bool needs_image = run->is_default && (run->needs & NEED_EVENTS) &&
			   images_with_events(run->recording) > 1;
	uint64_t peak = 0;

	for (size_t i = 0; i < run->recording->image_count; i++)
		if (run->recording->images[i].segment_count > 0 || i == 0)
			run->default_image = run->recording->images[i].number;
	if (needs_peak || needs_image) {
		struct replay *rp = replay_part(rd, 0, 0, 0, NULL);

		run->default_image = default_image(rd, rp);
		peak = shown_peak(run, rp);
		replay_free(rp);
	}
	if (o->since && moment_parse(o->since, run->recording, peak, &run->since_stamp,
				     &rd->diag) != 0)
		return -1;
	if (o->until && moment_parse(o->until, run->recording, peak, &run->until_stamp,
				     &rd->diag) != 0)
		return -1;
	run->at_text = o->at;
	if (run->form->settle) {
		if (run->form->settle(run) != 0)
			return -1;
	} else if (o->at) {
		if (moment_parse(o->at, run->recording, peak, &run->at_stamp, &rd->diag) != 0)
			return -1;
		run->has_at = true;
	}
	if (run->has_at)
		run->until_stamp = run->at_stamp;
	if (run->until_stamp == 0)
		run->until_stamp = 1;
	if (run->since_stamp > run->until_stamp)
		return diag_set(&rd->diag, STATUS_USAGE, "--since=%s is later than --until=%s",
				o->since, o->until ? o->until : "end");
	if (check_inside(rd, "--since", o->since, run->since_stamp) != 0 ||
	    check_inside(rd, "--at", run->form->settle ? NULL : o->at, run->at_stamp) != 0)
		return -1;
	run->has_window = o->since || o->until;
	if (run->since_stamp > 1 && (run->needs & NEED_HEAP)) {
		rd->base = replay_part(rd, replay_wants(run), 0,
				      run->since_stamp - 1, NULL);
		rd->window = window_new(rd->base);
	}
	return 0;
}

static void repeat_event(struct reading *rd, const struct change *change)
{
	window_repeat(rd->window, change);
}

/* The one replay. Returns -1 where the form failed. */
static int replay_events(struct reading *rd)
{
	struct run *run = &rd->run;
	uint64_t until = run->until_stamp == UINT64_MAX ? 0 : run->until_stamp;
	struct merge_select select = { .until_stamp = until };
	struct merge *m = merge_open(run->recording, stacks_needed(run), &select);
	bool has_events = (run->needs & NEED_EVENTS) && run->form->event;
	void (*watch)(struct run *run, const struct event *event,
		      const struct change *change) =
		run->needs & NEED_ALL ? run->form->watch : NULL;
	const struct event *event;
	uint64_t count = 0;
	int result = 0;

	while (result == 0 && (event = merge_next(m)) != NULL) {
		const struct change *change = replay_step(run->replay, event);

		if (watch)
			watch(run, event, change);
		if (event->r.stamp < run->since_stamp)
			continue;
		if (rd->window)
			window_note(rd->window, event, change);
		if (has_events && run_shows(run, event->image))
			result = run->form->event(run, event, change);
		/* the reader of a pipe or pager may have gone */
		if ((++count & 0xfff) == 0 && run->out && ferror(run->out))
			break;
	}
	merge_close(m);
	replay_finish(run->replay);
	if (rd->window && (run->needs & NEED_PEAK) &&
	    window_needs_repeat(rd->window))
		replay_free(replay_part(rd, 0, run->since_stamp, until, repeat_event));
	return result;
}

/* run->heaps: what end() may read. */
static void collect_heaps(struct reading *rd)
{
	struct run *run = &rd->run;
	size_t count = replay_heap_count(run->replay);

	/* a form that printed while it read has shown another one already */
	if (run->is_default && !(run->needs & NEED_EVENTS))
		run->default_image = default_image(rd, run->replay);
	run->heaps = xcalloc(count + 1, sizeof(*run->heaps));
	for (size_t i = 0; i < count; i++) {
		struct heap *h = replay_heap(run->replay, i);

		if (!run_shows(run, h->image->number))
			continue;
		/* of many, those that did nothing say nothing */
		if (run->is_all && h->events == 0 && count > 1)
			continue;
		run->heaps[run->heap_count++] = rd->window ? window_heap(rd->window, h) : h;
	}
}

void reading_begin(struct reading *rd)
{
	struct run *run = &rd->run;

	run->replay = replay_new(run->recording, run->stacks, replay_wants(run));
}

int reading_replay(struct reading *rd)
{
	if (replay_events(rd) != 0)
		return -1;
	collect_heaps(rd);
	return 0;
}

int reading_open(struct reading *rd, const struct form *form)
{
	const struct form_options *o = &rd->options;
	struct resolver_options resolving = {
		.no_demangle = o->no_demangle, .short_names = o->short_names,
	};
	struct run *run = &rd->run;

	run->form = form;
	run->needs = form->needs | (form->needs_more ? form->needs_more(run->state) : 0);
	run->diag = &rd->diag;
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
			    form->column_count, &run->sort, &rd->diag) != 0)
		return -1;
	run->recording = input_open(o->file, NULL, &rd->diag);
	if (!run->recording)
		return -1;
	run->stacks = stacks_new();
	if (run->needs & NEED_SYMBOLS) {
		const char *reason;

		if (o->debuginfod) {
			rd->servers = debuginfod_open(o->debuginfod, NULL, NULL, &reason);
			if (!rd->servers)
				return diag_set(&rd->diag, STATUS_IO, "cannot use --debuginfod: %s", reason);
		}
		resolving.servers = rd->servers;
		run->resolver = resolver_new(run->recording, run->stacks, &resolving);
		rd->wrappers = wrappers_new(o->wrappers);
		run->wrappers = rd->wrappers;
	}
	return check_pid(rd);
}

void reading_release(struct reading *rd)
{
	struct run *run = &rd->run;

	window_free(rd->window);
	if (rd->base)
		replay_free(rd->base);
	if (run->replay)
		replay_free(run->replay);
	if (run->resolver)
		resolver_free(run->resolver);
	debuginfod_free(rd->servers);
	if (rd->wrappers)
		wrappers_free(rd->wrappers);
	if (run->stacks)
		stacks_free(run->stacks);
	if (run->recording)
		recording_close(run->recording);
	for (size_t i = 0; i < run->note_count; i++)
		free(run->notes[i]);
	free(run->notes);
	free(run->heaps);
}

