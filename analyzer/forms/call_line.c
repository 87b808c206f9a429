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

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

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

/* fprintf that says how many columns it took. */
static int put(FILE *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int put(FILE *out, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vfprintf(out, format, ap);
	va_end(ap);
	return n > 0 ? n : 0;
}

/* An address as ltrace prints pointers: NULL is 0. */
static int put_pointer(FILE *out, uint64_t address)
{
	return put(out, address ? "0x%" PRIx64 : "%" PRIx64, address);
}

static int put_time(FILE *out, const struct call_line *line,
		    struct call_line_style *style)
{
	uint64_t ns = style->recording->wall_ns +
		      (uint64_t)recording_ns(style->recording, line->stamp);
	time_t second = (time_t)(ns / 1000000000u);
	int micro = (int)(ns / 1000u % 1000000u);

	if (style->time == TIME_EPOCH)
		return put(out, "%lld.%06d ", (long long)second, micro);
	if (second != style->second) {
		style->second = second;
		localtime_r(&second, &style->tm);
	}
	if (style->time == TIME_SECONDS)
		return put(out, "%02d:%02d:%02d ", style->tm.tm_hour, style->tm.tm_min,
			   style->tm.tm_sec);
	return put(out, "%02d:%02d:%02d.%06d ", style->tm.tm_hour, style->tm.tm_min,
		   style->tm.tm_sec, micro);
}

/* Everything before the name. */
static int put_prefix(FILE *out, const struct call_line *line,
		      struct call_line_style *style, bool is_resumed)
{
	int n = 0;

	if (style->has_pid)
		n += put(out, style->has_plain_pid ? "%" PRIu32 " " : "[pid %" PRIu32 "] ",
			 line->tid);
	if (style->time != TIME_NONE)
		n += put_time(out, line, style);
	if (style->has_address && line->kind == LINE_EXIT)
		n += put(out, "[0xffffffffffffffff] ");
	else if (style->has_address)
		n += put(out, "[0x%" PRIx64 "] ", line->return_address);
	if (style->has_caller && line->kind == LINE_CALL && !is_resumed) {
		visible_put(out, call_line_caller(line));
		fputs("->", out);
		n += (int)visible_width(call_line_caller(line)) + 2;
	}
	return n;
}

static int put_call_arguments(FILE *out, const struct call *c)
{
	int n;

	switch (c->func) {
	case FUNC_CALLOC:
		return put(out, "%" PRIu64 ", %" PRIu64, c->nmemb, c->size);
	case FUNC_REALLOC:
		n = put_pointer(out, c->pointer);
		return n + put(out, ", %" PRIu64, c->size);
	case FUNC_REALLOCARRAY:
		n = put_pointer(out, c->pointer);
		return n + put(out, ", %" PRIu64 ", %" PRIu64, c->nmemb, c->size);
	case FUNC_POSIX_MEMALIGN:
		n = put(out, "[");
		if (c->result)
			n += put_pointer(out, c->result);
		return n + put(out, "], %" PRIu64 ", %" PRIu64, c->alignment, c->size);
	case FUNC_ALIGNED_ALLOC:
	case FUNC_MEMALIGN:
		return put(out, "%" PRIu64 ", %" PRIu64, c->alignment, c->size);
	case FUNC_FREE:
	case FUNC_CFREE:
		return put_pointer(out, c->pointer);
	case FUNC_FREE_SIZED:
		n = put_pointer(out, c->pointer);
		return n + put(out, ", ?");
	case FUNC_FREE_ALIGNED_SIZED:
		n = put_pointer(out, c->pointer);
		return n + put(out, ", ?, ?");
	default:
		return put(out, "%" PRIu64, c->size);
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
			n += put(out, ", ");
		if (i == address && has_address)
			n += put_pointer(out, line->args[i]);
		else
			n += put(out, "%" PRIu64, line->args[i]);
	}
	return n;
}

/* name(arguments, without the closing parenthesis. */
static int put_open(FILE *out, const struct call_line *line)
{
	int n = put(out, "%s(", call_line_name(line));

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
		else
			put(out, "%" PRId64, line->result);
		if (line->is_inferred)
			fputs(" (inferred)", out);
		return;
	}
	switch (line->call.func) {
	case FUNC_FREE:
	case FUNC_CFREE:
	case FUNC_FREE_SIZED:
	case FUNC_FREE_ALIGNED_SIZED:
		fputs("<void>", out);
		break;
	case FUNC_POSIX_MEMALIGN:
		put(out, "%d", line->call.result ? 0 : line->call.error);
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
	used += put(out, ") ");
	if (used < style->align - 1)
		put(out, "%*s", style->align - 1 - used, "");
	fputs("= ", out);
	put_result(out, line);
	if (style->has_duration && line->has_duration) {
		uint64_t micro = (uint64_t)((double)line->duration_ticks *
					    style->recording->ns_per_tick / 1000.0 + 0.5);

		put(out, " <%" PRIu64 ".%06" PRIu64 ">", micro / 1000000u,
		    micro % 1000000u);
	} else if (style->has_duration) {
		fputs(" <?>", out);
	}
	putc('\n', out);
}

static void put_exit(FILE *out, const struct call_line *line)
{
	char name[16];

	if (WIFSIGNALED(line->status))
		put(out, "+++ killed by %s +++\n",
		    call_line_signal(WTERMSIG(line->status), name));
	else
		put(out, "+++ exited (status %d) +++\n", WEXITSTATUS(line->status));
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
	fputs(" <unfinished ...>\n", out);
}

void call_line_put_resumed(FILE *out, const struct call_line *line,
			   struct call_line_style *style)
{
	int used = put_prefix(out, line, style, true);

	used += put(out, "<... %s resumed> ", call_line_name(line));
	put_close(out, line, style, used);
}
