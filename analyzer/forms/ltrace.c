/*
 * ltrace.c - the report `ltrace`: a line for each completed call, as ltrace
 * prints them, or its -c table. Prints while it reads; what must wait (-T, -S) goes
 * through call_queue.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/xmem.h"
#include "forms/call_filter.h"
#include "forms/call_line.h"
#include "forms/call_queue.h"
#include "forms/call_table.h"
#include "forms/exit_list.h"
#include "forms/form.h"
#include "forms/line_options.h"
#include "forms/syscall_pair.h"

/* A system call that has begun in a stream, and the function last called there. */
struct stream_calls {
	struct syscall_pair syscall;
	uint64_t return_address;
	bool was_shown;       /* the stream's last allocator call is in the report */
	uint8_t last_func;
	uint64_t last_weight; /* calls that it stands for */
};

struct ltrace_state {
	struct call_filter *filter;
	struct call_line_style style;
	bool has_syscalls;    /* -S */
	struct call_queue *queue;
	struct call_table *counts;
	struct emit *table;   /* CSV, JSON lines */
	struct stream_calls *streams;
	size_t stream_count;
	struct exit_list exits;
	const struct module_map *last_map; /* of the last caller looked up */
	uint32_t last_image;
	bool has_calls;           /* there was something to show, filters aside */
	bool lacks_free_callers;  /* a release came whose call stack was not recorded */
};

/* ---- machine formats ---- */

enum {
	COL_TIME, COL_PID, COL_TID, COL_CALLER, COL_FUNCTION, COL_POINTER, COL_NMEMB,
	COL_ALIGNMENT, COL_SIZE, COL_RESULT, COL_ERRNO, COL_DURATION, COLS,
};

static const struct column columns[COLS] = {
	[COL_TIME] = { "time_ns", NULL, COLUMN_EXACT, 0, false,
		"when it was entered, where that is known, else when it returned: "
		"nanoseconds since the recording began" },
	[COL_PID] = { "pid", NULL, COLUMN_EXACT, 0, false, "process" },
	[COL_TID] = { "tid", NULL, COLUMN_EXACT, 0, false, "thread" },
	[COL_CALLER] = { "caller", NULL, COLUMN_TEXT, 0, false, "object that called" },
	[COL_FUNCTION] = { "function", NULL, COLUMN_TEXT, 0, false, "name; SYS_ before system calls" },
	[COL_POINTER] = { "pointer", NULL, COLUMN_ADDRESS, 0, false,
		"argument of free and realloc, first argument of a system call" },
	[COL_NMEMB] = { "nmemb", NULL, COLUMN_EXACT, 0, false, "calloc, reallocarray: elements" },
	[COL_ALIGNMENT] = { "alignment", NULL, COLUMN_EXACT, 0, false, "aligned family: bytes" },
	[COL_SIZE] = { "size", NULL, COLUMN_EXACT, 0, false,
		"requested bytes (of one element); second argument of a system call" },
	[COL_RESULT] = { "result", NULL, COLUMN_ADDRESS, 0, false, "block returned; 0x0: NULL" },
	[COL_ERRNO] = { "errno", NULL, COLUMN_EXACT, 0, false, "error number; empty: none" },
	[COL_DURATION] = { "duration_ns", NULL, COLUMN_EXACT, 0, false,
		"with -T: time in the call; empty: not measured" },
};

