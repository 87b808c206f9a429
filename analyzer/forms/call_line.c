/*
 * call_line.c - calls in ltrace's words. Formats after ltrace 0.7.3 (output.c,
 * samples checked against the program): prefixes pid, time, [address], caller->; the
 * result at a column; sizes decimal, addresses hexadecimal, NULL as 0.
 *
 * Two things ltrace prints are not recorded: the address of posix_memalign's
 * pointer, where the block it received stands in brackets instead, and the size given to
 * free_sized, printed as "?".
 */
#include "forms/call_line.h"

#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/units.h"
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

const char *call_line_signal(int number, char *buffer)
{
	const char *name = sigabbrev_np(number);

	if (name)
		snprintf(buffer, 16, "SIG%.12s", name);
	else
		snprintf(buffer, 16, "SIG%d", number);
	return buffer;
}

/*
 * A recording has millions of lines: what follows writes text, decimal and
 * hexadecimal numbers without the cost of a format, and says how many columns it took.
 */
static int put_text(FILE *out, const char *text)
{
	size_t length = strlen(text);

	fwrite_unlocked(text, 1, length, out);
	return (int)length;
}

static int put_digits(FILE *out, uint64_t n, unsigned base, int least)
{
	char digits[24];
	char *p = digits + sizeof(digits);

	do {
		*--p = "0123456789abcdef"[n % base];
		n /= base;
	} while (n > 0 || digits + sizeof(digits) - p < least);
	fwrite_unlocked(p, 1, (size_t)(digits + sizeof(digits) - p), out);
	return (int)(digits + sizeof(digits) - p);
}

static int put_decimal(FILE *out, uint64_t n)
{
	return put_digits(out, n, 10, 1);
}

static int put_hex(FILE *out, uint64_t n)
{
	return put_text(out, "0x") + put_digits(out, n, 16, 1);
}

/* An address as ltrace prints pointers: NULL is 0. */
static int put_pointer(FILE *out, uint64_t address)
{
	return address ? put_hex(out, address) : put_text(out, "0");
}

/* Spaces up to COLUMN. */
static void put_gap(FILE *out, int used, int column)
{
	for (; used < column; used++)
		putc_unlocked(' ', out);
}

static int put_time(FILE *out, const struct call_line *line,
		    struct call_line_style *style)
{
	uint64_t ns = style->recording->wall_ns +
		      (uint64_t)recording_ns(style->recording, line->stamp);
	time_t second = (time_t)(ns / 1000000000u);
	uint64_t micro = ns / 1000u % 1000000u;
	int n;

	if (style->time == TIME_EPOCH) {
		n = put_decimal(out, (uint64_t)second) + put_text(out, ".");
		return n + put_digits(out, micro, 10, 6) + put_text(out, " ");
	}
	if (second != style->second) {
		style->second = second;
		localtime_r(&second, &style->tm);
	}
	n = put_digits(out, (uint64_t)style->tm.tm_hour, 10, 2) + put_text(out, ":");
	n += put_digits(out, (uint64_t)style->tm.tm_min, 10, 2) + put_text(out, ":");
	n += put_digits(out, (uint64_t)style->tm.tm_sec, 10, 2);
	if (style->time == TIME_MICRO)
		n += put_text(out, ".") + put_digits(out, micro, 10, 6);
	return n + put_text(out, " ");
}

/* Everything before the name. */
static int put_prefix(FILE *out, const struct call_line *line,
		      struct call_line_style *style, bool is_resumed)
{
	int n = 0;

	if (style->has_pid)
		n += put_text(out, style->has_plain_pid ? "" : "[pid ") +
		     put_decimal(out, line->tid) +
		     put_text(out, style->has_plain_pid ? " " : "] ");
	if (style->time != TIME_NONE)
		n += put_time(out, line, style);
	if (style->has_address && line->kind == LINE_EXIT)
		n += put_text(out, "[0xffffffffffffffff] ");
	else if (style->has_address)
		n += put_text(out, "[") + put_hex(out, line->return_address) +
		     put_text(out, "] ");
	if (style->has_caller && line->kind == LINE_CALL && !is_resumed) {
		visible_put(out, call_line_caller(line));
		put_text(out, "->");
		n += (int)visible_width(call_line_caller(line)) + 2;
	}
	return n;
}

