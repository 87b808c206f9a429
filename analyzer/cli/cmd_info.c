/*
 * cmd_info.c - allotrope info: what a recording is and how healthy: its session,
 * the images in it, sizes, clock, losses, notes, damage. Reads headers and
 * metadata only, never the events. Text and JSON come from the same figures.
 */
#include <argp.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/emit.h"
#include "base/term.h"
#include "base/units.h"
#include "base/visible.h"
#include "base/xmem.h"
#include "cli/command.h"
#include "cli/info_stacks.h"
#include "cli/input_file.h"
#include "trace/recording.h"

/* Marks shown in text. */
#define MARKS_MAX 10
/* Columns before the program: pid, exec, start, time, status; and what it gets at least. */
#define OTHER_COLUMNS 44
#define PROGRAM_LEAST 24
/* Where standard output is no terminal. */
#define WIDTH_UNKNOWN 110

struct info_request {
	const char *file;
	bool json;
};

static const struct argp_option info_options[] = {
	{ "format", 'F', "FORMAT", 0, "text (default) or json", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct info_request *rq = state->input;

	switch (key) {
	case 'F':
		if (strcmp(arg, "json") != 0 && strcmp(arg, "text") != 0)
			command_usage_error(state, "--format='%s' is unknown: choose text or json",
					    arg);
		rq->json = strcmp(arg, "json") == 0;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			command_usage_error(state, "too many arguments: '%s'", arg);
		rq->file = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- words ---- */

static const char *const loss_keys[] = {
#define ROW(name, key, text) [LOSS_##name] = key,
	LOSS_CAUSES(ROW)
#undef ROW
};

static const char *const loss_texts[] = {
#define ROW(name, key, text) [LOSS_##name] = text,
	LOSS_CAUSES(ROW)
#undef ROW
};

/* How the recording stands, in one word. */
static const char *state_of(const struct recording *r)
{
	if (r->is_ring)
		return "session ring";
	if (r->complete)
		return "complete";
	return r->ring_path && *r->ring_path ? "unfinished" : "incomplete";
}

static const char *state_remedy(const struct recording *r)
{
	if (r->is_ring)
		return "reports read it as it is; allotrope recover packs it";
	if (r->complete)
		return "";
	return "it is being made, or its recorder was killed: allotrope recover saves what there is";
}

/* Its process went on with another program. */
static bool was_replaced(const struct recording *r, const struct image *image)
{
	return !image->has_exit && recording_image_at(r, image->pid, UINT64_MAX) != image;
}

static void status_text(const struct recording *r, const struct image *image,
			char *buffer, size_t bytes)
{
	if (was_replaced(r, image))
		snprintf(buffer, bytes, "exec");
	else if (!image->has_exit)
		snprintf(buffer, bytes, "unknown");
	else if (WIFSIGNALED(image->status)) {
		const char *name = sigabbrev_np(WTERMSIG(image->status));

		snprintf(buffer, bytes, "SIG%s", name ? name : "?");
	} else
		snprintf(buffer, bytes, "exit %d", WEXITSTATUS(image->status));
}

static const char *syscalls_text(const struct recording *r, const struct image *image)
{
	(void)r;
	return image->features & FEATURE_SITES_EXACT ? "exact" :
	       image->features & FEATURE_SITES_INFERRED ? "inferred" : "off";
}

/* Frame pointers have no feature bit: only the session's options tell. */
static const char *unwinder_text(const struct recording *r, const struct image *image)
{
	bool fp = r->has_options ? r->options.callgraph == CALLGRAPH_FP :
		  r->options_text && strstr(r->options_text, "--call-graph=fp");

	return image->features & FEATURE_UNWIND_CFI ? "cfi" :
	       image->features & FEATURE_UNWIND_LIBUNWIND ? "libunwind" : fp ? "fp" : "none";
}

static uint64_t image_ns(const struct recording *r, const struct image *image)
{
	return recording_span_ns(r, image->start_stamp, image->end_stamp);
}

static void wall_clock_text(uint64_t ns, char *buffer, size_t bytes)
{
	time_t seconds = (time_t)(ns / 1000000000u);
	struct tm tm;

	*buffer = '\0';
	if (ns && localtime_r(&seconds, &tm))
		strftime(buffer, bytes, "%Y-%m-%d %H:%M:%S %z", &tm);
}

static uint64_t stored_bytes(const struct recording *r)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < r->segment_count; i++)
		sum += r->segments[i].header.stored_bytes;
	return sum;
}

/* Of the file that was named. A ring is nearly all hole: what it takes on the disk. */
static uint64_t disk_bytes(const struct recording *r)
{
	struct stat st;

	if (stat(r->path, &st) != 0)
		return r->file_bytes;
	return r->is_ring ? (uint64_t)st.st_blocks * 512 : (uint64_t)st.st_size;
}

static uint64_t total_losses(const struct recording *r)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < LOSS_COUNT; i++)
		sum += r->losses[i];
	return sum;
}