static void put_cells(struct run *run, const struct call_line *line)
{
	struct ltrace_state *s = run->state;
	bool is_call = line->kind == LINE_CALL;
	const struct call *c = &line->call;
	uint64_t duration = units_whole((double)line->duration_ticks *
					run->recording->ns_per_tick);
	struct cell cells[COLS] = {
		[COL_TIME] = cell_number((uint64_t)recording_ns(run->recording, line->stamp)),
		[COL_PID] = cell_number(line->image->pid),
		[COL_TID] = cell_number(line->tid),
		[COL_CALLER] = cell_text(is_call ? line->caller : NULL),
		[COL_FUNCTION] = cell_text(call_line_name(line)),
		[COL_DURATION] = { .is_known = line->has_duration, .number = duration },
	};

	if (line->kind == LINE_EXIT)
		return;
	if (is_call) {
		bool is_realloc = c->func == FUNC_REALLOC || c->func == FUNC_REALLOCARRAY;
		bool is_free = c->func == FUNC_FREE || c->func == FUNC_CFREE ||
			       c->func == FUNC_FREE_SIZED || c->func == FUNC_FREE_ALIGNED_SIZED;

		cells[COL_POINTER] = (struct cell){ .is_known = is_realloc || is_free,
						    .number = c->pointer };
		cells[COL_NMEMB] = (struct cell){
			.is_known = c->func == FUNC_CALLOC ||
				    (c->func == FUNC_REALLOCARRAY && !call_line_is_release(c)),
			.number = c->nmemb };
		cells[COL_ALIGNMENT] = (struct cell){
			.is_known = c->func == FUNC_POSIX_MEMALIGN ||
				    c->func == FUNC_ALIGNED_ALLOC || c->func == FUNC_MEMALIGN,
			.number = c->alignment };
		cells[COL_SIZE] = (struct cell){ .is_known = !is_free && !call_line_is_release(c),
						 .number = c->size };
		cells[COL_RESULT] = (struct cell){ .is_known = !is_free, .number = c->result };
		cells[COL_ERRNO] = (struct cell){ .is_known = c->error != 0, .number = c->error };
	} else {
		bool has_failed = syscall_has_failed(line->result);

		cells[COL_POINTER] = cell_number(line->args[0]);
		cells[COL_SIZE] = (struct cell){ .is_known = syscall_argc(line->number) > 1,
						 .number = line->args[1] };
		cells[COL_RESULT] = (struct cell){ .is_known = !has_failed,
						   .number = (uint64_t)line->result };
		cells[COL_ERRNO] = (struct cell){ .is_known = has_failed,
						  .number = (uint64_t)-line->result };
	}
	emit_row(s->table, cells);
}

/* ---- lines ---- */

static void put_line(const struct call_line *line, const struct call_line *inner,
		     size_t count, void *ctx)
{
	struct run *run = ctx;
	struct ltrace_state *s = run->state;

	if (s->table) {
		for (size_t i = 0; i < count; i++)
			put_cells(run, &inner[i]);
		put_cells(run, line);
		return;
	}
	if (count == 0) {
		call_line_put(run->out, line, &s->style);
		return;
	}
	call_line_put_begin(run->out, line, &s->style);
	for (size_t i = 0; i < count; i++)
		call_line_put(run->out, &inner[i], &s->style);
	call_line_put_resumed(run->out, line, &s->style);
}

static void give_line(struct run *run, const struct call_line *line)
{
	struct ltrace_state *s = run->state;

	if (s->queue)
		call_queue_line(s->queue, line);
	else
		put_line(line, NULL, 0, run);
}

static uint32_t thread_id(const struct image *image, uint32_t thread)
{
	const struct thread_info *info = image_thread(image, thread);

	return info && info->tid ? info->tid : image->pid;
}

/* Images that ended before STAMP. */
static void put_exits(struct run *run, uint64_t stamp)
{
	struct ltrace_state *s = run->state;
	const struct image *image;

	while ((image = exit_list_next(&s->exits, run, stamp)) != NULL) {
		struct call_line line = {
			.kind = LINE_EXIT,
			.image = image,
			.tid = image->pid,
			.stamp = image->end_stamp,
			.status = image->status,
		};

		give_line(run, &line);
	}
}

static int ltrace_begin(struct run *run)
{
	struct ltrace_state *s = run->state;

	line_clock_init(&s->style.clock, run->recording);
	if (s->style.options.follows) {
		run->is_all = true;
		run->is_default = false;
	}
	s->style.has_plain_pid = run->out_path != NULL;
	s->style.has_pid = s->style.options.follows || run->is_all;
	if (s->style.options.align == 0)
		s->style.options.align = 50;
	if (s->filter && !call_filter_is_empty(s->filter))
		s->style.has_caller = true;
	if (s->style.options.has_table) {
		s->counts = call_table_new();
		return 0;
	}
	if (run->format != EMIT_TEXT)
		s->table = run_table(run, columns, COLS);
	if (s->has_syscalls || s->style.options.has_duration)
		s->queue = call_queue_new(put_line, run);
	exit_list_init(&s->exits, run);
	return 0;
}

