/*
 * strace_text.c - layout after strace 6.1: the result at a column that prefixes count
 * towards, "[pid %5u] " or "%-5u ", -r as "%6lu.%06lu ". What strace does not have stands
 * behind the result, in parentheses or after "<-".
 */
#include "forms/strace_text.h"

#include <inttypes.h>
#include <sys/wait.h>

#include "base/units.h"
#include "base/visible.h"
#include "forms/syscall_words.h"

static uint64_t micro_since(const struct strace_style *style, uint64_t stamp)
{
	uint64_t ticks = style->last_stamp && stamp > style->last_stamp ?
			 stamp - style->last_stamp : 0;

	return units_whole((double)ticks * style->run->recording->ns_per_tick / 1000.0);
}

static int put_prefix(FILE *out, struct strace_style *style, const struct strace_line *line)
{
	uint64_t micro = micro_since(style, line->stamp);
	int n = 0;

	if (style->has_pid)
		n += fprintf(out, style->has_plain_pid ? "%-5" PRIu32 " " : "[pid %5" PRIu32 "] ",
			     line->tid);
	n += line_moment(out, &style->clock, style->options.time, line->stamp);
	if (style->is_relative)
		n += fprintf(out, style->options.time == TIME_NONE ? "%6" PRIu64 ".%06" PRIu64 " " :
			     "(+%6" PRIu64 ".%06" PRIu64 ") ", micro / 1000000u, micro % 1000000u);
	style->last_stamp = line->stamp;
	return n;
}

static void put_exit(FILE *out, int status)
{
	char name[16];

	if (WIFSIGNALED(status))
		fprintf(out, "+++ killed by %s%s +++\n", line_signal(WTERMSIG(status), name),
			WCOREDUMP(status) ? " (core dumped)" : "");
	else
		fprintf(out, "+++ exited with %d +++\n", WEXITSTATUS(status));
}

int strace_line_put_arguments(FILE *out, const struct strace_line *line)
{
	const struct syscall_pair *p = &line->pair;

	if (line->kind == STRACE_STARTUP && line->region && *line->region->name)
		return syscall_put_file_map(out, p->args, line->region->name);
	return syscall_put_arguments(out, p->number, p->args);
}

int strace_line_put_result(FILE *out, const struct strace_line *line)
{
	if (line->pair.is_open)
		return line_text(out, "?");
	return syscall_put_result(out, line->pair.number, line->pair.result);
}

const char *strace_line_source(const struct strace_line *line)
{
	if (line->kind == STRACE_STARTUP)
		return "startup";
	return line->pair.flags & SYSCALL_INFERRED ? "inferred" : "seen";
}

static void put_cause(struct strace_style *style, const struct strace_line *line)
{
	const struct call *call = line->has_cause ? &line->cause : NULL;

	if (line->pair.func == FUNC_COUNT)
		return;
	line_text(style->run->out, "  <- ");
	line_text(style->run->out, cause_text(style->causes, line->pair.func, call, line->stack,
				       line->is_inner));
}

/* " > /usr/bin/python3.11(new_arena+0x4b) [0x5a3c1e]": the outermost inlined call stands for the rest. */
static void put_stack(const struct strace_style *style, stack_id stack)
{
	const struct run *run = style->run;

	for (; stack != STACK_NONE; stack = stacks_node(run->stacks, stack)->parent) {
		const struct symbol *symbol = resolver_frame(run->resolver, stack);
		const struct symbol_frame *f = &symbol->frames[symbol->count - 1];

		line_text(run->out, " > ");
		if (stacks_node(run->stacks, stack)->type == FRAME_SPECIAL) {
			line_text(run->out, f->function ? f->function : "?");
			line_text(run->out, "\n");
			continue;
		}
		visible_put(run->out, f->module ? f->module : "?");
		line_text(run->out, "(");
		visible_put(run->out, f->function ? f->function : "");
		if (f->into) {
			line_text(run->out, "+");
			line_hex(run->out, f->into);
		}
		/* the address to look up is one less than that of the return */
		line_text(run->out, ") [");
		line_hex(run->out, f->offset + 1);
		line_text(run->out, "]\n");
	}
}

void strace_line_put(struct strace_style *style, const struct strace_line *line)
{
	FILE *out = style->run->out;
	int used = put_prefix(out, style, line);

	if (line->kind == STRACE_EXIT) {
		put_exit(out, line->image->status);
		return;
	}
	used += line_text(out, syscall_name(line->pair.number));
	used += line_text(out, "(");
	used += strace_line_put_arguments(out, line);
	used += line_text(out, ") ");
	line_gap(out, used, style->options.align);
	line_text(out, "= ");
	strace_line_put_result(out, line);
	if (line->kind == STRACE_STARTUP || (line->pair.flags & SYSCALL_INFERRED)) {
		line_text(out, " (");
		line_text(out, strace_line_source(line));
		line_text(out, ")");
	} else if (style->options.has_duration && !line->pair.is_open) {
		line_duration(out, &style->clock, line->pair.end_stamp - line->pair.begin_stamp);
	}
	if (style->has_cause)
		put_cause(style, line);
	line_text(out, "\n");
	if (style->has_stack) {
		put_stack(style, line->inner);
		put_stack(style, line->stack);
	}
}
