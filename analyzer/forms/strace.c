/*
 * strace.c - the report `strace`: a line for each memory system call, as strace prints
 * them, with the allocator call that made it; or the -c table. Prints while it reads.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/xmem.h"
#include "forms/exit_list.h"
#include "forms/form.h"
#include "forms/frame_tree.h"
#include "forms/line_options.h"
#include "forms/stack_text.h"
#include "forms/strace_filter.h"
#include "forms/strace_queue.h"
#include "forms/strace_table.h"
#include "forms/strace_text.h"
#include "forms/syscall_words.h"

/* In struct region.prot, beside PROT_*. */
#define REGION_SHARED 8u

struct strace_state {
	struct strace_style style;
	syscall_set set;       /* -e; valid with has_set */
	bool has_set;
	unsigned outcomes;     /* -z, -Z, -e status: OUTCOME_*; valid with has_outcomes */
	bool has_outcomes;
	bool has_both;         /* -C */
	bool has_sort;         /* -S */
	const char *table_option; /* -U or -w, which need a table; NULL: neither */
	struct strace_summary summary; /* -S, -U */
	bool no_startup;       /* --no-startup */
	bool lacks_inner;      /* a call of malloc's was shown with nothing between them */
	struct strace_queue *queue;
	struct exit_list exits;
	bool *has_begun;       /* by index in recording.images: its startup lines are out */
	uint32_t last_image;   /* whose startup lines are out; 0: none */
	struct emit *table;    /* CSV, JSON */
	struct frame_tree *tree;
	FILE *out;             /* to `text`: arguments and results of cells */
	char *text;
	size_t bytes;
};

/* ---- machine formats ---- */

enum {
	COL_TIME, COL_PID, COL_TID, COL_NAME, COL_ARGS, COL_RESULT, COL_SOURCE, COL_CAUSE,
	COL_STACK, COL_FRAMES, COLS,
};

static const struct column columns[COLS] = {
	[COL_TIME] = { "time_s", NULL, COLUMN_REAL, 0, false,
		"when it was entered: seconds since the recording began" },
	[COL_PID] = { "pid", NULL, COLUMN_EXACT, 0, false, "process" },
	[COL_TID] = { "tid", NULL, COLUMN_EXACT, 0, false, "thread" },
	[COL_NAME] = { "name", NULL, COLUMN_TEXT, 0, false, "system call" },
	[COL_ARGS] = { "args", NULL, COLUMN_TEXT, 0, false, "its arguments as strace prints them" },
	[COL_RESULT] = { "result", NULL, COLUMN_TEXT, 0, false, "its result likewise" },
	[COL_SOURCE] = { "source", NULL, COLUMN_TEXT, 0, false,
		"seen; inferred: concluded, not seen; startup: there before the library" },
	[COL_CAUSE] = { "cause", NULL, COLUMN_TEXT, 0, false,
		"the allocator call that made it, and where that was made" },
	[COL_STACK] = { "stack", NULL, COLUMN_TEXT, SHOW_CSV, false,
		"functions, innermost first, separated by ';'" },
	[COL_FRAMES] = { "stack", NULL, COLUMN_JSON, SHOW_JSON, false, "call stack" },
};

static char *cell_string(struct strace_state *s, const struct strace_line *line,
			 int (*put)(FILE *out, const struct strace_line *line))
{
	rewind(s->out);
	put(s->out, line);
	putc('\0', s->out);
	fflush(s->out);
	return xstrdup(s->text);
}

static frame_node node_of(const struct strace_state *s, stack_id stack)
{
	return stack == STACK_NONE ? 0 : frame_tree_stack(s->tree, stack);
}

/* "f1;f2;f3" of the frames inside the allocator and those outside; the caller's. NULL: none. */
static char *folded_cell(struct strace_state *s, const struct strace_line *line)
{
	frame_node nodes[] = { node_of(s, line->inner), node_of(s, line->stack) };
	char *inner = nodes[0] ? stack_folded(s->tree, nodes[0]) : NULL;
	char *outer = nodes[1] ? stack_folded(s->tree, nodes[1]) : NULL;
	char *both;

	if (!inner || !outer)
		return inner ? inner : outer;
	both = xasprintf("%s;%s", inner, outer);
	free(inner);
	free(outer);
	return both;
}

