/*
 * cmd_recover.c - allotrope recover: a complete recording from what was left
 * behind: the ring of a bare run, or the unfinished file of a killed recorder and its
 * ring. Relies on the reader to join and check them; promises not to change what
 * it reads, and to say what was missing.
 */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/units.h"
#include "base/xmem.h"
#include "cli/command.h"
#include "cli/debuginfod_option.h"
#include "cli/finish.h"
#include "cli/input_file.h"
#include "cli/output_file.h"
#include "cli/pack.h"
#include "trace/meta_fields.h"
#include "trace/recording.h"

#define BACKLOG_MAX (64ull << 20)

struct recover_request {
	const char *input;
	const char *output;
	bool no_symbols;
	const char *debuginfod; /* as in finish.h */
};

enum option_key { KEY_NO_SYMBOLS = 0x100, KEY_DEBUGINFOD };

static const struct argp_option recover_options[] = {
	{ NULL, 'o', "FILE", 0, "Write the recording to FILE (default: the recording that is "
	  "recovered, " INPUT_DEFAULT " for a ring); an existing one becomes FILE.old", 0 },
	{ "output", 'o', NULL, OPTION_ALIAS, NULL, 0 },
	{ "no-symbols", KEY_NO_SYMBOLS, NULL, 0, "Do not store functions and lines in the recording",
	  0 },
	{ "debuginfod", KEY_DEBUGINFOD, "URLS", OPTION_ARG_OPTIONAL, DEBUGINFOD_HELP, 0 },
	{ 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct recover_request *rq = state->input;

	switch (key) {
	case 'o':
		rq->output = arg;
		return 0;
	case KEY_NO_SYMBOLS:
		rq->no_symbols = true;
		return 0;
	case KEY_DEBUGINFOD:
		rq->debuginfod = option_debuginfod(state, arg);
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			command_usage_error(state, "too many arguments: '%s'", arg);
		rq->input = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The input, joined with *RING (the caller's; NULL: none). NULL with D set: nothing to do. */
static struct recording *open_unfinished(const struct recover_request *rq, char **ring,
					 struct diag *d)
{
	struct recording *r = input_open(rq->input, ring, d);

	if (!r || r->is_ring || !r->complete)
		return r;
	diag_set(d, STATUS_USAGE, "'%s' is complete: there is nothing to recover", rq->input);
	recording_close(r);
	return NULL;
}

struct copy {
	struct pack *pack;
	bool has_session;
};

/* A SESSION record without the path of the ring: the recording is over. */
static void copy_session(struct copy *c, const uint8_t *payload, size_t bytes)
{
	const uint8_t *end = payload + bytes, *p = payload, *path;
	struct meta_fields f = { 0 };
	uint64_t v;

	/* start_stamp wall_ns s:command */
	p = varint_get(p, end, &v);
	p = p ? varint_get(p, end, &v) : NULL;
	p = p ? varint_get(p, end, &v) : NULL;
	if (!p || v > (uint64_t)(end - p))
		return;
	path = p + v;
	p = varint_get(path, end, &v);
	if (!p || v > (uint64_t)(end - p))
		return;
	xgrow(&f.bytes, &f.capacity, bytes, 1);
	memcpy(f.bytes, payload, (size_t)(path - payload));
	f.count = (size_t)(path - payload);
	meta_fields_text(&f, "");
	p += v;
	xgrow(&f.bytes, &f.capacity, f.count + (size_t)(end - p), 1);
	memcpy(f.bytes + f.count, p, (size_t)(end - p));
	f.count += (size_t)(end - p);
	pack_meta(c->pack, META_SESSION, f.bytes, f.count);
	c->has_session = true;
	meta_fields_release(&f);
}

static void copy_meta(enum meta_kind kind, const uint8_t *payload, size_t bytes, void *ctx)
{
	struct copy *c = ctx;

	/* totals are made anew, and so are the marks of programs (pid not 0): see pack_events */
	if (kind == META_SESSION)
		copy_session(c, payload, bytes);
	else if (kind != META_TOTALS && !(kind == META_MARK_AT && bytes && payload[0] != 0))
		pack_meta(c->pack, kind, payload, bytes);
}

/* Every report says it. */
static void put_fault(struct pack *p, const struct recording *r)
{
	char segments[UNITS_MAX], bytes[UNITS_MAX], *text;
	struct meta_fields f = { 0 };

	if (r->unwritten_segments)
		text = xasprintf("recovered after its recorder was killed: %s segment%s (%s of records) "
				 "that it had taken and not written %s missing",
				 units_count(segments, r->unwritten_segments),
				 r->unwritten_segments == 1 ? "" : "s",
				 units_bytes(bytes, r->unwritten_bytes),
				 r->unwritten_segments == 1 ? "is" : "are");
	else
		text = xstrdup("recovered after its recorder was killed: nothing that it had taken is "
			       "missing");
	meta_fields_number(&f, 0);
	meta_fields_number(&f, r->end_stamp);
	meta_fields_text(&f, text);
	pack_meta(p, META_FAULT, f.bytes, f.count);
	meta_fields_release(&f);
	free(text);
}

/* Missing segments count as damage: those that leave a gap are found again by the reader. */
static uint64_t loss_of(const struct recording *r, unsigned cause, const struct pack_totals *t)
{
	uint64_t count = r->losses[cause];

	if (cause == LOSS_OUTPUT)
		count += t->lost_events;
	if (cause == LOSS_DAMAGED && count < r->unwritten_segments)
		count = r->unwritten_segments;
	return count;
}

static void put_totals(struct packed_writer *w, const struct recording *r,
		       const struct pack_totals *t)
{
	struct meta_fields f = { 0 };

	meta_fields_number(&f, t->segments);
	meta_fields_number(&f, t->raw_bytes);
	for (unsigned i = 0; i < LOSS_COUNT; i++) {
		meta_fields_number(&f, i);
		meta_fields_number(&f, loss_of(r, i, t));
	}
	packed_writer_meta(w, META_TOTALS, f.bytes, f.count);
	meta_fields_release(&f);
}

static void copy_events(struct pack *p, struct recording *r)
{
	uint8_t *buffer = NULL;
	size_t capacity = 0;

	for (size_t i = 0; i < r->segment_count; i++) {
		const struct segment_ref *s = &r->segments[i];
		int64_t bytes = recording_read(r, s, &buffer, &capacity);

		if (bytes > 0)
			pack_events(p, &s->header, buffer, (uint64_t)bytes);
		while (pack_is_full(p))
			if (!pack_help(p))
				usleep(1000);
	}
	free(buffer);
}

static int write_recording(struct recording *r, struct output_file *o,
			   const struct recover_request *rq, struct closing *c, struct diag *d)
{
	struct packed_writer *w = packed_writer_open(o->fd, &r->head);
	struct copy copy = { 0 };
	struct pack_totals totals;
	int result = -1;

	if (!w)
		return diag_errno(d, STATUS_IO, "cannot write '%s'", o->path);
	copy.pack = pack_new(w, BACKLOG_MAX);
	if (pack_start(copy.pack) != 0) {
		diag_errno(d, STATUS_IO, "cannot start a thread");
	} else {
		recording_each_meta(r, copy_meta, &copy);
		if (!r->is_ring)
			put_fault(copy.pack, r);
		copy_events(copy.pack, r);
		pack_stop(copy.pack);
		totals = pack_totals(copy.pack);
		put_totals(w, r, &totals);
		errno = totals.error;
		if (totals.error || packed_writer_finish(w) < 0)
			diag_errno(d, STATUS_IO, "cannot write '%s'", o->path);
		else
			result = output_file_commit(o, d);
		c->calls = totals.calls;
	}
	if (result == 0 && !rq->no_symbols && pack_frames(copy.pack)->count) {
		const struct symbol_request symbols = {
			.show_progress = true, .debuginfod = rq->debuginfod,
		};
		struct diag failure = { 0 };

		if (finish_symbols(w, o->path, pack_frames(copy.pack), &symbols, &failure) != 0)
			diag_print("warning", "%s", failure.text);
	}
	c->file_bytes = packed_writer_bytes(w);
	pack_free(copy.pack);
	packed_writer_close(w);
	return result;
}

static int recover(const struct recover_request *rq, struct diag *d)
{
	struct output_file o;
	struct closing c = { 0 };
	struct recording *r;
	char *ring, calls[UNITS_MAX], bytes[UNITS_MAX];
	int result;

	r = open_unfinished(rq, &ring, d);
	if (!r)
		return -1;
	result = output_file_open(&o, rq->output ? rq->output : r->is_ring ? INPUT_DEFAULT :
				  rq->input, d);
	if (result == 0) {
		result = write_recording(r, &o, rq, &c, d);
		if (result == 0)
			diag_print("", "recovered %s heap calls into '%s' (%s)",
				   units_count(calls, c.calls), o.path,
				   units_bytes(bytes, c.file_bytes));
		output_file_close(&o);
	}
	if (result == 0 && r->damage[0])
		diag_print("warning", "%s", r->damage);
	if (result == 0 && r->unwritten_segments)
		diag_print("warning", "%s segments (%s of records) are missing: the recorder had them "
			   "when it was killed", units_count(calls, r->unwritten_segments),
			   units_bytes(bytes, r->unwritten_bytes));
	else if (result == 0 && r->missing_segments)
		diag_print("warning", "%s segments are missing", units_count(calls, r->missing_segments));
	if (result == 0 && (ring || r->is_ring))
		diag_print("", "the ring '%s' was read and may be removed", ring ? ring : rq->input);
	free(ring);
	recording_close(r);
	return result;
}

static int run(int argc, char **argv)
{
	static const struct argp argp = {
		recover_options, parse_option, "[FILE|RING]",
		"Make a complete recording from the unfinished FILE of a recorder that was killed "
		"(default " INPUT_DEFAULT "; its ring is found by itself), or from the RING of a "
		"program that ran with the bare library.",
		NULL, NULL, NULL,
	};
	struct recover_request rq = { .input = INPUT_DEFAULT };
	struct diag d = { 0 };

	if (command_parse(&argp, argc, argv, 0, &rq) != 0)
		return STATUS_USAGE;
	if (recover(&rq, &d) == 0)
		return STATUS_OK;
	diag_print("", "%s", d.text);
	return d.status;
}

const struct command command_recover = {
	"recover", "complete a recording whose recorder was killed, or a bare ring", run,
};
