/*
 * cmd_record.c - allotrope record: options, messages and the exit status. The
 * work is in record_session. Promises that a wrong option is told before
 * anything starts, and to leave as the program left.
 */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/diag.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/debuginfod_option.h"
#include "cli/launch.h"
#include "cli/look_probe.h"
#include "cli/record_session.h"
#include "cli/session_file.h"
#include "record_codec.h"

#define SECOND 1000000000ull
#define DEFAULT_OUTPUT "allotrope.data"
#define CHECK_STACKS_MAX 1000000000

enum option_key {
	KEY_PYTHON_MALLOC = 0x100, KEY_WHEN_FULL, KEY_FLIGHT_RECORDER, KEY_RING, KEY_SYSCALLS,
	KEY_FOLLOW, KEY_TIMING, KEY_CALL_GRAPH, KEY_FREE_STACKS, KEY_DEPTH, KEY_MARK_EVERY,
	KEY_MEMORY_INTERVAL, KEY_NO_SYMBOLS, KEY_DEBUGINFOD, KEY_CHECK_STACKS, KEY_SAMPLE,
	KEY_NO_PRELOAD, KEY_NO_TOUCHED,
};

static const struct argp_option record_options[] = {
	{ NULL, 'o', "FILE", 0, "Write the recording to FILE (default " DEFAULT_OUTPUT "); "
	  "an existing one becomes FILE.old", 1 },
	{ "output", 'o', NULL, OPTION_ALIAS, NULL, 1 },
	{ "quiet", 'q', NULL, 0, "Print nothing", 1 },
	{ "python-malloc", KEY_PYTHON_MALLOC, NULL, 0,
	  "Set PYTHONMALLOC=malloc: Python objects become heap blocks of their own instead of "
	  "hiding in arenas", 2 },
	{ "follow", KEY_FOLLOW, "WHAT", 0, "tree: all processes (default); exec: children only "
	  "after they exec; no: only the program itself", 2 },
	{ "no-preload", KEY_NO_PRELOAD, NULL, 0, "Put no library into the program: only what the "
	  "kernel shows from outside is recorded (maps, timeline), of static programs too", 2 },
	{ "sample", KEY_SAMPLE, "SIZE", 0, "Record one block per SIZE bytes allocated, on average, "
	  "and its release: heap figures become estimates, and the program hardly slower (512K)", 2 },
	{ "syscalls", KEY_SYSCALLS, "HOW", 0, "Memory system calls of the C library: exact "
	  "(default); stacks: with the frames inside malloc; inferred, off", 3 },
	{ "call-graph", KEY_CALL_GRAPH, "HOW", 0, "Call stacks by cfi (default), fp, libunwind, no",
	  3 },
	{ "depth", KEY_DEPTH, "N", 0, "Innermost frames kept of a call stack (default 1024)", 3 },
	{ "free-stacks", KEY_FREE_STACKS, NULL, 0, "Record call stacks of free as well", 3 },
	{ "no-touched", KEY_NO_TOUCHED, NULL, 0, "Do not look at the pages of large blocks when they "
	  "are freed (sites --touched=freed)", 3 },
	{ "timing", KEY_TIMING, "HOW", 0, "Measure the time in the allocator of a sample of the "
	  "calls (default) or of all", 3 },
	{ "check-stacks", KEY_CHECK_STACKS, "N", 0, "Compare each Nth call stack with other "
	  "unwinders (slow; a check of allotrope itself)", 3 },
	{ "mark-every", KEY_MARK_EVERY, "TIME", 0, "Put a mark into the recording every TIME (1s, "
	  "500ms)", 4 },
	{ "memory-interval", KEY_MEMORY_INTERVAL, "TIME", 0, "Time between samples of resident "
	  "memory (default 10ms, later up to 100ms)", 4 },
	{ "ring", KEY_RING, "SIZE", 0, "Size of the ring between program and recorder (default 16M)",
	  5 },
	{ "when-full", KEY_WHEN_FULL, "WHAT", 0, "Where the ring is full: wait (default) or drop "
	  "events and count them", 5 },
	{ "flight-recorder", KEY_FLIGHT_RECORDER, "SIZE", 0, "Keep only the last SIZE of events", 5 },
	{ "no-symbols", KEY_NO_SYMBOLS, NULL, 0, "Do not store functions and lines in the recording",
	  6 },
	{ "debuginfod", KEY_DEBUGINFOD, "URLS", OPTION_ARG_OPTIONAL, DEBUGINFOD_HELP, 6 },
	{ 0 },
};

