/*
 * summary_screen.c - `summary` as text: one screen of 80 columns. Everything
 * that comes from the program is escaped here or in stack_text.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/term.h"
#include "base/units.h"
#include "base/visible.h"
#include "base/wrap.h"
#include "base/xmem.h"
#include "forms/stack_text.h"
#include "forms/summary_facts.h"

#define SITES_SHOWN     5
#define FINDINGS_SHOWN  4
#define PROCESSES_SHOWN 4
#define LINE_WIDTH      80

/* ---- pieces of text ---- */

static void put_title(const struct run *run, const char *title)
{
	fprintf(run->out, "\n%s%s%s", term_style(run->color, STYLE_HEAD), title,
		term_plain(run->color));
}

/* A line of its own, wrapped, indented by two. */
static void put_sentence(FILE *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void put_sentence(FILE *out, const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	text = xvasprintf(format, ap);
	va_end(ap);
	fputs("  ", out);
	wrap_put(out, text, 2, 2, LINE_WIDTH);
	free(text);
}

/* ---- sections ---- */

static const char *when(const struct run *run, const struct summary_facts *f, uint64_t stamp,
			char *buffer)
{
	return units_ns(buffer, summary_moment_ns(run, f, stamp));
}

static void put_program(const struct run *run, const struct summary_facts *f)
{
	const struct image *image = f->image;
	char wall[UNITS_MAX], user[UNITS_MAX], sys[UNITS_MAX], minor[UNITS_MAX];
	char major[UNITS_MAX], end[64];
	char *command = visible_fit(f->command, LINE_WIDTH);
	size_t threads = image->thread_count;
	/* one that never calls the allocator is not seen */
	char *with_threads = threads ? xasprintf("; calls by %zu thread%s", threads,
						 threads == 1 ? "" : "s") : xstrdup("");
	size_t others = run->recording->image_count - 1;

	fprintf(run->out, "%s%s%s\n", term_style(run->color, STYLE_HEAD), command,
		term_plain(run->color));
	free(command);
	if (others > 0) {
		size_t number = 0;

		while (&run->recording->images[number] != image)
			number++;
		put_sentence(run->out, "pid %" PRIu32 ", program %zu of %zu recorded%s",
			     image->pid, number + 1, others + 1,
			     run->is_default ?
			     ", the one with the largest heap and mappings; others: --pid, --all" : "");
	}
	units_ns(wall, f->duration_ns);
	summary_end_text(run->recording, image, end);
	if (run->has_window)
		put_sentence(run->out, "a window of %s%s", wall, with_threads);
	else if (image->has_exit)
		put_sentence(run->out, "%s wall, %s user, %s system; %s; %s page faults "
			     "(%s from disk)%s", wall,
			     units_ns(user, image->utime_us * 1000),
			     units_ns(sys, image->stime_us * 1000), end,
			     units_count(minor, image->minflt + image->majflt),
			     units_count(major, image->majflt), with_threads);
	else
		put_sentence(run->out, "%s wall; %s%s", wall, end, with_threads);
	free(with_threads);
}

static void put_part(const struct run *run, const char *name, uint64_t bytes,
		     uint64_t rss, const char *meaning)
{
	char text[UNITS_MAX], percent[UNITS_MAX];
	int bar = rss ? (int)((double)bytes / (double)rss * 14 + 0.5) : 0;

	if (bytes > 0 && bar == 0)
		bar = 1;
	fprintf(run->out, "  %-12s %10s %8s%s%s%.*s%s", name, units_bytes(text, bytes),
		units_percent(percent, bytes, rss), bar > 0 || *meaning ? "  " : "",
		term_style(run->color, STYLE_GOOD), bar,
		"##############", term_plain(run->color));
	fprintf(run->out, "%*s%s\n", *meaning ? 15 - bar : 0, "", meaning);
}

/*
 * What malloc did with the memory it got, and what the program mapped itself. A
 * thread's arena reserves 64 MiB of addresses at once: what malloc obtained is
 * overhead only where it is memory, and not such a reservation.
 */
static void put_malloc_share(const struct run *run, const struct rss_moment *m)
{
	char live[UNITS_MAX], blocks[UNITS_MAX], got[UNITS_MAX], rest[UNITS_MAX];
	char mapped[UNITS_MAX], count[UNITS_MAX];
	const char *plural = m->live.blocks == 1 ? "" : "s";
	uint64_t obtained = m->break_bytes + m->malloc_mapped;

	units_bytes(live, m->live.bytes);
	units_count(blocks, m->live.blocks);
	units_bytes(got, obtained);
	if (m->break_bytes == 0 || obtained < m->live.bytes)
		put_sentence(run->out, "malloc: %s live in %s block%s", live, blocks, plural);
	else if (obtained > m->heap + m->mapped)
		put_sentence(run->out, "malloc had %s of address space: %s live in %s block%s",
			     got, live, blocks, plural);
	else
		put_sentence(run->out, "malloc had %s: %s live in %s block%s, %s overhead and free",
			     got, live, blocks, plural,
			     units_bytes(rest, obtained - m->live.bytes));
	if (m->program.blocks > 0)
		put_sentence(run->out, "the program itself had mapped %s of address space in %s "
			     "mapping%s", units_bytes(mapped, m->program.bytes),
			     units_count(count, m->program.blocks),
			     m->program.blocks == 1 ? "" : "s");
}

static void put_resident(const struct run *run, const struct summary_facts *f)
{
	const struct rss_moment *m = f->moment;
	char rss[UNITS_MAX], time[UNITS_MAX], most[UNITS_MAX];

	put_title(run, "Where the memory is");
	if (!m || !m->is_known) {
		if (f->max_rss > 0)
			fprintf(run->out, ": %s resident at the most; parts not sampled\n",
				units_bytes(rss, f->max_rss));
		else
			fprintf(run->out, ": resident memory was not sampled%s\n",
				run->has_window ? " in this window" : "");
		return;
	}
	fprintf(run->out, ": %s resident after %s", units_bytes(rss, m->rss),
		when(run, f, m->stamp, time));
	if (f->max_rss > m->rss + m->rss / 100)
		fprintf(run->out, " (most %s)", units_bytes(most, f->max_rss));
	fputs(m->is_estimate ? ", estimated\n" : "\n", run->out);
	put_part(run, "heap", m->heap, m->rss, "malloc, by the program break");
	put_part(run, "mapped", m->mapped, m->rss, "anonymous mappings");
	if (m->has_parts) {
		put_part(run, "stacks", m->stack, m->rss, "of the first thread");
		put_part(run, "files", m->file, m->rss, "program, libraries, data");
	}
	if (m->shmem > 0)
		put_part(run, "shared", m->shmem, m->rss, "shared memory");
	if (m->other > 0)
		put_part(run, "recording", m->other, m->rss, "allotrope itself, vdso");
	put_part(run, "unexplained", m->unexplained, m->rss,
		 m->has_parts ? "" : "program, libraries, stacks: not sampled");
	if (m->has_heap)
		put_malloc_share(run, m);
}

/* "malloc 1,234, free 1,200", most first. */
static char *calls_text(const struct heap *h)
{
	bool is_done[FUNC_COUNT] = { false };
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	for (size_t n = 0; out && n < FUNC_COUNT; n++) {
		char count[UNITS_MAX];
		size_t best = FUNC_COUNT;

		for (size_t i = 0; i < FUNC_COUNT; i++)
			if (!is_done[i] && h->funcs[i].calls > 0 &&
			    (best == FUNC_COUNT || h->funcs[i].calls > h->funcs[best].calls))
				best = i;
		if (best == FUNC_COUNT)
			break;
		is_done[best] = true;
		fprintf(out, "%s%s %s", n ? ", " : "", summary_func_names[best],
			units_count(count, h->funcs[best].calls));
	}
	if (out)
		fclose(out);
	return text;
}

static char *syscalls_text(const struct heap *h)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	bool first = true;

	for (size_t i = 0; out && i < SYS_MEM_COUNT; i++) {
		const struct syscall_totals *s = &h->syscalls[i];
		char count[UNITS_MAX], grow[UNITS_MAX], trim[UNITS_MAX];

		if (s->calls == 0)
			continue;
		fprintf(out, "%s%s %s", first ? "" : ", ", summary_syscall_names[i],
			units_count(count, s->calls));
		if (i == SYS_MEM_brk && s->grow + s->trim > 0)
			fprintf(out, " (%s up, %s down)", units_count(grow, s->grow),
				units_count(trim, s->trim));
		first = false;
	}
	if (out)
		fclose(out);
	return text;
}