/* The same as an array; NULL: none. */
static json_t *frames_cell(struct strace_state *s, const struct strace_line *line)
{
	frame_node nodes[] = { node_of(s, line->inner), node_of(s, line->stack) };
	json_t *inner = nodes[0] ? stack_json(s->tree, nodes[0]) : NULL;
	json_t *outer = nodes[1] ? stack_json(s->tree, nodes[1]) : NULL;

	if (!inner || !outer)
		return inner ? inner : outer;
	json_array_extend(inner, outer);
	json_decref(outer);
	return inner;
}

static void put_cells(struct run *run, const struct strace_line *line)
{
	struct strace_state *s = run->state;
	char *args, *result, *stack;

	if (line->kind == STRACE_EXIT || !s->out)
		return;
	args = cell_string(s, line, strace_line_put_arguments);
	result = cell_string(s, line, strace_line_put_result);
	stack = folded_cell(s, line);

	struct cell cells[COLS] = {
		[COL_TIME] = cell_real((double)recording_ns(run->recording, line->stamp) / 1e9),
		[COL_PID] = cell_number(line->image->pid),
		[COL_TID] = cell_number(line->tid),
		[COL_NAME] = cell_text(syscall_name(line->pair.number)),
		[COL_ARGS] = cell_text(args),
		[COL_RESULT] = cell_text(result),
		[COL_SOURCE] = cell_text(strace_line_source(line)),
		[COL_CAUSE] = cell_text(line->pair.func == FUNC_COUNT ? NULL :
			cause_text(s->style.causes, line->pair.func,
				   line->has_cause ? &line->cause : NULL, line->stack,
				   line->is_inner)),
		[COL_STACK] = cell_text(stack),
		[COL_FRAMES] = cell_json(run->format == EMIT_JSON ? frames_cell(s, line) : NULL),
	};

	emit_row(s->table, cells);
	free(args);
	free(result);
	free(stack);
}

/* ---- lines ---- */

static unsigned outcome_of(const struct strace_line *line)
{
	if (line->pair.is_open)
		return OUTCOME_UNFINISHED;
	return syscall_has_failed(line->pair.result) ? OUTCOME_FAILED : OUTCOME_SUCCESSFUL;
}

static void put_line(const struct strace_line *line, void *ctx)
{
	struct run *run = ctx;
	struct strace_state *s = run->state;

	if (line->kind == STRACE_CALL && !(outcome_of(line) & s->outcomes))
		return;
	s->lacks_inner |= line->pair.func != FUNC_COUNT && !line->is_inner && line->inner == STACK_NONE;
	if (s->table)
		put_cells(run, line);
	else
		strace_line_put(&s->style, line);
}

static void put_exits(struct run *run, uint64_t stamp)
{
	struct strace_state *s = run->state;
	const struct image *image;

	while ((image = exit_list_next(&s->exits, run, stamp)) != NULL) {
		struct strace_line line = {
			.kind = STRACE_EXIT,
			.image = image,
			.tid = image->pid,
			.stamp = image->end_stamp,
		};

		strace_queue_line(s->queue, &line);
	}
}

static void put_startup(struct run *run, const struct image *image, const struct region *region,
			unsigned number, const uint64_t args[6], uint64_t result)
{
	struct strace_state *s = run->state;
	struct strace_line line = {
		.kind = STRACE_STARTUP,
		.image = image,
		.tid = image->pid,
		.stamp = image->start_stamp,
		.region = region,
		.pair = {
			.begin_stamp = image->start_stamp,
			.end_stamp = image->start_stamp,
			.result = (int64_t)result,
			.number = (uint8_t)number,
			.func = FUNC_COUNT,
		},
	};

	if (!syscall_set_has(s->set, number))
		return;
	memcpy(line.pair.args, args, sizeof(line.pair.args));
	strace_queue_line(s->queue, &line);
}

/*
 * What IMAGE had when the library came: the kernel's and the loader's work. Those in brackets
 * the kernel made without a call: [stack], [vdso]; but for the heap.
 */
