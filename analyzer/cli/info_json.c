/*
 * info_json.c - allotrope info for programs.
 */
#include "cli/info_json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/emit.h"
#include "cli/info_stacks.h"
#include "cli/info_unrecorded.h"
#include "cli/info_words.h"
#include "forms/form.h"

static json_t *images_json(const struct recording *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->image_count; i++) {
		const struct image *image = &r->images[i];
		const char *note = info_status_note(r, image->has_exit, image->status,
						    image->end_stamp);
		char status[32], *command = image_command(image);

		info_status(r, image, status, sizeof(status));
		json_array_append_new(list, json_pack(
			"{s:o, s:o, s:o, s:o, s:o, s:o, s:f, s:f, s:s, s:b, s:b, s:o, s:s, s:s, s:o, s:o, "
			"s:o}",
			"image", json_from_number(image->number),
			"pid", json_from_number(image->pid),
			"ppid", json_from_number(image->ppid),
			"process", json_from_number(image->process),
			"exec", json_from_number(image->exec_number),
			"parent_image", json_from_number(image->parent_image),
			"start_s", (double)recording_ns(r, image->start_stamp) / 1e9,
			"time_s", (double)info_image_ns(r, image) / 1e9,
			"status", status,
			"core_dumped", strcmp(note, " core") == 0,
			"out_of_memory", strcmp(note, " oom") == 0,
			"segments", json_from_number(image->segment_count),
			"syscalls", info_syscalls(r, image),
			"call_stacks", info_unwinder(r, image),
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
			json_object_set_new(losses, info_loss_keys[i], json_from_number(r->losses[i]));
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

void info_json(struct info_events *e)
{
	const struct recording *r = info_events_recording(e);
	char when[64];
	json_t *o;

	info_wall_clock(r->wall_ns, when, sizeof(when));
	o = json_pack("{s:o, s:s, s:o, s:s, s:o, s:f, s:o, s:o, s:o, s:o, s:b, s:o, s:o}",
		      "file", json_from_text(r->path), "state", info_state(r),
		      "command", json_from_text(r->command), "recorded", when,
		      "root_pid", json_from_number(r->root_pid),
		      "duration_s", (double)r->wall_duration_ns / 1e9,
		      "options", json_from_text(r->options_text),
		      "file_bytes", json_from_number(info_disk_bytes(r)),
		      "segments", json_from_number(r->segment_count),
		      "raw_bytes", json_from_number(r->raw_bytes),
		      "symbols", r->symbol_count > 0,
		      "samples", json_from_number(r->sample_count),
		      "marks", marks_json(r));
	json_object_set_new(o, "stored_bytes",
			    json_from_number(r->is_ring ? r->raw_bytes : info_stored_bytes(r)));
	json_object_set_new(o, "sampling_bytes", json_from_number(recording_sampling(r)));
	json_object_set_new(o, "clock", json_pack("{s:s, s:f, s:b}", "source",
			    r->head.clock == CLOCK_KIND_TSC ? "tsc" : "monotonic",
			    "ns_per_tick", r->ns_per_tick, "estimate", r->clock_is_estimate));
	json_object_set_new(o, "losses", losses_json(r));
	json_object_set_new(o, "missing_segments", json_from_number(r->missing_segments));
	json_object_set_new(o, "unwritten_segments", json_from_number(r->unwritten_segments));
	json_object_set_new(o, "unwritten_bytes", json_from_number(r->unwritten_bytes));
	json_object_set_new(o, "damage", r->damage[0] ? json_from_text(r->damage) : json_null());
	json_object_set_new(o, "notes", notes_json(r));
	json_object_set_new(o, "images", images_json(r));
	info_unrecorded_json(r, o);
	info_events_json(e, o);
	json_write(stdout, o);
}