static struct stream_calls *stream_of(struct ltrace_state *s, uint32_t stream)
{
	if (stream >= s->stream_count) {
		size_t count = (size_t)stream + 16;

		s->streams = xreallocarray(s->streams, count, sizeof(*s->streams));
		memset(s->streams + s->stream_count, 0,
		       (count - s->stream_count) * sizeof(*s->streams));
		s->stream_count = count;
	}
	return &s->streams[stream];
}

/* Where the call came from. */
static void find_caller(struct run *run, const struct event *event,
			const struct image *image, struct call_line *line)
{
	struct ltrace_state *s = run->state;
	const struct stack_node *node;
	const struct module_map *map = s->last_map;

	/* a release says nothing of its stack unless that was asked for: the last one is not its own */
	if ((event->r.kind == EVENT_FREE || event->r.kind == EVENT_NULL_CALL) &&
	    !(image->features & FEATURE_FREE_STACKS)) {
		s->lacks_free_callers = true;
		return;
	}
	if (event->stack == STACK_NONE)
		return;
	node = stacks_node(run->stacks, event->stack);
	if (node->type == FRAME_SPECIAL)
		return;
	/* frames are stored as the address to look up, one less than that of the return */
	line->return_address = node->value + 1;
	if (!s->style.has_caller && !s->table)
		return;
	if (!map || s->last_image != image->number || node->value < map->start ||
	    node->value >= map->end || node->stamp < map->from_stamp ||
	    node->stamp > map->to_stamp)
		map = image_module(run->recording, image, node->value, node->stamp);
	s->last_map = map;
	s->last_image = image->number;
	line->caller = map ? map->path : NULL;
}

static void show_call(struct run *run, const struct event *event,
		      const struct change *change, const struct image *image,
		      struct stream_calls *stream)
{
	struct ltrace_state *s = run->state;
	struct call_line line = {
		.kind = LINE_CALL,
		.image = image,
		.tid = thread_id(image, event->r.thread),
		.stamp = change->call.stamp,
		.call = change->call,
	};

	find_caller(run, event, image, &line);
	stream->last_func = change->call.func;
	stream->last_weight = change->call.weight;
	stream->was_shown = !s->filter ||
		call_filter_shows(s->filter, call_line_name(&line), line.caller, image->exe);
	if (!stream->was_shown) {
		if (s->queue)
			call_queue_skip(s->queue, event->stream);
		return;
	}
	if (s->counts)
		call_table_add(s->counts, call_line_name(&line), line.call.weight);
	else if (s->queue)
		call_queue_call(s->queue, event->stream, &line);
	else
		put_line(&line, NULL, 0, run);
}

static void begin_syscall(struct run *run, const struct event *event,
			  struct stream_calls *stream)
{
	syscall_pair_begin(&stream->syscall, event);
	stream->return_address = event->stack == STACK_NONE ? 0 :
		stacks_node(run->stacks, event->stack)->value + 1;
}

static void end_syscall(struct run *run, const struct event *event,
			const struct image *image, struct stream_calls *stream)
{
	struct ltrace_state *s = run->state;
	const struct syscall_pair *pair = &stream->syscall;
	struct call_line line = {
		.kind = LINE_SYSCALL,
		.image = image,
		.tid = thread_id(image, event->r.thread),
		.return_address = stream->return_address,
	};

	if (!syscall_pair_end(&stream->syscall, event))
		return;
	line.stamp = pair->begin_stamp;
	line.number = pair->number;
	line.is_inferred = pair->flags & SYSCALL_INFERRED;
	line.result = pair->result;
	/* an inferred call was never seen to begin or end */
	line.has_duration = !line.is_inferred;
	line.duration_ticks = pair->end_stamp - pair->begin_stamp;
	memcpy(line.args, pair->args, sizeof(line.args));
	if (s->counts) {
		call_table_add(s->counts, call_line_name(&line), 1);
		if (line.has_duration)
			call_table_add_time(s->counts, call_line_name(&line), 1,
					    line.duration_ticks);
	} else {
		call_queue_syscall(s->queue, event->stream, pair->func, &line);
	}
}

static void add_timing(struct ltrace_state *s, const struct event *event,
		       const struct stream_calls *stream)
{
	struct call_line line = { .kind = LINE_CALL, .call = { .func = stream->last_func } };

	if (!stream->was_shown)
		return;
	if (s->counts)
		call_table_add_time(s->counts, call_line_name(&line), stream->last_weight,
				    event->r.duration);
	else if (s->queue)
		call_queue_duration(s->queue, event->stream, event->r.duration);
}