static void put_startup_maps(struct run *run, const struct image *image)
{
	const uint64_t ask[6] = { 0 };

	if (image->initial_break)
		put_startup(run, image, NULL, SYS_MEM_brk, ask, image->initial_break);
	for (size_t i = 0; i < image->region_count; i++) {
		const struct region *r = &image->regions[i];
		uint64_t flags = r->prot & REGION_SHARED ? MAP_SHARED : MAP_PRIVATE;
		bool has_file = r->name && *r->name;
		const uint64_t map[6] = {
			r->start, r->end - r->start, r->prot & ~REGION_SHARED,
			has_file ? flags : flags | MAP_ANONYMOUS, (uint64_t)-1, 0,
		};
		const uint64_t end[6] = { r->end };

		if (has_file && strcmp(r->name, "[heap]") == 0)
			put_startup(run, image, NULL, SYS_MEM_brk, end, r->end);
		else if (!has_file || *r->name != '[')
			put_startup(run, image, r, SYS_MEM_mmap, map, r->start);
	}
}

static void begin_image(struct run *run, const struct image *image)
{
	struct strace_state *s = run->state;
	bool *has_begun = &s->has_begun[image - run->recording->images];

	s->last_image = image->number;
	if (*has_begun)
		return;
	*has_begun = true;
	/* a forked image begins with its parent's */
	if (!s->no_startup && image->how != PROCESS_FORKED && (s->outcomes & OUTCOME_SUCCESSFUL) &&
	    image->start_stamp >= run->since_stamp && image->start_stamp <= run->until_stamp)
		put_startup_maps(run, image);
}

/* ---- the form ---- */

/* Every image shown was recorded without system calls. */
static bool has_no_syscalls(const struct run *run)
{
	bool has_image = false;

	for (size_t i = 0; i < run->recording->image_count; i++) {
		const struct image *image = &run->recording->images[i];

		if (!run_shows(run, image->number) || !image->is_described)
			continue;
		has_image = true;
		if (image->features & (FEATURE_SITES_EXACT | FEATURE_SITES_INFERRED))
			return false;
	}
	return has_image;
}

static bool has_only_table(const struct strace_state *s)
{
	return s->style.options.has_table && !s->has_both;
}

/* Options without the lines or the table that they are for, in strace's words. */
static void note_unused(struct run *run)
{
	const struct strace_state *s = run->state;
	const struct { bool is_given; const char *name; } of_lines[] = {
		{ s->style.options.time, "-t/--absolute-timestamps" },
		{ s->style.options.has_duration, "-T/--syscall-times" },
		{ s->style.is_relative, "-r/--relative-timestamps" },
		{ s->style.has_stack, "-k/--stack-traces" },
		{ s->style.has_cause, "--cause" },
	};

	for (size_t i = 0; has_only_table(s) && i < sizeof(of_lines) / sizeof(of_lines[0]); i++)
		if (of_lines[i].is_given)
			run_note(run, "%s has no effect with -c/--summary-only", of_lines[i].name);
	if (s->has_sort && !s->style.options.has_table && !s->has_both)
		run_note(run, "-S/--summary-sort-by has no effect without -c/--summary-only or -C/--summary");
}

/* What -c and -C cannot do. */
static int check_table(const struct run *run)
{
	const struct strace_state *s = run->state;

	if (!s->style.options.has_table && !s->has_both)
		return 0;
	if (s->outcomes != OUTCOME_ALL) {
		diag_set(run->diag, STATUS_USAGE, "the table counts all calls: how many failed is "
			 "its column 'errors', not a matter of -z, -Z or -e status");
		return -1;
	}
	if (s->has_both && run->format != EMIT_TEXT) {
		diag_set(run->diag, STATUS_USAGE, "-C prints lines and a table: in other formats than "
			 "text ask for one after the other, with and without -c");
		return -1;
	}
	return 0;
}