static void put_heap(const struct run *run, const struct summary_facts *f)
{
	const struct heap *h = f->heap;
	char bytes[UNITS_MAX], blocks[UNITS_MAX], time[UNITS_MAX];
	char *calls, *syscalls;

	put_title(run, "Heap");
	if (recording_is_outside(run->recording)) {
		fputs(": not recorded\n", run->out);
		return;
	}
	calls = calls_text(h);
	syscalls = syscalls_text(h);
	fprintf(run->out, ": peak %s in %s block%s after %s\n", units_bytes(bytes, h->peak.bytes),
		units_count(blocks, h->peak.blocks), h->peak.blocks == 1 ? "" : "s",
		when(run, f, h->peak_stamp, time));
	fprintf(run->out, "  in all   %s in %s block%s", units_bytes(bytes, h->total.bytes),
		units_count(blocks, h->total.blocks), h->total.blocks == 1 ? "" : "s");
	fprintf(run->out, "; at the end %s in %s\n", units_bytes(bytes, h->end.bytes),
		units_count(blocks, h->end.blocks));
	if (h->inherited_blocks > 0)
		fprintf(run->out, "  before   %s in %s block%s, from its parent\n",
			units_bytes(bytes, h->inherited_bytes),
			units_count(blocks, h->inherited_blocks),
			h->inherited_blocks == 1 ? "" : "s");
	if (calls && *calls) {
		fputs("  calls    ", run->out);
		wrap_put(run->out, calls, 11, 11, LINE_WIDTH);
	} else {
		put_sentence(run->out, "no heap call was made");
	}
	if (syscalls && *syscalls) {
		fputs("  system   ", run->out);
		wrap_put(run->out, syscalls, 11, 11, LINE_WIDTH);
	}
	free(calls);
	free(syscalls);
}

