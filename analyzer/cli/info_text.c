/*
 * info_text.c - allotrope info for people: a line for each fact, then the table of programs.
 */
#include "cli/info_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/emit.h"
#include "base/term.h"
#include "base/units.h"
#include "base/visible.h"
#include "base/wrap.h"
#include "base/xmem.h"
#include "cli/info_stacks.h"
#include "cli/info_unrecorded.h"
#include "cli/info_words.h"
#include "forms/form.h"

/* Marks shown. */
#define MARKS_MAX 10
/* Columns before the program: pid, exec, start, time, status; and what it gets at least. */
#define OTHER_COLUMNS 44
#define PROGRAM_LEAST 24
/* Before what a line says. */
#define KEY_COLUMNS 12
/* Where standard output is no terminal. */
#define WIDTH_UNKNOWN 110

static void info_line(const char *key, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void info_line(const char *key, const char *format, ...)
{
	va_list ap;
	char *text, *visible;

	va_start(ap, format);
	text = xvasprintf(format, ap);
	va_end(ap);
	printf("%-11s ", key);
	visible = visible_text(text);
	/* a command may be looked for, or copied */
	if (strcmp(key, "command") == 0)
		puts(visible);
	else
		wrap_put(stdout, visible, KEY_COLUMNS, KEY_COLUMNS,
			 term_width(STDOUT_FILENO, WIDTH_UNKNOWN));
	free(visible);
	free(text);
}

static void put_session_text(const struct recording *r)
{
	char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX], when[64];

	info_line("recording", "%s (%s, %s)", r->path, info_state(r), units_bytes(a, info_disk_bytes(r)));
	if (*info_state_remedy(r))
		info_line("", "%s", info_state_remedy(r));
	info_line("command", "%s", r->command ? r->command : "(unknown)");
	info_wall_clock(r->wall_ns, when, sizeof(when));
	info_line("recorded", "%s, for %s", *when ? when : "(unknown)",
		 r->wall_duration_ns ? units_ns(a, r->wall_duration_ns) :
		 units_ns(a, (uint64_t)recording_ns(r, r->end_stamp)));
	if (r->options_text && *r->options_text)
		info_line("options", "%s", r->options_text);
	info_line("events", "%s segment%s, %s of records, %s stored",
		 units_count(a, r->segment_count), r->segment_count == 1 ? "" : "s",
		 units_bytes(b, r->raw_bytes),
		 units_bytes(c, r->is_ring ? r->raw_bytes : info_stored_bytes(r)));
	if (recording_sampling(r))
		info_line("sampling", "one block per %s on average, and its release: figures of heap "
			 "blocks are estimates", units_bytes(a, recording_sampling(r)));
	info_line("symbols", "%s", r->symbol_count ? "stored in the recording" :
		 "not stored: reports look into the files of this machine");
	info_line("samples", "%s of resident memory", units_count(a, r->sample_count));
	info_line("clock", "%s, %.3f ns a tick%s",
		 r->head.clock == CLOCK_KIND_TSC ? "processor counter" : "CLOCK_MONOTONIC",
		 r->ns_per_tick, r->clock_is_estimate ? " (an estimate: only one clock sample)" : "");
}

static void put_marks_text(const struct recording *r)
{
	char text[UNITS_MAX];

	for (size_t i = 0; i < r->mark_count && i < MARKS_MAX; i++) {
		int64_t ns = recording_ns(r, r->marks[i].stamp);

		info_line("mark", "'%s' after %s", r->marks[i].name,
			 units_ns(text, ns > 0 ? (uint64_t)ns : 0));
	}
	if (r->mark_count > MARKS_MAX)
		info_line("", "and %s more marks", units_count(text, r->mark_count - MARKS_MAX));
}

static uint64_t total_losses(const struct recording *r)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < LOSS_COUNT; i++)
		sum += r->losses[i];
	return sum;
}

static void put_health_text(const struct recording *r, struct info_events *e)
{
	char n[UNITS_MAX], bytes[UNITS_MAX];

	if (!total_losses(r))
		info_line("losses", "none");
	for (unsigned i = 0; i < LOSS_COUNT; i++)
		if (r->losses[i])
			info_line("losses", "%s: %s", units_count(n, r->losses[i]), info_loss_texts[i]);
	if (r->missing_segments)
		info_line("missing", "%s segments", units_count(n, r->missing_segments));
	if (r->unwritten_segments)
		info_line("unwritten", "%s segments, %s of records: in the memory of the recorder, or "
			  "lost with it", units_count(n, r->unwritten_segments),
			  units_bytes(bytes, r->unwritten_bytes));
	info_line("damage", "%s", r->damage[0] ? r->damage : "none");
	info_unrecorded_lines(r, info_line);
	info_events_lines(e, info_line);
	info_stacks_text(r, info_line);
	for (size_t i = 0; i < r->note_count; i++) {
		const struct image *image = recording_image(r, r->notes[i].image);
		const char *key = r->notes[i].fault ? "fault" : "note";

		if (image)
			info_line(key, "process %u: %s", image->pid, r->notes[i].text);
		else
			info_line(key, "%s", r->notes[i].text);
	}
}

