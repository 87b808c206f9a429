/*
 * info_unrecorded.c - see info_unrecorded.h. Relies on the table that trace/execs.c made.
 */
#include "cli/info_unrecorded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/emit.h"
#include "base/units.h"
#include "base/visible.h"
#include "cli/info_words.h"

/* Failed attempts shown in text. */
#define FAILED_MAX 10

static const char *command_of(const struct unrecorded *u)
{
	return *u->command ? u->command : u->path;
}

static void put_counts(const struct recording *r, info_put *put)
{
	size_t gone = recording_unrecorded_programs(r), blind = recording_blind_images(r);
	char a[UNITS_MAX], b[UNITS_MAX];

	if (r->options_text && strstr(r->options_text, "--follow=no"))
		put("programs", "those that the program started were not to be recorded (--follow=no)");
	else if (gone)
		put("programs", "%s recorded, %s not: see below; what those started is not known",
		    units_count(a, r->image_count), units_count(b, gone));
	else if (r->image_count && !blind)
		put("programs", "%s recorded, all that were started", units_count(a, r->image_count));
	if (blind)
		put(gone ? "" : "programs", "what %s of %s started is not known, but for what is recorded "
		    "(execve was not seen: no --syscalls=exact)", units_count(a, blind),
		    units_count(b, r->image_count));
}

static void put_failed(const struct recording *r, info_put *put)
{
	size_t shown = 0, failed = 0;
	char n[UNITS_MAX];

	for (size_t i = 0; i < r->unrecorded_count; i++) {
		const struct unrecorded *u = &r->unrecorded[i];

		if (u->error && failed++ < FAILED_MAX) {
			put(shown ? "" : "failed", "process %u could not start '%s': %s", u->pid, u->path,
			    strerror(u->error));
			shown++;
		}
	}
	if (failed > shown)
		put("", "and %s more", units_count(n, failed - shown));
}

static void put_oom(const struct recording *r, info_put *put)
{
	for (size_t i = 0; i < r->oom_count; i++) {
		const struct oom_kills *k = &r->oom_kills[i];
		int64_t ns = recording_ns(r, k->stamp);
		char n[UNITS_MAX], when[UNITS_MAX];

		put("memory", "the kernel killed %s process%s of cgroup %s for lack of memory, by %s",
		    units_count(n, k->count), k->count == 1 ? "" : "es", k->cgroup,
		    units_ns(when, ns > 0 ? (uint64_t)ns : 0));
	}
}

void info_unrecorded_lines(const struct recording *r, info_put *put)
{
	put_counts(r, put);
	put_failed(r, put);
	put_oom(r, put);
}

void info_unrecorded_text(const struct recording *r, size_t width)
{
	static const struct column columns[] = {
		{ "pid", "PID", COLUMN_EXACT, 0, false, "process" },
		{ "start", "START", COLUMN_TEXT, 0, false, "since the start of the recording" },
		{ "status", "STATUS", COLUMN_TEXT, 0, false, "how it ended, as its parent was told" },
		{ "program", "NOT RECORDED", COLUMN_TEXT, 0, false, "command" },
	};
	const struct emit_options options = { .format = EMIT_TEXT };
	struct emit *e;

	if (!recording_unrecorded_programs(r))
		return;
	printf("\n");
	e = emit_new(stdout, columns, sizeof(columns) / sizeof(columns[0]), &options);
	for (size_t i = 0; i < r->unrecorded_count; i++) {
		const struct unrecorded *u = &r->unrecorded[i];
		int64_t ns = recording_ns(r, u->stamp);
		char start[UNITS_MAX], status[32], line[160], *fit;

		if (u->error)
			continue;
		info_unrecorded_status(u, status, sizeof(status));
		strncat(status, info_status_note(r, u->has_end, u->status, u->end_stamp),
			sizeof(status) - strlen(status) - 1);
		fit = visible_fit(command_of(u), width);
		emit_row(e, (struct cell[]){
			cell_number(u->pid), cell_text(units_ns(start, ns > 0 ? (uint64_t)ns : 0)),
			cell_text(status), cell_text(fit),
		});
		snprintf(line, sizeof(line), "       %s", unrecorded_reason(u));
		emit_detail(e, line);
		free(fit);
	}
	emit_free(e);
}

/* ---- JSON ---- */

static json_t *program_json(const struct recording *r, const struct unrecorded *u)
{
	const char *note = info_status_note(r, u->has_end, u->status, u->end_stamp);
	char status[32];

	info_unrecorded_status(u, status, sizeof(status));
	return json_pack("{s:o, s:o, s:f, s:s, s:s, s:s, s:b, s:b, s:o, s:o}",
			 "pid", json_from_number(u->pid),
			 "started_by_image", json_from_number(u->starter),
			 "start_s", (double)recording_ns(r, u->stamp) / 1e9,
			 "reason", unrecorded_reason_key(u),
			 "reason_text", unrecorded_reason(u),
			 "status", status,
			 "core_dumped", strcmp(note, " core") == 0,
			 "out_of_memory", strcmp(note, " oom") == 0,
			 "path", json_from_text(u->path), "command", json_from_text(command_of(u)));
}

void info_unrecorded_json(const struct recording *r, json_t *o)
{
	json_t *programs = json_array(), *failed = json_array(), *kills = json_array();

	for (size_t i = 0; i < r->unrecorded_count; i++) {
		const struct unrecorded *u = &r->unrecorded[i];

		if (u->error)
			json_array_append_new(failed, json_pack("{s:o, s:f, s:o, s:i, s:s}",
				"pid", json_from_number(u->pid),
				"time_s", (double)recording_ns(r, u->stamp) / 1e9,
				"path", json_from_text(u->path),
				"errno", u->error, "error", strerror(u->error)));
		else
			json_array_append_new(programs, program_json(r, u));
	}
	for (size_t i = 0; i < r->oom_count; i++)
		json_array_append_new(kills, json_pack("{s:o, s:f, s:f, s:o}",
			"count", json_from_number(r->oom_kills[i].count),
			"since_s", (double)recording_ns(r, r->oom_kills[i].since_stamp) / 1e9,
			"until_s", (double)recording_ns(r, r->oom_kills[i].stamp) / 1e9,
			"cgroup", json_from_text(r->oom_kills[i].cgroup)));
	json_object_set_new(o, "not_recorded", programs);
	json_object_set_new(o, "failed_execs", failed);
	json_object_set_new(o, "oom_kills", kills);
	json_object_set_new(o, "execs_known", json_boolean(!recording_blind_images(r)));
}