/* ---- text ---- */

static void put_line(const char *key, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void put_line(const char *key, const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	text = xvasprintf(format, ap);
	va_end(ap);
	printf("%-11s ", key);
	visible_put(stdout, text);
	putchar('\n');
	free(text);
}

static void put_session_text(const struct recording *r)
{
	char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX], when[64];

	put_line("recording", "%s (%s, %s)", r->path, state_of(r), units_bytes(a, disk_bytes(r)));
	if (*state_remedy(r))
		put_line("", "%s", state_remedy(r));
	put_line("command", "%s", r->command ? r->command : "(unknown)");
	wall_clock_text(r->wall_ns, when, sizeof(when));
	put_line("recorded", "%s, for %s", *when ? when : "(unknown)",
		 r->wall_duration_ns ? units_ns(a, r->wall_duration_ns) :
		 units_ns(a, (uint64_t)recording_ns(r, r->end_stamp)));
	if (r->options_text && *r->options_text)
		put_line("options", "%s", r->options_text);
	put_line("events", "%s segment%s, %s of records, %s stored",
		 units_count(a, r->segment_count), r->segment_count == 1 ? "" : "s",
		 units_bytes(b, r->raw_bytes),
		 units_bytes(c, r->is_ring ? r->raw_bytes : stored_bytes(r)));
	if (recording_sampling(r))
		put_line("sampling", "one block per %s on average, and its release: figures of heap "
			 "blocks are estimates", units_bytes(a, recording_sampling(r)));
	put_line("symbols", "%s", r->symbol_count ? "stored in the recording" :
		 "not stored: reports look into the files of this machine");
	put_line("samples", "%s of resident memory", units_count(a, r->sample_count));
	put_line("clock", "%s, %.3f ns a tick%s",
		 r->head.clock == CLOCK_KIND_TSC ? "processor counter" : "CLOCK_MONOTONIC",
		 r->ns_per_tick, r->clock_is_estimate ? " (an estimate: only one clock sample)" : "");
}

static void put_marks_text(const struct recording *r)
{
	char text[UNITS_MAX];

	for (size_t i = 0; i < r->mark_count && i < MARKS_MAX; i++) {
		int64_t ns = recording_ns(r, r->marks[i].stamp);

		put_line("mark", "'%s' after %s", r->marks[i].name,
			 units_ns(text, ns > 0 ? (uint64_t)ns : 0));
	}
	if (r->mark_count > MARKS_MAX)
		put_line("", "and %s more marks", units_count(text, r->mark_count - MARKS_MAX));
}