/* ---- options ---- */

/* The index of WORD in WORDS (NULL terminated); a usage error where it is none. */
static uint8_t one_of(struct argp_state *state, const char *option, const char *word,
		      const char *const *words, const char *list)
{
	for (uint8_t i = 0; words[i]; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	command_usage_error(state, "--%s='%s' is unknown: choose one of %s", option, word, list);
}

/* LEAST and MOST also as the user would write them. */
static uint64_t size_in(struct argp_state *state, const char *option, const char *text,
			uint64_t least, uint64_t most, const char *range)
{
	uint64_t bytes;

	if (units_parse_bytes(text, &bytes) != 0)
		command_usage_error(state, "--%s='%s' is not a size: write it like 512K or 1G", option,
				    text);
	if (bytes < least || bytes > most)
		command_usage_error(state, "--%s=%s is out of range: it must be between %s", option,
				    text, range);
	return bytes;
}

static uint64_t ring_size_in(struct argp_state *state, const char *option, const char *text)
{
	return size_in(state, option, text, RING_BYTES_MIN, RING_BYTES_MAX, "1M and 64G");
}

static uint64_t time_in(struct argp_state *state, const char *option, const char *text)
{
	uint64_t ns;

	if (units_parse_ns(text, &ns) != 0)
		command_usage_error(state, "--%s='%s' is not a time: write it like 10ms or 1s", option,
				    text);
	if (ns < 1000000 || ns > 86400 * SECOND)
		command_usage_error(state, "--%s=%s is out of range: it must be between 1ms and 24h",
				    option, text);
	return ns;
}

/* NAME is the option's, with its dashes, or the environment variable's. */
static uint32_t count_in(struct argp_state *state, const char *name, const char *text,
			 unsigned long least, unsigned long most)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno)
		command_usage_error(state, "%s='%s' is not a number", name, text);
	if (n < least || n > most)
		command_usage_error(state, "%s=%s is out of range: it must be between %lu and %lu",
				    name, text, least, most);
	return (uint32_t)n;
}

