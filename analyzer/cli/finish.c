/*
 * finish.c - what record does when the program has ended. Relies on the symbol
 * layer; promises that the recording is complete before it begins, and that
 * every figure it prints was counted, not estimated.
 */
#include "cli/finish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/debuginfod_option.h"
#include "cli/session_clock.h"
#include "symbol/resolve.h"
#include "symbol/store.h"
#include "trace/recording.h"
#include "trace/stacks.h"

#define SECOND 1000000000ull
/* zstd level of the symbols: they are small and written once. */
#define SYMBOLS_LEVEL 6
#define PROGRESS_AFTER (1 * SECOND)
#define PROGRESS_EVERY (SECOND / 10)
/* What a shell takes as it is. */
#define WORD "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%"

struct progress {
	struct launch *launch;
	bool show;
	bool is_shown;
	uint64_t started, shown;
};

/* For symbols_store: non-zero ends it. */
static int symbols_progress(size_t done, size_t total, void *ctx)
{
	struct progress *p = ctx;
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	if (p->launch && launch_signal_pending(p->launch))
		return 1;
	if (p->show && now - p->started >= PROGRESS_AFTER && now - p->shown >= PROGRESS_EVERY) {
		fprintf(stderr,
			"\rallotrope: looking up symbols, %zu of %zu (Ctrl-C skips the rest)",
			done, total);
		p->is_shown = true;
		p->shown = now;
	}
	return 0;
}

/* For debuginfod_new. */
static int is_interrupted(void *ctx)
{
	return ctx && launch_signal_pending(ctx);
}

static int compare_frames(const void *a, const void *b)
{
	const struct frame_entry *x = a, *y = b;

	if (x->image != y->image)
		return x->image < y->image ? -1 : 1;
	return x->pc < y->pc ? -1 : x->pc > y->pc;
}

/*
 * The resolver works on stacks: each distinct frame becomes a stack of its own, with
 * a node for each module that was at the address of ENTRY from its first use on.
 */
static void add_frame(struct stacks *stacks, const struct recording *r,
		      const struct frame_entry *entry)
{
	const struct frame frame = { .value = entry->pc, .type = FRAME_NATIVE };
	const struct image *image = recording_image(r, entry->image);

	stacks_child(stacks, STACK_NONE, entry->image, frame, entry->stamp);
	for (size_t i = 0; image && i < image->map_count; i++) {
		const struct module_map *map = &image->maps[i];

		if (map->from_stamp > entry->stamp && entry->pc >= map->start && entry->pc < map->end)
			stacks_child_of(stacks, STACK_NONE, entry->image, frame, map->from_stamp,
					image_generation(image, entry->pc, map->from_stamp));
	}
}

static struct stacks *stacks_of(const struct frame_set *set, const struct recording *r)
{
	struct frame_entry *sorted = calloc(set->count + 1, sizeof(*sorted));
	struct stacks *stacks = stacks_new();
	size_t n = 0;

	if (!sorted)
		return stacks;
	for (size_t i = 0; i < set->capacity; i++)
		if (set->entries[i].image)
			sorted[n++] = set->entries[i];
	/* so that two recordings of one run differ as little as they can */
	qsort(sorted, n, sizeof(*sorted), compare_frames);
	for (size_t i = 0; i < n; i++)
		add_frame(stacks, r, &sorted[i]);
	free(sorted);
	return stacks;
}

static int append_symbols(struct packed_writer *w, const uint8_t *payload, size_t bytes,
			  struct diag *d)
{
	struct segment_header h = {
		.magic = SEGMENT_MAGIC, .kind = SEGMENT_SYMBOLS, .committed = bytes,
	};

	if (packed_writer_segment(w, &h, payload, SYMBOLS_LEVEL) < 0 ||
	    packed_writer_finish(w) < 0)
		return diag_errno(d, STATUS_IO, "cannot write the symbols");
	return 0;
}

/* Samples that the processes took themselves; the kernel's maximum lags behind them. */
static void raise_to_samples(uint64_t *bytes, const struct recording *r)
{
	for (size_t i = 0; i < r->sample_count; i++)
		if (r->samples[i].rss > *bytes)
			*bytes = r->samples[i].rss;
}