static int strace_begin(struct run *run)
{
	struct strace_state *s = run->state;

	if (s->style.options.follows) {
		run->is_all = true;
		run->is_default = false;
	}
	if (has_no_syscalls(run)) {
		diag_set(run->diag, STATUS_USAGE, "the memory system calls were not recorded: "
			 "record without --syscalls=off does that");
		return -1;
	}
	if (!s->has_set)
		s->set = SYSCALL_SET_ALL;
	if (!s->has_outcomes)
		s->outcomes = OUTCOME_ALL;
	if (check_table(run) != 0)
		return -1;
	note_unused(run);
	if (has_only_table(s))
		return 0;
	s->style.run = run;
	line_clock_init(&s->style.clock, run->recording);
	s->style.causes = cause_texts_new(run);
	s->style.has_plain_pid = run->out_path != NULL;
	s->style.has_pid = s->style.options.follows || run->is_all;
	if (s->style.options.align == 0)
		s->style.options.align = 40;
	s->has_begun = xcalloc(run->recording->image_count + 1, sizeof(*s->has_begun));
	exit_list_init(&s->exits, run);
	if (run->format != EMIT_TEXT) {
		s->table = run_table(run, columns, COLS);
		s->tree = frame_tree_new(run->resolver, run->wrappers, run->stacks);
		s->out = open_memstream(&s->text, &s->bytes);
	}
	s->queue = strace_queue_new(put_line, run,
				    s->table || s->style.has_stack || s->style.has_cause);
	return 0;
}

static int strace_event(struct run *run, const struct event *event,
			const struct change *change)
{
	struct strace_state *s = run->state;
	const struct image *image;
	const struct thread_info *thread;
	bool is_begin = event->r.kind == EVENT_SYSCALL_BEGIN;

	if (has_only_table(s) || (!is_begin && event->r.kind != EVENT_SYSCALL_END && !change->has_call))
		return 0;
	image = recording_image(run->recording, event->image);
	if (!image)
		return 0;
	put_exits(run, event->r.stamp);
	if (image->number != s->last_image)
		begin_image(run, image);
	thread = is_begin ? image_thread(image, event->r.thread) : NULL;
	strace_queue_event(s->queue, event, change, image,
			   thread && thread->tid ? thread->tid : image->pid,
			   is_begin && syscall_set_has(s->set, event->r.number));
	return 0;
}

static int strace_end(struct run *run)
{
	struct strace_state *s = run->state;

	if (has_only_table(s)) {
		strace_table_put(run, s->set, &s->summary);
		return 0;
	}
	for (size_t i = 0; i < run->recording->image_count; i++)
		if (run_shows(run, run->recording->images[i].number))
			begin_image(run, &run->recording->images[i]);
	put_exits(run, UINT64_MAX);
	strace_queue_free(s->queue);
	s->queue = NULL;
	emit_free(s->table);
	s->table = NULL;
	if (s->style.has_stack && s->lacks_inner && !recording_has_inner(run->recording))
		run_note(run, "functions inside malloc and free were not recorded: "
			 "record --syscalls=stacks does that");
	if (s->has_both)
		strace_table_put(run, s->set, &s->summary);
	return 0;
}

static void strace_release(struct run *run)
{
	struct strace_state *s = run->state;

	strace_queue_free(s->queue);
	emit_free(s->table);
	frame_tree_free(s->tree);
	cause_texts_free(s->style.causes);
	exit_list_release(&s->exits);
	if (s->out)
		fclose(s->out);
	free(s->text);
	free(s->has_begun);
}

/* ---- options ---- */

enum { KEY_CAUSE = 0x1000, KEY_NO_STARTUP };

static void parse_expression(struct strace_state *s, const char *arg, const struct argp_state *state)
{
	struct diag d = { 0 };
	int status = strace_status_parse(arg, &s->outcomes, &d);

	if (status < 0 || (status == 0 && strace_filter_parse(arg, &s->set, &d) != 0))
		form_usage_error(state, "%s", d.text);
	s->has_outcomes |= status > 0;
	s->has_set |= status == 0;
}

static void set_outcomes(struct strace_state *s, unsigned outcomes)
{
	s->outcomes = outcomes;
	s->has_outcomes = true;
}

