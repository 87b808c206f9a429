/*
 * summary_facts.c - collects the figures of `summary` from model, samples and
 * symbols.
 */
#include "forms/summary_facts.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/xmem.h"
#include "forms/line_parts.h"
#include "forms/stack_text.h"

const char *const summary_func_names[] = {
#define ROW(name, text) text,
	ALLOC_FUNCS(ROW)
#undef ROW
};

const char *const summary_syscall_names[] = {
#define ROW(name, argc) #name,
	MEMORY_SYSCALLS(ROW)
#undef ROW
};

/* Columns of a site's name in a sentence. */
#define NAME_WIDTH 60

/* Names of sites for findings: made when asked for, kept by node. */
struct naming {
	struct frame_tree *tree;
	char **names;
	size_t count;
};

static const char *site_name(stack_id stack, enum alloc_kind kind, void *ctx)
{
	struct naming *n = ctx;
	frame_node node = frame_tree_user(n->tree, stack, kind == KIND_MAPPING);

	if (!node)
		return NULL;
	if (node >= n->count) {
		size_t count = (size_t)node * 2 + 64;

		n->names = xreallocarray(n->names, count, sizeof(*n->names));
		memset(n->names + n->count, 0, (count - n->count) * sizeof(*n->names));
		n->count = count;
	}
	if (!n->names[node])
		n->names[node] = frame_text_fit(frame_tree_frame(n->tree, node), NAME_WIDTH);
	return n->names[node];
}

static void add_findings(struct summary_facts *f, const struct run *run,
			 const struct freed_pages *freed)
{
	struct naming n = { .tree = f->tree };
	struct site_naming naming = { site_name, &n };

	f->findings = findings_new(run->recording, f->heap, &naming, freed);
	for (size_t i = 0; i < n.count; i++)
		free(n.names[i]);
	free(n.names);
}

static uint64_t peak_of(const struct site_row *row, size_t column)
{
	(void)column;
	return row->peak.bytes;
}

/* People are told who asked; programs get the allocation site, as `sites` has it. */
static void add_sites(struct summary_facts *f, const struct run *run)
{
	static const struct column column = { .key = "peak_bytes", .type = COLUMN_BYTES };
	struct sort_order order = { .keys = { { 0, false } }, .count = 1 };

	f->sites = run->format == EMIT_TEXT ? site_rows_users(f->tree, f->heap) :
		   site_rows_new(f->tree, f->heap, 1);
	site_rows_sort(f->sites, f->tree, 0, &order, &column, peak_of);
}

static uint64_t duration(const struct run *run, const struct image *image)
{
	uint64_t from = image->start_stamp, to = image->end_stamp;

	if (run->since_stamp > from)
		from = run->since_stamp;
	if (run->until_stamp < to)
		to = run->until_stamp;
	return recording_span_ns(run->recording, from, to);
}

size_t summary_threads(const struct recording *r, const struct image *image)
{
	if (image->thread_count)
		return image->thread_count;
	return recording_is_outside(r) ? 0 : 1;
}

struct summary_facts *summary_facts_new(struct run *run, struct rss_moments *moments,
					const struct freed_pages *freed, const struct heap *heap)
{
	struct summary_facts *f = xcalloc(1, sizeof(*f));

	f->image = heap->image;
	f->heap = heap;
	f->command = image_command(heap->image);
	f->duration_ns = duration(run, heap->image);
	f->moment = rss_moments_of(moments, heap->image, heap);
	f->max_rss = f->moment ? f->moment->max_rss : 0;
	/* the kernel's maximum is of the whole life */
	if (run->has_window && f->moment && !f->moment->is_known)
		f->max_rss = 0;
	f->tree = frame_tree_new(run->resolver, run->wrappers, run->stacks);
	add_sites(f, run);
	add_findings(f, run, freed);
	return f;
}

uint64_t summary_moment_ns(const struct run *run, const struct summary_facts *f,
			   uint64_t stamp)
{
	return recording_span_ns(run->recording, f->image->start_stamp, stamp);
}

void summary_facts_free(struct summary_facts *f)
{
	if (!f)
		return;
	findings_free(f->findings);
	site_rows_free(f->sites);
	frame_tree_free(f->tree);
	free(f->command);
	free(f);
}

frame_node summary_finding_site(const struct summary_facts *f, const struct finding *finding,
				const struct run *run)
{
	bool is_mapping = false;

	(void)run;
	if (finding->stack == STACK_NONE)
		return 0;
	for (size_t i = 0; i < f->heap->site_count; i++)
		if (f->heap->sites[i].stack == finding->stack) {
			is_mapping = f->heap->sites[i].kind == KIND_MAPPING;
			break;
		}
	return frame_tree_site(f->tree, finding->stack, is_mapping);
}

const char *summary_end_text(const struct recording *r, const struct image *image,
			     char *buffer)
{
	char name[16];

	if (image->is_followed)
		snprintf(buffer, 64, "became another program");
	else if (image->is_replaced)
		snprintf(buffer, 64, "became a program that is not recorded");
	else if (!image->has_exit)
		snprintf(buffer, 64, "its end was not seen");
	else if (WIFSIGNALED(image->status))
		snprintf(buffer, 64, "killed by %s%s", line_signal(WTERMSIG(image->status), name),
			 WTERMSIG(image->status) == SIGKILL &&
			 recording_is_oom_kill(r, image->end_stamp) ? " for lack of memory" :
			 WCOREDUMP(image->status) ? ", core dumped" : "");
	else
		snprintf(buffer, 64, "exited with %d", WEXITSTATUS(image->status));
	return buffer;
}