static int put_comma(FILE *out, uint64_t n)
{
	return put_text(out, ", ") + put_decimal(out, n);
}

static int put_call_arguments(FILE *out, const struct call *c)
{
	int n;

	switch (c->func) {
	case FUNC_CALLOC:
		return put_decimal(out, c->nmemb) + put_comma(out, c->size);
	case FUNC_REALLOC:
		n = put_pointer(out, c->pointer);
		return n + put_comma(out, c->size);
	case FUNC_REALLOCARRAY:
		n = put_pointer(out, c->pointer);
		return n + put_comma(out, c->nmemb) + put_comma(out, c->size);
	case FUNC_POSIX_MEMALIGN:
		n = put_text(out, "[");
		if (c->result)
			n += put_pointer(out, c->result);
		return n + put_text(out, "]") + put_comma(out, c->alignment) +
		       put_comma(out, c->size);
	case FUNC_ALIGNED_ALLOC:
	case FUNC_MEMALIGN:
		return put_decimal(out, c->alignment) + put_comma(out, c->size);
	case FUNC_FREE:
	case FUNC_CFREE:
		return put_pointer(out, c->pointer);
	case FUNC_FREE_SIZED:
		n = put_pointer(out, c->pointer);
		return n + put_text(out, ", ?");
	case FUNC_FREE_ALIGNED_SIZED:
		n = put_pointer(out, c->pointer);
		return n + put_text(out, ", ?, ?");
	default:
		return put_decimal(out, c->size);
	}
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
		[SYS_MEM_process_madvise] = 5,
	};
	bool has_address = line->number != SYS_MEM_mlockall &&
			   line->number != SYS_MEM_process_madvise;
	unsigned count = line->number < SYS_MEM_COUNT ? shown[line->number] : 0;
	int n = 0;

	for (unsigned i = 0; i < count; i++) {
		unsigned address = line->number == SYS_MEM_shmat ? 1 : 0;

		if (i > 0)
			n += put_text(out, ", ");
		if (i == address && has_address)
			n += put_pointer(out, line->args[i]);
		else
			n += put_decimal(out, line->args[i]);
	}
	return n;
}

/* name(arguments, without the closing parenthesis. */
static int put_open(FILE *out, const struct call_line *line)
{
	int n = put_text(out, call_line_name(line)) + put_text(out, "(");

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
		else if (line->result < 0 && put_text(out, "-"))
			put_decimal(out, -(uint64_t)line->result);
		else
			put_decimal(out, (uint64_t)line->result);
		if (line->is_inferred)
			put_text(out, " (inferred)");
		return;
	}
	switch (line->call.func) {
	case FUNC_FREE:
	case FUNC_CFREE:
	case FUNC_FREE_SIZED:
	case FUNC_FREE_ALIGNED_SIZED:
		put_text(out, "<void>");
		break;
	case FUNC_POSIX_MEMALIGN:
		put_decimal(out, line->call.result ? 0 : line->call.error);
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
	used += put_text(out, ") ");
	put_gap(out, used, style->align - 1);
	put_text(out, "= ");
	put_result(out, line);
	if (style->has_duration && line->has_duration) {
		uint64_t micro = units_whole((double)line->duration_ticks *
					     style->recording->ns_per_tick / 1000.0);

		put_text(out, " <");
		put_decimal(out, micro / 1000000u);
		put_text(out, ".");
		put_digits(out, micro % 1000000u, 10, 6);
		put_text(out, ">");
	} else if (style->has_duration) {
		put_text(out, " <?>");
	}
	putc_unlocked('\n', out);
}

static void put_exit(FILE *out, const struct call_line *line)
{
	char name[16];

	if (WIFSIGNALED(line->status))
		fprintf(out, "+++ killed by %s +++\n",
		    call_line_signal(WTERMSIG(line->status), name));
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
	put_text(out, " <unfinished ...>\n");
}

void call_line_put_resumed(FILE *out, const struct call_line *line,
			   struct call_line_style *style)
{
	int used = put_prefix(out, line, style, true);

	used += put_text(out, "<... ") + put_text(out, call_line_name(line)) +
		put_text(out, " resumed> ");
	put_close(out, line, style, used);
}