static void parse_summary(struct strace_state *s, int key, const char *arg,
			  const struct argp_state *state)
{
	struct diag d = { 0 };

	if (key == 'S')
		s->has_sort = true;
	else
		s->table_option = key == 'U' ? "-U/--summary-columns" : "-w/--summary-wall-clock";
	if (key == 'U' && strace_columns_parse(arg, &s->summary, &d) != 0)
		form_usage_error(state, "%s", d.text);
	if (key == 'S' && !strace_sort_parse(arg, &s->summary.sort))
		form_usage_error(state, "-S takes time, min-time, max-time, avg-time, calls, errors, name "
				 "or nothing, not '%s'", arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const struct form_input *input = state->input;
	struct strace_state *s = input->state;

	if (line_option_parse(&s->style.options, key, arg, "columns", state))
		return 0;
	switch (key) {
	case 'r':
		s->style.is_relative = true;
		return 0;
	case 'k':
		s->style.has_stack = true;
		return 0;
	case 'C':
		s->has_both = true;
		return 0;
	case 'S':
	case 'U':
	case 'w': /* times are always those between entry and return */
		parse_summary(s, key, arg, state);
		return 0;
	case 'e':
		parse_expression(s, arg, state);
		return 0;
	case 'z':
		set_outcomes(s, OUTCOME_SUCCESSFUL);
		return 0;
	case 'Z':
		set_outcomes(s, OUTCOME_FAILED);
		return 0;
	case 'y':
		form_usage_error(state, "-y: which files descriptors belonged to was not recorded");
	case KEY_CAUSE:
		s->style.has_cause = true;
		return 0;
	case KEY_NO_STARTUP:
		s->no_startup = true;
		return 0;
	case ARGP_KEY_END:
		if (s->table_option && !s->style.options.has_table && !s->has_both)
			form_usage_error(state, "%s must be given with -c/--summary-only or -C/--summary",
					 s->table_option);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	LINE_OPTION_TIME,
	{ "relative-timestamps", 'r', NULL, 0, "Time since the line before", 0 },
	{ "syscall-times", 'T', NULL, 0, "Time spent in each call", 0 },
	{ "stack-traces", 'k', NULL, 0, "The call stack under each line", 0 },
	{ "cause", KEY_CAUSE, NULL, 0, "The allocator call that made it, and where", 0 },
	LINE_OPTION_FOLLOWS("follow-forks"),
	{ "trace", 'e', "EXPR", 0, "Only these calls: brk,mmap; trace=%memory; '!mprotect'; "
	  "'/^m'; status=failed", 0 },
	{ "successful-only", 'z', NULL, 0, "Only calls that succeeded", 0 },
	{ "failed-only", 'Z', NULL, 0, "Only calls that failed", 0 },
	{ "no-startup", KEY_NO_STARTUP, NULL, 0, "Without what was mapped before the library", 0 },
	{ "columns", 'a', "COLUMN", 0, "Column of the results (default 40)", 0 },
	{ "summary-only", 'c', NULL, 0, "A table of counts, errors and times instead of lines", 0 },
	{ "summary", 'C', NULL, 0, "The table behind the lines", 0 },
	{ "summary-sort-by", 'S', "KEY", 0, "Sort the table by time (default), min-time, max-time, "
	  "avg-time, calls, errors, name or nothing", 0 },
	{ "summary-columns", 'U', "LIST", 0, "Its columns: time-percent, total-time, min-time, max-time, "
	  "avg-time, calls, errors, name", 0 },
	{ "summary-wall-clock", 'w', NULL, 0, "Times between entry and return, which they always are", 0 },
	{ "decode-fds", 'y', NULL, OPTION_HIDDEN, NULL, 0 },
	{ 0 },
};

static const struct argp argp = { .options = options, .parser = parse };

const struct form form_strace = {
	.name = "strace",
	.summary = "memory system calls as strace prints them; which malloc made each",
	.needs = NEED_EVENTS | NEED_HEAP | NEED_SYMBOLS,
	.options = &argp,
	.doc = "The memory system calls of the program and of its C library, in strace's words, "
	       "and which malloc made them.",
	.columns = columns,
	.column_count = COLS,
	.has_bare_text = true,
	.state_size = sizeof(struct strace_state),
	.begin = strace_begin,
	.event = strace_event,
	.end = strace_end,
	.release = strace_release,
};