static void put_health_text(const struct recording *r)
{
	char n[UNITS_MAX];

	if (!total_losses(r))
		put_line("losses", "none");
	for (unsigned i = 0; i < LOSS_COUNT; i++)
		if (r->losses[i])
			put_line("losses", "%s: %s", units_count(n, r->losses[i]), loss_texts[i]);
	if (r->missing_segments)
		put_line("missing", "%s segments", units_count(n, r->missing_segments));
	put_line("damage", "%s", r->damage[0] ? r->damage : "none");
	info_stacks_text(r, put_line);
	for (size_t i = 0; i < r->note_count; i++) {
		const struct image *image = recording_image(r, r->notes[i].image);
		const char *key = r->notes[i].fault ? "fault" : "note";

		if (image)
			put_line(key, "process %u: %s", image->pid, r->notes[i].text);
		else
			put_line(key, "%s", r->notes[i].text);
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

static void put_images_text(const struct recording *r)
{
	struct column columns[] = {
		{ "pid", "PID", COLUMN_EXACT, 0, false, "process" },
		{ "exec", "EXEC", COLUMN_EXACT, 0, false, "number of the image in its process" },
		{ "start", "START", COLUMN_TEXT, 0, false, "since the start of the recording" },
		{ "time", "TIME", COLUMN_TEXT, 0, false, "how long it ran" },
		{ "status", "STATUS", COLUMN_TEXT, 0, false, "how it ended" },
		{ "syscalls", "SYSCALLS", COLUMN_TEXT, 0, false, "how memory system calls were seen" },
		{ "stacks", "STACKS", COLUMN_TEXT, 0, false, "how call stacks were taken" },
		{ "program", "PROGRAM", COLUMN_TEXT, 0, false, "command" },
	};
	const struct emit_options options = { .format = EMIT_TEXT };
	size_t width = (size_t)term_width(STDOUT_FILENO, WIDTH_UNKNOWN);
	size_t used = OTHER_COLUMNS;
	struct emit *e;

	if (!r->image_count) {
		printf("\nno program was recorded\n");
		return;
	}
	if (is_alike(r, syscalls_text)) {
		put_line("syscalls", "%s", syscalls_text(r, &r->images[0]));
		columns[5].shown = SHOW_CSV;
	} else {
		used += sizeof("inferred ");
	}
	if (is_alike(r, unwinder_text)) {
		put_line("stacks", "%s", unwinder_text(r, &r->images[0]));
		columns[6].shown = SHOW_CSV;
	} else {
		used += sizeof("libunwind ");
	}
	printf("\n");
	e = emit_new(stdout, columns, sizeof(columns) / sizeof(columns[0]), &options);
	for (size_t i = 0; i < r->image_count; i++) {
		const struct image *image = &r->images[i];
		char start[UNITS_MAX], ran[UNITS_MAX], status[32];
		char *command = image_command(image);
		char *fit = visible_fit(command, width > used + PROGRAM_LEAST ? width - used :
							 PROGRAM_LEAST);
		int64_t from = recording_ns(r, image->start_stamp);

		status_text(r, image, status, sizeof(status));
		emit_row(e, (struct cell[]){
			cell_number(image->pid), cell_number(image->exec_number),
			cell_text(units_ns(start, from > 0 ? (uint64_t)from : 0)),
			cell_text(units_ns(ran, image_ns(r, image))),
			cell_text(status), cell_text(syscalls_text(r, image)),
			cell_text(unwinder_text(r, image)), cell_text(fit),
		});
		free(fit);
		free(command);
	}
	emit_free(e);
}

/* ---- JSON ---- */

static json_t *images_json(const struct recording *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->image_count; i++) {
		const struct image *image = &r->images[i];
		char status[32], *command = image_command(image);

		status_text(r, image, status, sizeof(status));
		json_array_append_new(list, json_pack(
			"{s:o, s:o, s:o, s:o, s:o, s:f, s:f, s:s, s:o, s:s, s:s, s:o, s:o, s:o}",
			"image", json_from_number(image->number),
			"pid", json_from_number(image->pid),
			"ppid", json_from_number(image->ppid),
			"exec", json_from_number(image->exec_number),
			"parent_image", json_from_number(image->parent_image),
			"start_s", (double)recording_ns(r, image->start_stamp) / 1e9,
			"time_s", (double)image_ns(r, image) / 1e9,
			"status", status,
			"segments", json_from_number(image->segment_count),
			"syscalls", syscalls_text(r, image),
			"call_stacks", unwinder_text(r, image),
			"truncated_stacks", info_stack_ends_json(image),
			"stack_check", info_stack_check_json(image),
			"command", json_from_text(command)));
		free(command);
	}
	return list;
}

static json_t *losses_json(const struct recording *r)
{
	json_t *losses = json_object();

	for (unsigned i = 0; i < LOSS_COUNT; i++)
		if (r->losses[i])
			json_object_set_new(losses, loss_keys[i], json_from_number(r->losses[i]));
	return losses;
}

static json_t *notes_json(const struct recording *r)
{
	json_t *notes = json_array();

	for (size_t i = 0; i < r->note_count; i++)
		json_array_append_new(notes, json_pack("{s:o, s:b, s:o}",
			"image", json_from_number(r->notes[i].image),
			"fault", r->notes[i].fault,
			"text", json_from_text(r->notes[i].text)));
	return notes;
}

static json_t *marks_json(const struct recording *r)
{
	json_t *marks = json_array();

	for (size_t i = 0; i < r->mark_count; i++)
		json_array_append_new(marks, json_pack("{s:o, s:f}",
			"name", json_from_text(r->marks[i].name),
			"time_s", (double)recording_ns(r, r->marks[i].stamp) / 1e9));
	return marks;
}

static void put_json(const struct recording *r)
{
	char when[64];
	json_t *o;

	wall_clock_text(r->wall_ns, when, sizeof(when));
	o = json_pack("{s:o, s:s, s:o, s:s, s:o, s:f, s:o, s:o, s:o, s:o, s:b, s:o, s:o}",
		      "file", json_from_text(r->path), "state", state_of(r),
		      "command", json_from_text(r->command), "recorded", when,
		      "root_pid", json_from_number(r->root_pid),
		      "duration_s", (double)r->wall_duration_ns / 1e9,
		      "options", json_from_text(r->options_text),
		      "file_bytes", json_from_number(disk_bytes(r)),
		      "segments", json_from_number(r->segment_count),
		      "raw_bytes", json_from_number(r->raw_bytes),
		      "symbols", r->symbol_count > 0,
		      "samples", json_from_number(r->sample_count),
		      "marks", marks_json(r));
	json_object_set_new(o, "stored_bytes",
			    json_from_number(r->is_ring ? r->raw_bytes : stored_bytes(r)));
	json_object_set_new(o, "sampling_bytes", json_from_number(recording_sampling(r)));
	json_object_set_new(o, "clock", json_pack("{s:s, s:f, s:b}", "source",
			    r->head.clock == CLOCK_KIND_TSC ? "tsc" : "monotonic",
			    "ns_per_tick", r->ns_per_tick, "estimate", r->clock_is_estimate));
	json_object_set_new(o, "losses", losses_json(r));
	json_object_set_new(o, "missing_segments", json_from_number(r->missing_segments));
	json_object_set_new(o, "damage", r->damage[0] ? json_from_text(r->damage) : json_null());
	json_object_set_new(o, "notes", notes_json(r));
	json_object_set_new(o, "images", images_json(r));
	json_write(stdout, o);
}

static int run(int argc, char **argv)
{
	static const struct argp argp = {
		info_options, parse_option, "[FILE]",
		"Show what the recording FILE (default allotrope.data) is, and what is missing in it.",
		NULL, NULL, NULL,
	};
	struct info_request rq = { .file = INPUT_DEFAULT };
	struct diag d = { 0 };
	struct recording *r;

	if (command_parse(&argp, argc, argv, 0, &rq) != 0)
		return STATUS_USAGE;
	r = input_open(rq.file, NULL, &d);
	if (!r) {
		diag_print("", "%s", d.text);
		return d.status;
	}
	if (rq.json) {
		put_json(r);
	} else {
		put_session_text(r);
		put_marks_text(r);
		put_health_text(r);
		put_images_text(r);
	}
	recording_close(r);
	return STATUS_OK;
}

const struct command command_info = {
	"info", "what a recording holds, and whether anything is missing", run,
};
