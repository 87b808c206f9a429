/*
 * record_session.c - one recording: everything that can fail is done before the
 * program starts, then drainer, packer and sampler follow it to the end of its
 * last process, then the file is completed. Relies on launch, drain, pack,
 * sampler and finish for the work; promises their order.
 */
#include "cli/record_session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xmem.h"
#include "cli/drain.h"
#include "cli/family.h"
#include "cli/launch.h"
#include "cli/oom_watch.h"
#include "cli/output_file.h"
#include "cli/outside.h"
#include "cli/pack.h"
#include "cli/preload_path.h"
#include "cli/recordable.h"
#include "cli/sampler.h"
#include "cli/session_clock.h"
#include "cli/session_file.h"
#include "trace/meta_fields.h"

#define SECOND 1000000000ull
#define BACKLOG_MAX (256ull << 20)
/* After the root's end: how long processes that never attached are waited for. */
#define GRACE (1 * SECOND)
/* After the root's end: when a word is said about processes that are waited for. */
#define PATIENCE (2 * SECOND)
/* With --no-preload: how long a new process may be unseen. */
#define OUTSIDE_PAUSE (SECOND / 100)
/* How often cgroups are asked for kills, and of how many processes. */
#define OOM_INTERVAL (SECOND / 20)
#define OOM_PROCESSES 16

struct session {
	const struct request *rq;
	char *program;                /* file found */
	struct recordable recordable;
	struct preload_path library;
	struct output_file output;
	struct session_file ring;
	struct packed_writer *writer;
	struct pack *pack;
	struct family *family;
	struct drain *drain;
	struct sampler *sampler;
	struct outside *outside;      /* --no-preload, else NULL */
	struct oom_watch *oom;
	uint64_t oom_ns;              /* when the cgroups were asked last */
	struct launch launch;
	uint64_t started_ns;          /* CLOCK_MONOTONIC */
	uint64_t root_end_ns;         /* of the root's end; 0: it runs */
	uint64_t ended_ns, end_stamp; /* the end of all that was waited for, as far as it is known */
	uint64_t max_rss_kib;
	uint64_t marks;
};

static void put_meta(struct session *s, enum meta_kind kind, struct meta_fields *f)
{
	pack_meta(s->pack, kind, f->bytes, f->count);
	meta_fields_release(f);
}