/* TEXT gives the same for all images: then it needs no column. */
static bool is_alike(const struct recording *r,
		     const char *(*text)(const struct recording *, const struct image *))
{
	for (size_t i = 1; i < r->image_count; i++)
		if (strcmp(text(r, &r->images[i]), text(r, &r->images[0])) != 0)
			return false;
	return true;
}

/* Says it where pids do not tell processes apart. */
static bool put_shared_pids(const struct recording *r)
{
	size_t count = 0;

	for (size_t i = 0; i < r->image_count; i++)
		count += r->images[i].shares_pid && r->images[i].exec_number == 0;
	if (count == 0)
		return false;
	info_line("pids", "%zu %s of more than one process, in pid namespaces or one after the other: "
		  "PROCESS tells them apart, --pid=PID:EXEC chooses a program", count,
		  count == 1 ? "is" : "are");
	return true;
}

/* Columns for a program's command line where USED are taken. */
static size_t program_width(size_t used)
{
	size_t width = (size_t)term_width(STDOUT_FILENO, WIDTH_UNKNOWN);

	return width > used + PROGRAM_LEAST ? width - used : PROGRAM_LEAST;
}

static void put_images_text(const struct recording *r)
{
	struct column columns[] = {
		{ "pid", "PID", COLUMN_EXACT, 0, false, "its number" },
		{ "process", "PROCESS", COLUMN_EXACT, 0, false, "process, whatever its pid" },
		{ "exec", "EXEC", COLUMN_EXACT, 0, false, "number of the image in its process" },
		{ "start", "START", COLUMN_TEXT, 0, false, "since the start of the recording" },
		{ "time", "TIME", COLUMN_TEXT, 0, false, "how long it ran" },
		{ "status", "STATUS", COLUMN_TEXT, 0, false, "how it ended" },
		{ "syscalls", "SYSCALLS", COLUMN_TEXT, 0, false, "how memory system calls were seen" },
		{ "stacks", "STACKS", COLUMN_TEXT, 0, false, "how call stacks were taken" },
		{ "program", "PROGRAM", COLUMN_TEXT, 0, false, "command" },
	};
	const struct emit_options options = { .format = EMIT_TEXT };
	size_t used = OTHER_COLUMNS;
	struct emit *e;

	if (!r->image_count) {
		printf("\nno program was recorded\n");
		return;
	}
	if (put_shared_pids(r))
		used += sizeof("PROCESS ");
	else
		columns[1].shown = SHOW_CSV;
	if (is_alike(r, info_syscalls)) {
		info_line("syscalls", "%s", info_syscalls(r, &r->images[0]));
		columns[6].shown = SHOW_CSV;
	} else {
		used += sizeof("inferred ");
	}
	if (is_alike(r, info_unwinder)) {
		info_line("stacks", "%s", info_unwinder(r, &r->images[0]));
		columns[7].shown = SHOW_CSV;
	} else {
		used += sizeof("libunwind ");
	}
	printf("\n");
	e = emit_new(stdout, columns, sizeof(columns) / sizeof(columns[0]), &options);
	for (size_t i = 0; i < r->image_count; i++) {
		const struct image *image = &r->images[i];
		char start[UNITS_MAX], ran[UNITS_MAX], status[32];
		char *command = image_command(image);
		char *fit = visible_fit(command, program_width(used));
		int64_t from = recording_ns(r, image->start_stamp);

		info_status(r, image, status, sizeof(status));
		strncat(status, info_status_note(r, image->has_exit, image->status,
						 image->end_stamp),
			sizeof(status) - strlen(status) - 1);
		emit_row(e, (struct cell[]){
			cell_number(image->pid), cell_number(image->process),
			cell_number(image->exec_number),
			cell_text(units_ns(start, from > 0 ? (uint64_t)from : 0)),
			cell_text(units_ns(ran, info_image_ns(r, image))),
			cell_text(status), cell_text(info_syscalls(r, image)),
			cell_text(info_unwinder(r, image)), cell_text(fit),
		});
		free(fit);
		free(command);
	}
	emit_free(e);
}

void info_text(struct info_events *e)
{
	const struct recording *r = info_events_recording(e);

	put_session_text(r);
	put_marks_text(r);
	put_health_text(r, e);
	put_images_text(r);
	info_unrecorded_text(r, program_width(OTHER_COLUMNS));
}
