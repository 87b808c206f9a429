/*
 * cmd_mark.c - allotrope mark: a named moment put into a running recording from
 * outside. The recording names its ring; the record goes there like one of the
 * library's, and reaches the file with the others.
 */
#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/xmem.h"
#include "cli/command.h"
#include "cli/input_file.h"
#include "cli/session_clock.h"
#include "cli/session_file.h"
#include "cli/snapshot_put.h"
#include "record_codec.h"
#include "trace/meta_fields.h"
#include "trace/recording.h"

/* As in preload/ring.c: a recorder whose heart has not beaten for so long is dead. */
#define HEARTBEAT_FRESH_NS 2000000000ull

struct mark_request {
	const char *name;
	const char *file;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct mark_request *rq = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (state->arg_num == 0)
			rq->name = arg;
		else if (state->arg_num == 1)
			rq->file = arg;
		else
			command_usage_error(state, "too many arguments: '%s'", arg);
		return 0;
	case ARGP_KEY_END:
		if (!rq->name || !*rq->name)
			command_usage_error(state, "which name? Write it behind: allotrope mark NAME");
		if (strlen(rq->name) > MARK_NAME_MAX)
			command_usage_error(state, "the name is too long: at most %d bytes",
					    MARK_NAME_MAX);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The path of the ring behind FILE; the caller's. NULL with D set: there is none. */
static char *ring_of(const char *file, struct diag *d)
{
	struct recording *r = recording_open(file, d);
	char *path = NULL;

	if (!r)
		return NULL;
	if (r->is_ring)
		path = xstrdup(file);
	else if (r->ring_path && *r->ring_path)
		path = xstrdup(r->ring_path);
	else if (r->complete)
		diag_set(d, STATUS_IO, "cannot mark '%s': its recording is over", file);
	else
		diag_set(d, STATUS_IO, "cannot mark '%s': it does not say where its session is", file);
	recording_close(r);
	return path;
}

static bool process_lives(uint32_t pid)
{
	return pid && pid <= INT32_MAX && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

static bool session_lives(const struct session_file *s)
{
	uint64_t beat = __atomic_load_n(&s->ring->heartbeat_ns, __ATOMIC_ACQUIRE);

	/* without a recorder the ring is alive as long as its first process */
	if (s->fixed.options.bare)
		return process_lives(s->ring->root_pid);
	return !s->ring->stopping && process_lives(s->ring->recorder_pid) &&
	       clock_ns(CLOCK_MONOTONIC) < beat + HEARTBEAT_FRESH_NS;
}

static int append_mark(struct session_file *s, const struct mark_request *rq, struct diag *d)
{
	struct meta_fields f = { 0 };
	int result;

	if (!session_lives(s))
		return diag_set(d, STATUS_IO, "cannot mark '%s': its recording is over, or its "
				"recorder is gone (allotrope recover saves what it left)", rq->file);
	meta_fields_number(&f, 0);
	meta_fields_number(&f, session_stamp(&s->fixed));
	meta_fields_text(&f, rq->name);
	result = session_file_append(s, META_MARK_AT, f.bytes, f.count);
	meta_fields_release(&f);
	if (result != 0)
		diag_set(d, STATUS_IO, "cannot mark '%s': its ring has no room for metadata",
			 rq->file);
	return result;
}

static void put_record(void *ctx, enum meta_kind kind, const uint8_t *bytes, size_t count)
{
	/* a full area is counted in the ring */
	session_file_append(ctx, kind, bytes, count);
}

/*
 * The address space of each process of the session at this moment, as the kernel tells it from
 * outside. Those are the processes that have mapped the ring: the recording may not have
 * heard of the youngest yet.
 */
static void append_snapshots(struct session_file *s, const struct mark_request *rq)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	char *text = NULL;
	size_t capacity = 0;

	while (proc && (entry = readdir(proc)) != NULL) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		size_t bytes;

		if (pid <= 0 || pid == getpid() || (uint32_t)pid == s->ring->recorder_pid ||
		    !proc_text(pid, "maps", &text, &capacity) || !strstr(text, s->path))
			continue;
		bytes = proc_text(pid, "smaps", &text, &capacity);
		if (bytes)
			snapshot_put(pid, session_stamp(&s->fixed), MEMORY_AT_MARK, rq->name, text,
				     bytes, put_record, s);
	}
	if (proc)
		closedir(proc);
	free(text);
}

static int run(int argc, char **argv)
{
	static const struct argp argp = {
		NULL, parse_option, "NAME [FILE]",
		"Put a mark called NAME into the recording that is being made in FILE (default "
		"allotrope.data). Reports take it as a moment: --since=mark:NAME.",
		NULL, NULL, NULL,
	};
	struct mark_request rq = { .file = INPUT_DEFAULT };
	struct session_file s;
	struct diag d = { 0 };
	char *path;

	if (command_parse(&argp, argc, argv, 0, &rq) != 0)
		return STATUS_USAGE;
	path = ring_of(rq.file, &d);
	if (path && session_file_open(&s, path, &d) == 0) {
		if (append_mark(&s, &rq, &d) == 0)
			append_snapshots(&s, &rq);
		session_file_close(&s);
	}
	free(path);
	if (d.status)
		diag_print("", "%s", d.text);
	return d.status;
}

const struct command command_mark = {
	"mark", "name this moment in a recording that is being made", run,
};