int finish_symbols(struct packed_writer *w, const char *path, const struct frame_set *frames,
		   const struct symbol_request *rq, struct diag *d)
{
	struct resolver_options options = { 0 };
	struct recording *r = recording_open(path, d);
	struct progress p = {
		.launch = rq->launch, .started = clock_ns(CLOCK_MONOTONIC),
		.show = rq->show_progress && isatty(STDERR_FILENO),
	};
	const char *reason = NULL;
	struct resolver *resolver;
	struct stacks *stacks;
	uint8_t *payload = NULL;
	size_t bytes = 0;
	int result;

	if (!r)
		return -1;
	if (rq->unrecorded)
		*rq->unrecorded = recording_unrecorded_programs(r);
	if (rq->max_rss_bytes)
		raise_to_samples(rq->max_rss_bytes, r);
	stacks = stacks_of(frames, r);
	if (rq->debuginfod)
		options.servers = debuginfod_open(rq->debuginfod, is_interrupted, rq->launch, &reason);
	if (reason)
		diag_print("warning", "cannot use --debuginfod: %s", reason);
	resolver = resolver_new(r, stacks, &options);
	result = symbols_store(resolver, stacks, &payload, &bytes, symbols_progress, &p);
	if (p.is_shown)
		fputs("\r\033[K", stderr);
	if (result == 0 && bytes)
		result = append_symbols(w, payload, bytes, d);
	else if (result != 0)
		diag_set(d, STATUS_IO, "cannot look up symbols; reports use the files of this machine");
	if (options.servers && debuginfod_failure(options.servers))
		diag_print("warning", "debuginfod: cannot fetch debug information: %s",
			   debuginfod_failure(options.servers));
	free(payload);
	resolver_free(resolver);
	debuginfod_free(options.servers);
	stacks_free(stacks);
	recording_close(r);
	return result;
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void print_calls(const struct closing *c)
{
	char calls[UNITS_MAX], processes[UNITS_MAX], wall[UNITS_MAX], rss[UNITS_MAX];

	diag_print("", "%s %sheap call%s of %s process%s in %s, at most %s resident%s",
		   units_count(calls, c->calls), c->sample_bytes ? "sampled " : "", plural(c->calls),
		   units_count(processes, c->processes), c->processes == 1 ? "" : "es",
		   units_ns(wall, c->wall_ns), units_bytes(rss, c->max_rss_bytes),
		   c->processes == 1 ? "" : " in one");
}

/* Of a recording from outside: what the kernel told. */
static void print_outside(const struct closing *c)
{
	char processes[UNITS_MAX], wall[UNITS_MAX], rss[UNITS_MAX];

	diag_print("", "%s process%s seen from outside in %s, at most %s resident%s",
		   units_count(processes, c->processes), c->processes == 1 ? "" : "es",
		   units_ns(wall, c->wall_ns), units_bytes(rss, c->max_rss_bytes),
		   c->processes == 1 ? "" : " in one");
}

static void print_losses(const struct closing *c)
{
	static const char *const sentences[] = {
#define ROW(name, key, text) [LOSS_##name] = text,
		LOSS_CAUSES(ROW)
#undef ROW
	};
	uint64_t sum = 0;
	char n[UNITS_MAX];
	unsigned worst = 0;

	for (unsigned i = 0; i < LOSS_COUNT; i++) {
		sum += c->losses[i];
		if (c->losses[i] > c->losses[worst])
			worst = i;
	}
	if (!sum && !c->write_error)
		return;
	units_count(n, sum);
	if (c->write_error)
		diag_print("warning", "the recording is cut short: cannot write '%s': %s; %s events "
			   "were lost; make room or choose another place with -o", c->path,
			   strerror(c->write_error), n);
	else if (c->losses[LOSS_OVERWRITTEN] == sum)
		diag_print("", "the flight recorder kept the last events and overwrote %s older ones",
			   n);
	else if (c->losses[worst] == sum)
		diag_print("warning", "%s events were lost: %s", n, sentences[worst]);
	else
		diag_print("warning", "%s events were lost, most because %s (allotrope info tells all)",
			   n, sentences[worst]);
}

void finish_print(const struct closing *c)
{
	/* so that the command can be copied to a shell */
	const char *quote = c->path[strspn(c->path, WORD)] ? "'" : "";
	const char *report = c->is_outside ? "maps" : "summary";
	char bytes[UNITS_MAX];

	if (c->is_outside)
		print_outside(c);
	else if (!c->images)
		diag_print("warning", "nothing was recorded: the library was not loaded into '%s' "
			   "(its start ended early, it clears LD_PRELOAD, or it has a loader of its "
			   "own)", c->program);
	else
		print_calls(c);
	if (c->has_own_malloc)
		diag_print("warning", "'%s' brings a malloc of its own: calls to it that do not go "
			   "on to the system's are not seen", c->program);
	if (c->unrecorded && c->images)
		diag_print("warning", "%s program%s that %s started could not be recorded: allotrope info "
			   "tells which and why", units_count(bytes, c->unrecorded), plural(c->unrecorded),
			   c->unrecorded == 1 ? "was" : "were");
	if (c->sample_bytes && c->images)
		diag_print("", "reports give estimates: one sample per %s on average",
			   units_bytes(bytes, c->sample_bytes));
	print_losses(c);
	if (c->is_output_gone)
		diag_print("warning", "the recording '%s' was removed or changed while it was made: it "
			   "is lost", c->path);
	if (!c->images || c->is_output_gone)
		return;
	units_bytes(bytes, c->file_bytes);
	if (c->is_default_path)
		diag_print("", "recorded in '%s' (%s); next: allotrope %s", c->path, bytes, report);
	else
		diag_print("", "recorded in '%s' (%s); next: allotrope %s %s%s%s", c->path, bytes,
			   report, quote, c->path, quote);
}