static void add_word(struct meta_fields *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A word of a text in F, a space before all but the first. */
static void add_word(struct meta_fields *f, const char *format, ...)
{
	char word[64];
	va_list ap;
	size_t n;

	va_start(ap, format);
	n = (size_t)vsnprintf(word, sizeof(word), format, ap);
	va_end(ap);
	xgrow(&f->bytes, &f->capacity, f->count + n + 1, 1);
	if (f->count)
		f->bytes[f->count++] = ' ';
	memcpy(f->bytes + f->count, word, n);
	f->count += n;
}

/* The options that differ from the default, as they may be typed. */
static void add_options(struct meta_fields *f, const struct request *rq)
{
	static const char *const syscalls[] = { "exact", "inferred", "off", "stacks" };
	static const char *const follow[] = { "tree", "exec", "no" };
	static const char *const callgraph[] = { "cfi", "fp", "no", "libunwind" };
	const struct ring_options *o = &rq->ring;

	if (rq->no_preload)
		add_word(f, "--no-preload");
	if (rq->python_malloc)
		add_word(f, "--python-malloc");
	if (o->follow != FOLLOW_TREE)
		add_word(f, "--follow=%s", follow[o->follow]);
	if (o->syscalls != SYSCALLS_EXACT)
		add_word(f, "--syscalls=%s", syscalls[o->syscalls]);
	if (o->callgraph != CALLGRAPH_CFI)
		add_word(f, "--call-graph=%s", callgraph[o->callgraph]);
	if (o->depth != DEPTH_DEFAULT)
		add_word(f, "--depth=%u", o->depth);
	if (o->free_stacks)
		add_word(f, "--free-stacks");
	if (!o->look_at_free)
		add_word(f, "--no-touched");
	if (o->sample_bytes)
		add_word(f, "--sample=%llu", (unsigned long long)o->sample_bytes);
	if (o->timing_all)
		add_word(f, "--timing=all");
	if (o->check_stacks)
		add_word(f, "--check-stacks=%u", o->check_stacks);
	if (o->when_full == WHEN_FULL_OVERWRITE)
		add_word(f, "--flight-recorder=%llu", (unsigned long long)rq->ring_bytes);
	else if (rq->ring_bytes != RING_BYTES_DEFAULT)
		add_word(f, "--ring=%llu", (unsigned long long)rq->ring_bytes);
	if (o->when_full == WHEN_FULL_DROP)
		add_word(f, "--when-full=drop");
}

/* SESSION: with the ring's path while it lives, with the end when it is over. Into F, empty. */
static void session_fields(struct session *s, bool is_over, struct meta_fields *f)
{
	struct meta_fields command = { 0 }, options = { 0 };

	for (size_t i = 0; s->rq->argv[i]; i++) {
		size_t n = strlen(s->rq->argv[i]) + 1;

		xgrow(&command.bytes, &command.capacity, command.count + n, 1);
		memcpy(command.bytes + command.count, s->rq->argv[i], n);
		command.count += n;
	}
	add_options(&options, s->rq);
	meta_fields_number(f, s->ring.fixed.start_stamp);
	meta_fields_number(f, s->ring.fixed.wall_ns);
	/* without the last NUL: they stand between the arguments */
	meta_fields_string(f, command.bytes, command.count - 1);
	meta_fields_text(f, is_over ? "" : s->ring.path);
	meta_fields_number(f, (uint64_t)s->launch.root);
	meta_fields_number(f, is_over ? s->end_stamp : 0);
	meta_fields_number(f, is_over ? s->ended_ns - s->started_ns : 0);
	meta_fields_string(f, options.bytes, options.count);
	meta_fields_release(&command);
	meta_fields_release(&options);
}

static void put_session(struct session *s, bool is_over)
{
	struct meta_fields f = { 0 };

	session_fields(s, is_over, &f);
	put_meta(s, META_SESSION, &f);
}

/* At once, so that the file of a recorder that is killed knows its ring. */
static int write_session(struct session *s)
{
	struct meta_fields f = { 0 };
	int result;

	session_fields(s, false, &f);
	result = packed_writer_meta(s->writer, META_SESSION, f.bytes, f.count);
	meta_fields_release(&f);
	return result < 0 ? result : packed_writer_flush(s->writer);
}

/* A sample of all clocks: with two of them stamps become times. */
static void put_clock(struct session *s)
{
	struct meta_fields f = { 0 };

	meta_fields_number(&f, 0);
	meta_fields_number(&f, session_stamp(&s->ring.fixed));
	meta_fields_number(&f, clock_ns(CLOCK_MONOTONIC));
	meta_fields_number(&f, clock_ns(CLOCK_REALTIME));
	put_meta(s, META_CLOCK, &f);
}

static void collect_losses(struct session *s, uint64_t losses[LOSS_COUNT])
{
	struct pack_totals packed = pack_totals(s->pack);
	struct drain_totals drained = drain_totals(s->drain);

	for (unsigned i = 0; i < LOSS_COUNT; i++)
		losses[i] = __atomic_load_n(&s->ring.ring->losses[i], __ATOMIC_RELAXED);
	losses[LOSS_OUTPUT] += packed.lost_events;
	losses[LOSS_DAMAGED] += packed.damaged + drained.damaged;
}

static void put_totals(struct session *s, const uint64_t losses[LOSS_COUNT])
{
	struct meta_fields f = { 0 };

	meta_fields_number(&f, drain_totals(s->drain).slots);
	meta_fields_number(&f, pack_totals(s->pack).raw_bytes);
	for (unsigned i = 0; i < LOSS_COUNT; i++) {
		meta_fields_number(&f, i);
		meta_fields_number(&f, losses[i]);
	}
	packed_writer_meta(s->writer, META_TOTALS, f.bytes, f.count);
	meta_fields_release(&f);
}

static uint64_t microseconds(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000u + (uint64_t)t->tv_usec;
}

static void put_oom(const struct oom_rise *rise, void *ctx)
{
	struct session *s = ctx;
	struct meta_fields f = { 0 };

	meta_fields_number(&f, rise->since_stamp);
	meta_fields_number(&f, rise->stamp);
	meta_fields_number(&f, rise->count);
	meta_fields_text(&f, rise->cgroup);
	put_meta(s, META_OOM_KILLS, &f);
}

/* Processes may have moved to other cgroups. */
static void watch_oom(struct session *s, uint64_t now)
{
	pid_t pids[OOM_PROCESSES];
	size_t count;

	if (now - s->oom_ns < OOM_INTERVAL)
		return;
	s->oom_ns = now;
	count = family_running(s->family, pids, OOM_PROCESSES);
	for (size_t i = 0; i < count && i < OOM_PROCESSES; i++)
		oom_watch_process(s->oom, pids[i], session_stamp(&s->ring.fixed));
	oom_watch_poll(s->oom, session_stamp(&s->ring.fixed), put_oom, s);
}

/* The recording lasted until now: a daemon's goes on when the program has ended. */
static void note_end(struct session *s)
{
	s->ended_ns = clock_ns(CLOCK_MONOTONIC);
	s->end_stamp = session_stamp(&s->ring.fixed);
}

/*
 * A child was waited for: what the kernel says of it is exact. One that has waited for
 * children of its own told its times better itself, unless it was killed.
 */
static void child_ended(const struct child_end *end, void *ctx)
{
	struct session *s = ctx;
	struct meta_fields f = { 0 };
	const struct rusage *u = &end->usage;

	note_end(s);
	if (end->pid == s->launch.root)
		s->root_end_ns = s->ended_ns;
	if (WIFSIGNALED(end->status) && WTERMSIG(end->status) == SIGKILL)
		oom_watch_poll(s->oom, session_stamp(&s->ring.fixed), put_oom, s);
	if (end->largest_kib > s->max_rss_kib)
		s->max_rss_kib = end->largest_kib;
	meta_fields_number(&f, (uint64_t)end->pid);
	meta_fields_number(&f, session_stamp(&s->ring.fixed));
	meta_fields_signed(&f, end->status);
	if (!end->has_children || WIFSIGNALED(end->status)) {
		meta_fields_number(&f, microseconds(&u->ru_utime));
		meta_fields_number(&f, microseconds(&u->ru_stime));
		meta_fields_number(&f, (uint64_t)u->ru_maxrss);
		meta_fields_number(&f, (uint64_t)u->ru_minflt);
		meta_fields_number(&f, (uint64_t)u->ru_majflt);
	}
	put_meta(s, META_STATUS, &f);
}

/* Everything that may fail, before the program starts. */
static int session_open(struct session *s, struct diag *d)
{
	struct file_header head = { 0 };

	launch_prepare(&s->launch);
	s->program = program_find(s->rq->argv[0], getenv("PATH"), d);
	if (!s->program ||
	    (!s->rq->no_preload && (recordable_check(s->program, &s->recordable, d) != 0 ||
				    preload_path_init(&s->library, d) != 0)) ||
	    output_file_open(&s->output, s->rq->output, d) != 0)
		return -1;
	if (session_file_create(&s->ring, s->output.directory, s->rq->ring_bytes, &s->rq->ring,
				d) != 0)
		return -1;
	head.clock = s->ring.fixed.clock;
	head.stamp_shift = s->ring.fixed.stamp_shift;
	head.start_stamp = s->ring.fixed.start_stamp;
	head.wall_ns = s->ring.fixed.wall_ns;
	s->writer = packed_writer_open(s->output.fd, &head);
	if (!s->writer)
		return diag_errno(d, STATUS_IO, "cannot write '%s'", s->output.path);
	s->oom = oom_watch_new();
	oom_watch_process(s->oom, getpid(), s->ring.fixed.start_stamp);
	s->family = family_new();
	s->pack = pack_new(s->writer, BACKLOG_MAX);
	s->drain = drain_new(&s->ring, s->pack, s->family);
	s->sampler = sampler_new(&s->ring, s->family, s->pack, s->rq->memory_interval_ns);
	return 0;
}

static void session_close(struct session *s)
{
	if (s->drain)
		drain_stop(s->drain);
	if (s->pack)
		pack_stop(s->pack);
	sampler_free(s->sampler);
	outside_free(s->outside);
	oom_watch_free(s->oom);
	drain_free(s->drain);
	pack_free(s->pack);
	family_free(s->family);
	packed_writer_close(s->writer);
	if (s->ring.ring) {
		session_file_remove(&s->ring);
		session_file_close(&s->ring);
	}
	if (s->output.path)
		output_file_close(&s->output);
	preload_path_release(&s->library);
	free(s->program);
}

static int session_start(struct session *s, struct diag *d)
{
	const struct launch_program p = {
		.path = s->program, .argv = s->rq->argv,
		.library = s->rq->no_preload ? NULL : s->library.path,
		.ring = s->ring.path, .python_malloc = s->rq->python_malloc,
	};

	s->launch.on_end = child_ended;
	s->launch.ctx = s;
	s->started_ns = clock_ns(CLOCK_MONOTONIC);
	if (write_session(s) < 0)
		return diag_errno(d, STATUS_IO, "cannot write '%s'", s->output.path);
	if (pack_start(s->pack) != 0 || drain_start(s->drain) != 0)
		return diag_errno(d, STATUS_IO, "cannot start a thread of the recorder");
	if (launch_start(&s->launch, &p, s->rq->ring.follow != FOLLOW_NO, d) != 0)
		return -1;
	__atomic_store_n(&s->ring.ring->root_pid, (uint32_t)s->launch.root, __ATOMIC_RELEASE);
	put_session(s, false);
	put_clock(s);
	if (s->rq->no_preload)
		s->outside = outside_new(&s->ring, s->family, s->pack, s->launch.root);
	return 0;
}

static void mark_if_due(struct session *s, uint64_t now)
{
	uint64_t every = s->rq->mark_every_ns, elapsed = now - s->started_ns, ns;
	struct meta_fields f = { 0 };
	char *name;

	if (!every || elapsed / every <= s->marks)
		return;
	s->marks = elapsed / every;
	ns = s->marks * every;
	name = ns % SECOND ? xasprintf("%llums", (unsigned long long)(ns / 1000000)) :
			     xasprintf("%llus", (unsigned long long)(ns / SECOND));
	meta_fields_number(&f, 0);
	meta_fields_number(&f, session_stamp(&s->ring.fixed));
	meta_fields_text(&f, name);
	put_meta(s, META_MARK_AT, &f);
	free(name);
}

/* The root has ended: are there processes whose end the recording waits for? */
static bool must_wait(struct session *s, uint64_t now, bool *has_said)
{
	size_t running;

	if (s->launch.interrupted || s->rq->ring.follow == FOLLOW_NO)
		return false;
	running = family_running(s->family, NULL, 0);
	if (!running)
		return now - s->root_end_ns < GRACE;
	if (!*has_said && !s->rq->quiet && now - s->root_end_ns >= PATIENCE) {
		*has_said = true;
		diag_print("", "the program has ended, %zu of its processes still run%s: waiting for "
			   "them (Ctrl-C ends the recording and leaves them alone)", running,
			   running == 1 ? "s" : "");
	}
	return true;
}

static void session_watch(struct session *s)
{
	bool has_said = false, has_children = true;

	while (has_children) {
		uint64_t pause, now;

		if (s->outside)
			outside_poll(s->outside);
		pause = sampler_tick(s->sampler);
		if (s->outside && pause > OUTSIDE_PAUSE)
			pause = OUTSIDE_PAUSE;
		if (s->rq->mark_every_ns && pause > s->rq->mark_every_ns)
			pause = s->rq->mark_every_ns;
		has_children = launch_wait(&s->launch, pause);
		now = clock_ns(CLOCK_MONOTONIC);
		watch_oom(s, now);
		if (!s->launch.root_ended)
			mark_if_due(s, now);
		else if (!must_wait(s, now, &has_said))
			break;
	}
	if (s->launch.interrupted && family_running(s->family, NULL, 0))
		note_end(s);
}

/* Drain, complete, symbolise. What cannot be written is said in C. */
static void session_finish(struct session *s, struct closing *c)
{
	const struct symbol_request symbols = {
		.launch = &s->launch, .show_progress = !s->rq->quiet, .debuginfod = s->rq->debuginfod,
		.unrecorded = &c->unrecorded, .max_rss_bytes = &c->max_rss_bytes,
	};
	struct pack_totals packed;
	struct diag d = { 0 };

	drain_stop(s->drain);
	oom_watch_poll(s->oom, session_stamp(&s->ring.fixed), put_oom, s);
	put_clock(s);
	put_session(s, true);
	if (pack_totals(s->pack).error)
		output_file_use_reserve(&s->output);
	pack_stop(s->pack);
	packed = pack_totals(s->pack);
	collect_losses(s, c->losses);
	if (packed.error)
		output_file_use_reserve(&s->output);
	put_totals(s, c->losses);
	if (packed_writer_finish(s->writer) < 0 && !packed.error)
		packed.error = errno;
	session_file_remove(&s->ring);
	c->calls = packed.calls;
	c->write_error = packed.error;
	/* the signal that ended the waiting has been obeyed; another one skips the symbols */
	s->launch.interrupted = false;
	c->max_rss_bytes = s->max_rss_kib * 1024;
	if (sampler_peak(s->sampler) > c->max_rss_bytes)
		c->max_rss_bytes = sampler_peak(s->sampler);
	c->is_output_gone = !output_file_is_whole(&s->output, packed_writer_bytes(s->writer));
	if (!s->rq->no_symbols && !c->is_output_gone && !packed.error &&
	    finish_symbols(s->writer, s->output.path, pack_frames(s->pack), &symbols, &d) != 0 &&
	    !s->rq->quiet)
		diag_print("warning", "%s", d.text);
	c->file_bytes = packed_writer_bytes(s->writer);
}

int record_session(const struct request *rq, int *status, struct closing *c, struct diag *d)
{
	struct session s = {
		.rq = rq, .output = { .fd = -1, .reserve = -1 }, .ring = { .fd = -1 },
	};
	struct diag moved = { 0 };

	if (session_open(&s, d) != 0 || session_start(&s, d) != 0) {
		session_close(&s);
		return -1;
	}
	/* the program runs: what goes wrong from here on must not stop it */
	if (output_file_commit(&s.output, &moved) != 0 && !rq->quiet)
		diag_print("warning", "%s", moved.text);
	session_watch(&s);
	session_finish(&s, c);
	*status = s.launch.end.status;
	c->path = xstrdup(s.output.path);
	c->program = rq->argv[0];
	c->sample_bytes = rq->ring.sample_bytes;
	c->is_outside = rq->no_preload;
	c->has_own_malloc = s.recordable.has_own_malloc;
	c->processes = family_process_count(s.family);
	c->images = family_image_count(s.family);
	c->wall_ns = s.ended_ns - s.started_ns;
	session_close(&s);
	return 0;
}
