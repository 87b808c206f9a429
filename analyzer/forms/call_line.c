/*
 * call_line.c - calls in ltrace's words. Formats after ltrace 0.7.3 (output.c,
 * samples checked against the program): prefixes pid, time, [address], caller->; the
 * result at a column; sizes decimal, addresses hexadecimal, NULL as 0.
 *
 * Two things ltrace prints are not recorded: the address of posix_memalign's
 * pointer, where the block it received stands in brackets instead, and sizes that only free:
 * free_sized's, those of a reallocarray of nothing; printed as "?".
 */
#include "forms/call_line.h"

#include <string.h>
#include <sys/wait.h>

#include "base/visible.h"

static const char *const func_names[] = {
#define ROW(name, text) text,
	ALLOC_FUNCS(ROW)
#undef ROW
};

static const char *const syscall_names[] = {
#define ROW(name, argc) "SYS_" #name,
	MEMORY_SYSCALLS(ROW)
#undef ROW
};

const char *call_line_name(const struct call_line *line)
{
	switch (line->kind) {
	case LINE_CALL:
		return line->call.func < FUNC_COUNT ? func_names[line->call.func] : "?";
	case LINE_SYSCALL:
		return line->number < SYS_MEM_COUNT ? syscall_names[line->number] : "?";
	default:
		return NULL;
	}
}

const char *call_line_caller(const struct call_line *line)
{
	const char *slash;

	if (!line->caller || !*line->caller)
		return "?";
	slash = strrchr(line->caller, '/');
	return slash && slash[1] ? slash + 1 : line->caller;
}

/* An address as ltrace prints pointers: NULL is 0. */
static int put_pointer(FILE *out, uint64_t address)
{
	return address ? line_hex(out, address) : line_text(out, "0");
}

/* Everything before the name. */
static int put_prefix(FILE *out, const struct call_line *line,
		      struct call_line_style *style, bool is_resumed)
{
	int n = 0;

	if (style->has_pid)
		n += line_text(out, style->has_plain_pid ? "" : "[pid ") +
		     line_decimal(out, line->tid) +
		     line_text(out, style->has_plain_pid ? " " : "] ");
	n += line_moment(out, &style->clock, style->options.time, line->stamp);
	if (style->has_address && line->kind == LINE_EXIT)
		n += line_text(out, "[0xffffffffffffffff] ");
	else if (style->has_address)
		n += line_text(out, "[") + line_hex(out, line->return_address) +
		     line_text(out, "] ");
	if (style->has_caller && line->kind == LINE_CALL && !is_resumed) {
		visible_put(out, call_line_caller(line));
		line_text(out, "->");
		n += (int)visible_width(call_line_caller(line)) + 2;
	}
	return n;
}

static int put_comma(FILE *out, uint64_t n)
{
	return line_text(out, ", ") + line_decimal(out, n);
}

bool call_line_is_release(const struct call *c)
{
	return c->func == FUNC_REALLOCARRAY && c->result == 0 && c->error == 0;
}

static int put_call_arguments(FILE *out, const struct call *c)
{
	int n;

	switch (c->func) {
	case FUNC_CALLOC:
		return line_decimal(out, c->nmemb) + put_comma(out, c->size);
	case FUNC_REALLOC:
		n = put_pointer(out, c->pointer);
		return n + put_comma(out, c->size);
	case FUNC_REALLOCARRAY:
		n = put_pointer(out, c->pointer);
		if (call_line_is_release(c))
			return n + line_text(out, ", ?, ?");
		return n + put_comma(out, c->nmemb) + put_comma(out, c->size);
	case FUNC_POSIX_MEMALIGN:
		n = line_text(out, "[");
		if (c->result)
			n += put_pointer(out, c->result);
		return n + line_text(out, "]") + put_comma(out, c->alignment) +
		       put_comma(out, c->size);
	case FUNC_ALIGNED_ALLOC:
	case FUNC_MEMALIGN:
		return line_decimal(out, c->alignment) + put_comma(out, c->size);
	case FUNC_FREE:
	case FUNC_CFREE:
		return put_pointer(out, c->pointer);
	case FUNC_FREE_SIZED:
		n = put_pointer(out, c->pointer);
		return n + line_text(out, ", ?");
	case FUNC_FREE_ALIGNED_SIZED:
		n = put_pointer(out, c->pointer);
		return n + line_text(out, ", ?, ?");
	default:
		return line_decimal(out, c->size);
	}
}

int call_put(FILE *out, const struct call *call)
{
	int n = line_text(out, call->func < FUNC_COUNT ? func_names[call->func] : "?");

	n += line_text(out, "(");
	n += put_call_arguments(out, call);
	return n + line_text(out, ")");
}