static int parse_ring_option(int key, char *arg, struct argp_state *state)
{
	static const char *const when_full[] = { "wait", "drop", NULL };
	static const char *const syscalls[] = { "exact", "inferred", "off", "stacks", NULL };
	static const char *const follow[] = { "tree", "exec", "no", NULL };
	static const char *const callgraph[] = { "cfi", "fp", "no", "libunwind", NULL };
	static const char *const timing[] = { "sample", "all", NULL };
	struct request *rq = state->input;
	struct ring_options *o = &rq->ring;

	switch (key) {
	case KEY_WHEN_FULL:
		o->when_full = one_of(state, "when-full", arg, when_full, "wait, drop");
		return 0;
	case KEY_FLIGHT_RECORDER:
		rq->ring_bytes = ring_size_in(state, "flight-recorder", arg);
		o->when_full = WHEN_FULL_OVERWRITE;
		return 0;
	case KEY_RING:
		rq->ring_bytes = ring_size_in(state, "ring", arg);
		return 0;
	case KEY_SAMPLE:
		o->sample_bytes = size_in(state, "sample", arg, SAMPLE_BYTES_MIN, SAMPLE_BYTES_MAX,
					  "1K and 1G");
		return 0;
	case KEY_SYSCALLS:
		o->syscalls = one_of(state, "syscalls", arg, syscalls, "exact, inferred, off, stacks");
		return 0;
	case KEY_FOLLOW:
		o->follow = one_of(state, "follow", arg, follow, "tree, exec, no");
		return 0;
	case KEY_CALL_GRAPH:
		o->callgraph = one_of(state, "call-graph", arg, callgraph,
				      "cfi, fp, libunwind, no");
		return 0;
	case KEY_TIMING:
		o->timing_all = one_of(state, "timing", arg, timing, "sample, all");
		return 0;
	case KEY_FREE_STACKS:
		o->free_stacks = 1;
		return 0;
	case KEY_NO_TOUCHED:
		o->look_at_free = 0;
		return 0;
	case KEY_DEPTH:
		o->depth = count_in(state, "--depth", arg, 1, DEPTH_MAX);
		return 0;
	case KEY_CHECK_STACKS:
		o->check_stacks = count_in(state, "--check-stacks", arg, 1, CHECK_STACKS_MAX);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static uint32_t check_stacks_variable(struct argp_state *state)
{
	static const char name[] = "ALLOTROPE_CHECK_STACKS";
	const char *text = getenv(name);

	return text && *text ? count_in(state, name, text, 0, CHECK_STACKS_MAX) : 0;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct request *rq = state->input;

	switch (key) {
	case 'o':
		rq->output = arg;
		return 0;
	case 'q':
		rq->quiet = true;
		return 0;
	case KEY_PYTHON_MALLOC:
		rq->python_malloc = true;
		return 0;
	case KEY_NO_PRELOAD:
		rq->no_preload = true;
		return 0;
	case KEY_NO_SYMBOLS:
		rq->no_symbols = true;
		return 0;
	case KEY_DEBUGINFOD:
		rq->debuginfod = option_debuginfod(state, arg);
		return 0;
	case KEY_MARK_EVERY:
		rq->mark_every_ns = time_in(state, "mark-every", arg);
		return 0;
	case KEY_MEMORY_INTERVAL:
		rq->memory_interval_ns = time_in(state, "memory-interval", arg);
		return 0;
	case ARGP_KEY_ARG:
		/* as in a bare run; the option decides where both are given */
		if (!rq->ring.check_stacks)
			rq->ring.check_stacks = check_stacks_variable(state);
		/* the program: what follows is its own */
		rq->argv = state->argv + state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		command_usage_error(state, "which program? Write it behind the options: "
				    "allotrope record PROGRAM ARGS");
	default:
		return parse_ring_option(key, arg, state);
	}
}

static int run(int argc, char **argv)
{
	static const struct argp argp = {
		record_options, parse_option, "PROGRAM [ARGS...]",
		"Run PROGRAM, unmodified, and record its memory."
		"\vThe program's output, exit status and signals are its own. "
		"Exit status 125: it cannot be recorded; 126, 127: it cannot be run, was not found.",
		NULL, NULL, NULL,
	};
	struct request rq = {
		.output = DEFAULT_OUTPUT, .ring_bytes = RING_BYTES_DEFAULT,
		.ring = { .depth = DEPTH_DEFAULT, .look_at_free = 1 },
	};
	struct closing c = { 0 };
	struct diag d = { 0 };
	int status;

	if (command_parse(&argp, argc, argv, ARGP_IN_ORDER, &rq) != 0)
		return STATUS_USAGE;
	if (rq.ring.look_at_free)
		rq.ring.look_at_free = look_probe();
	if (record_session(&rq, &status, &c, &d) != 0) {
		diag_print("", "%s", d.text);
		return d.status;
	}
	c.is_default_path = strcmp(c.path, DEFAULT_OUTPUT) == 0;
	if (!rq.quiet)
		finish_print(&c);
	free(c.path);
	if (WIFSIGNALED(status))
		launch_end_alike(status);
	return WEXITSTATUS(status);
}

const struct command command_record = {
	"record", "run a program and record its memory", run,
};