static int ltrace_event(struct run *run, const struct event *event,
			const struct change *change)
{
	struct ltrace_state *s = run->state;
	const struct image *image = recording_image(run->recording, event->image);
	struct stream_calls *stream = stream_of(s, event->stream);

	if (!image)
		return 0;
	put_exits(run, event->r.stamp);
	if (change->has_call)
		show_call(run, event, change, image, stream);
	if (change->has_call || (s->has_syscalls && event->r.kind == EVENT_SYSCALL_BEGIN))
		s->has_calls = true;
	switch (event->r.kind) {
	case EVENT_SYSCALL_BEGIN:
		if (s->has_syscalls)
			begin_syscall(run, event, stream);
		break;
	case EVENT_SYSCALL_END:
		if (s->has_syscalls)
			end_syscall(run, event, image, stream);
		break;
	case EVENT_TIMING:
		add_timing(s, event, stream);
		break;
	default:
		break;
	}
	return 0;
}

static int ltrace_end(struct run *run)
{
	struct ltrace_state *s = run->state;

	if (s->lacks_free_callers && (s->style.has_address ||
				      (s->filter && call_filter_has_caller(s->filter))))
		run_note(run, "where free was called from was not recorded: "
			 "record --free-stacks does that");
	if (run->has_window && !s->has_calls)
		run_note(run, "nothing happened in this window: no call was made");
	if (s->counts) {
		call_table_put(s->counts, run);
		return 0;
	}
	put_exits(run, UINT64_MAX);
	call_queue_free(s->queue);
	s->queue = NULL;
	emit_free(s->table);
	s->table = NULL;
	return 0;
}

static void ltrace_release(struct run *run)
{
	struct ltrace_state *s = run->state;

	call_queue_free(s->queue);
	emit_free(s->table);
	call_filter_free(s->filter);
	call_table_free(s->counts);
	free(s->streams);
	exit_list_release(&s->exits);
}

/* ---- options ---- */

static void add_filter(struct ltrace_state *s, int key, const char *arg,
		       const struct argp_state *state)
{
	struct diag d = { 0 };

	if (!s->filter)
		s->filter = call_filter_new();
	if (key == 'l')
		call_filter_add_caller(s->filter, arg);
	else if (call_filter_add(s->filter, arg, &d) != 0)
		form_usage_error(state, "%s", d.text);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const struct form_input *input = state->input;
	struct ltrace_state *s = input->state;

	if (line_option_parse(&s->style.options, key, arg, "align", state))
		return 0;
	switch (key) {
	case 'i':
		s->style.has_address = true;
		return 0;
	case 'e':
	case 'l':
		add_filter(s, key, arg, state);
		return 0;
	case 'S':
		s->has_syscalls = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	LINE_OPTION_TIME,
	{ NULL, 'T', NULL, 0, "Time spent in each call; <?> where it was not measured "
	  "(record --timing=all measures each)", 0 },
	{ NULL, 'i', NULL, 0, "Return address before each line", 0 },
	LINE_OPTION_FOLLOWS(NULL),
	{ NULL, 'e', "EXPR", 0, "Only these calls: malloc+free, '*alloc-calloc', malloc@MAIN", 0 },
	{ "library", 'l', "LIB", 0, "Only calls made by objects called LIB (pattern or word)", 0 },
	{ NULL, 'S', NULL, 0, "Memory system calls too", 0 },
	{ NULL, 'c', NULL, 0, "A table of counts and times instead of lines", 0 },
	{ "align", 'a', "COLUMN", 0, "Column of the results (default 50)", 0 },
	{ 0 },
};

static const struct argp argp = { .options = options, .parser = parse };

const struct form form_ltrace = {
	.name = "ltrace",
	.summary = "a line per heap call as ltrace prints them; -c: counts and times",
	.needs = NEED_EVENTS,
	.options = &argp,
	.doc = "The calls of the program's heap functions, in ltrace's words. Calls from inside "
	       "libraries are there too, which ltrace does not see.",
	.columns = columns,
	.column_count = COLS,
	.has_bare_text = true,
	.state_size = sizeof(struct ltrace_state),
	.begin = ltrace_begin,
	.event = ltrace_event,
	.end = ltrace_end,
	.release = ltrace_release,
};