static void put_sites(const struct run *run, const struct summary_facts *f)
{
	size_t shown = run->top ? run->top : SITES_SHOWN;

	if (f->sites->count == 0)
		return;
	put_title(run, "Who allocated it");
	fputs(": live at the peak of the heap, at the peak of the mappings\n", run->out);
	for (size_t i = 0; i < f->sites->count && i < shown; i++) {
		const struct site_row *row = &f->sites->rows[i];
		char bytes[UNITS_MAX], percent[UNITS_MAX], blocks[UNITS_MAX];
		char *fit = frame_text_fit(frame_tree_frame(f->tree, row->node),
					   LINE_WIDTH - 44);

		if (row->peak.bytes == 0)
			shown = 0;
		else
			fprintf(run->out, "  %10s %8s %11s %-7s %s%s%s\n",
				units_bytes(bytes, row->peak.bytes),
				units_percent(percent, row->peak.bytes,
					      row->kind == KIND_MAPPING ?
					      f->heap->mapped_peak.bytes : f->heap->peak.bytes),
				units_count(blocks, row->peak.blocks),
				row->kind == KIND_MAPPING ? "mapped" :
				row->peak.blocks == 1 ? "block" : "blocks",
				term_style(run->color, STYLE_KEY), fit,
				term_plain(run->color));
		free(fit);
	}
}

static void put_finding(const struct run *run, const struct finding *x)
{
	bool is_problem = x->severity == SEVERITY_PROBLEM;
	char *text = visible_text(x->text);
	char *remedy = visible_text(x->remedy);

	fprintf(run->out, "  %s%s%s ", term_style(run->color, is_problem ? STYLE_BAD : STYLE_KEY),
		is_problem ? "!" : "*", term_plain(run->color));
	wrap_put(run->out, text, 4, 4, LINE_WIDTH);
	if (*remedy) {
		fprintf(run->out, "    %s->%s ", term_style(run->color, STYLE_GOOD),
			term_plain(run->color));
		wrap_put(run->out, remedy, 7, 7, LINE_WIDTH);
	}
	free(text);
	free(remedy);
}

static void put_findings(const struct run *run, const struct summary_facts *f)
{
	size_t count = f->findings->count;

	if (count == 0)
		return;
	put_title(run, "Findings");
	putc('\n', run->out);
	for (size_t i = 0; i < count && (run->top || i < FINDINGS_SHOWN); i++)
		put_finding(run, &f->findings->items[i]);
	if (!run->top && count > FINDINGS_SHOWN)
		fprintf(run->out, "    %zu more: --top=%zu\n", count - FINDINGS_SHOWN, count);
}

static uint64_t whole_peak(const struct heap *h)
{
	return h->peak.bytes + h->mapped_peak.bytes;
}

static int compare_heaps(const void *pa, const void *pb)
{
	const struct heap *a = *(const struct heap *const *)pa;
	const struct heap *b = *(const struct heap *const *)pb;

	if (whole_peak(a) != whole_peak(b))
		return whole_peak(a) > whole_peak(b) ? -1 : 1;
	return a->image->number < b->image->number ? -1 : 1;
}

/* The programs of the recording with the most memory, where there are several. */
static void put_processes(const struct run *run)
{
	size_t count = replay_heap_count(run->replay);
	const struct heap **heaps;

	if (count < 2)
		return;
	heaps = xcalloc(count, sizeof(*heaps));
	for (size_t i = 0; i < count; i++)
		heaps[i] = replay_heap(run->replay, i);
	qsort(heaps, count, sizeof(*heaps), compare_heaps);
	put_title(run, "Programs");
	fputs(": peak of the heap, of the mappings\n", run->out);
	for (size_t i = 0; i < count && i < PROCESSES_SHOWN; i++) {
		char peak[UNITS_MAX], mapped[UNITS_MAX];
		char *command = image_command(heaps[i]->image);
		char *fit = visible_fit(command, LINE_WIDTH - 45);

		fprintf(run->out, "  %10s %10s  pid %" PRIu32 ":%-3" PRIu32 " %s\n",
			units_bytes(peak, heaps[i]->peak.bytes),
			units_bytes(mapped, heaps[i]->mapped_peak.bytes), heaps[i]->image->pid,
			heaps[i]->image->exec_number, fit);
		free(command);
		free(fit);
	}
	if (count > PROCESSES_SHOWN)
		fprintf(run->out, "  %zu more: --all --format=csv lists them\n",
			count - PROCESSES_SHOWN);
	free(heaps);
}

void summary_put_screen(struct run *run, const struct summary_facts *f)
{
	put_program(run, f);
	put_resident(run, f);
	put_heap(run, f);
	put_sites(run, f);
	if (run->is_default)
		put_processes(run);
	put_findings(run, f);
}