static int put_syscall_arguments(FILE *out, const struct call_line *line)
{
	/* ltrace knows four arguments of mmap */
	static const unsigned char shown[SYS_MEM_COUNT] = {
		[SYS_MEM_brk] = 1, [SYS_MEM_mmap] = 4, [SYS_MEM_munmap] = 2,
		[SYS_MEM_mremap] = 4, [SYS_MEM_mprotect] = 3, [SYS_MEM_madvise] = 3,
		[SYS_MEM_msync] = 3, [SYS_MEM_mincore] = 3, [SYS_MEM_mlock] = 2,
		[SYS_MEM_mlock2] = 3, [SYS_MEM_munlock] = 2, [SYS_MEM_mlockall] = 1,
		[SYS_MEM_shmat] = 3, [SYS_MEM_shmdt] = 1, [SYS_MEM_remap_file_pages] = 5,
		[SYS_MEM_mbind] = 6, [SYS_MEM_pkey_mprotect] = 4,
		[SYS_MEM_process_madvise] = 5, [SYS_MEM_set_mempolicy] = 3,
		[SYS_MEM_get_mempolicy] = 5, [SYS_MEM_migrate_pages] = 4,
		[SYS_MEM_move_pages] = 6, [SYS_MEM_set_mempolicy_home_node] = 4,
		[SYS_MEM_io_setup] = 2, [SYS_MEM_io_destroy] = 1,
		[SYS_MEM_io_uring_register] = 4,
	};
	bool has_address = line->number != SYS_MEM_mlockall && line->number <= SYS_MEM_pkey_mprotect;
	unsigned count = line->number < SYS_MEM_COUNT ? shown[line->number] : 0;
	int n = 0;

	for (unsigned i = 0; i < count; i++) {
		unsigned address = line->number == SYS_MEM_shmat ? 1 : 0;

		if (i > 0)
			n += line_text(out, ", ");
		if (i == address && has_address)
			n += put_pointer(out, line->args[i]);
		else
			n += line_decimal(out, line->args[i]);
	}
	return n;
}

/* name(arguments, without the closing parenthesis. */
static int put_open(FILE *out, const struct call_line *line)
{
	int n = line_text(out, call_line_name(line)) + line_text(out, "(");

	return n + (line->kind == LINE_CALL ? put_call_arguments(out, &line->call) :
					      put_syscall_arguments(out, line));
}

static bool returns_address(uint8_t number)
{
	return number == SYS_MEM_brk || number == SYS_MEM_mmap ||
	       number == SYS_MEM_mremap || number == SYS_MEM_shmat;
}

static void put_result(FILE *out, const struct call_line *line)
{
	if (line->kind == LINE_SYSCALL) {
		if (returns_address(line->number) &&
		    (line->result > 0 || line->result < -4095))
			put_pointer(out, (uint64_t)line->result);
		else if (line->result < 0 && line_text(out, "-"))
			line_decimal(out, -(uint64_t)line->result);
		else
			line_decimal(out, (uint64_t)line->result);
		if (line->is_inferred)
			line_text(out, " (inferred)");
		return;
	}
	switch (line->call.func) {
	case FUNC_FREE:
	case FUNC_CFREE:
	case FUNC_FREE_SIZED:
	case FUNC_FREE_ALIGNED_SIZED:
		line_text(out, "<void>");
		break;
	case FUNC_POSIX_MEMALIGN:
		line_decimal(out, line->call.result ? 0 : line->call.error);
		break;
	default:
		put_pointer(out, line->call.result);
		break;
	}
}

/* ") ", the gap, "= result", the duration; USED columns stand on the line. */
static void put_close(FILE *out, const struct call_line *line,
		      struct call_line_style *style, int used)
{
	used += line_text(out, ") ");
	line_gap(out, used, style->options.align - 1);
	line_text(out, "= ");
	put_result(out, line);
	if (style->options.has_duration && line->has_duration)
		line_duration(out, &style->clock, line->duration_ticks);
	else if (style->options.has_duration)
		line_text(out, " <?>");
	putc_unlocked('\n', out);
}

static void put_exit(FILE *out, const struct call_line *line)
{
	char name[16];

	if (WIFSIGNALED(line->status))
		fprintf(out, "+++ killed by %s +++\n",
		    line_signal(WTERMSIG(line->status), name));
	else
		fprintf(out, "+++ exited (status %d) +++\n", WEXITSTATUS(line->status));
}

void call_line_put(FILE *out, const struct call_line *line,
		   struct call_line_style *style)
{
	int used = put_prefix(out, line, style, false);

	if (line->kind == LINE_EXIT) {
		put_exit(out, line);
		return;
	}
	used += put_open(out, line);
	put_close(out, line, style, used);
}

void call_line_put_begin(FILE *out, const struct call_line *line,
			 struct call_line_style *style)
{
	put_prefix(out, line, style, false);
	put_open(out, line);
	line_text(out, " <unfinished ...>\n");
}

void call_line_put_resumed(FILE *out, const struct call_line *line,
			   struct call_line_style *style)
{
	int used = put_prefix(out, line, style, true);

	used += line_text(out, "<... ") + line_text(out, call_line_name(line)) +
		line_text(out, " resumed> ");
	put_close(out, line, style, used);
}
