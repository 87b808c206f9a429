/*
 * summary_json.c - `summary --format=json`: one object. Its first members are a
 * stable interface (docs, man page): scripts parse them.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "forms/line_parts.h"
#include "forms/health.h"
#include "forms/stack_text.h"
#include "forms/summary_facts.h"

static json_t *seconds(uint64_t ns)
{
	return json_real((double)ns / 1e9);
}

static json_t *argv_json(const struct image *image)
{
	json_t *list = json_array();

	for (int i = 0; i < image->argc; i++)
		json_array_append_new(list, json_from_text(image->argv[i]));
	return list;
}

static json_t *calls_json(const struct heap *h)
{
	json_t *calls = json_object();

	for (size_t i = 0; i < FUNC_COUNT; i++) {
		bool is_usual = i == FUNC_MALLOC || i == FUNC_CALLOC || i == FUNC_REALLOC ||
				i == FUNC_FREE;

		if (h->funcs[i].calls > 0 || is_usual)
			json_object_set_new(calls, summary_func_names[i],
					    json_from_number(h->funcs[i].calls));
	}
	return calls;
}

static json_t *syscalls_json(const struct image *image, const struct heap *h)
{
	json_t *calls = json_object();
	/* where libc's own calls were not watched their number is unknown, not 0 */
	bool is_watched = image->features & (FEATURE_SITES_EXACT | FEATURE_SITES_INFERRED);

	for (size_t i = 0; i < SYS_MEM_COUNT; i++) {
		bool is_usual = i == SYS_MEM_brk || i == SYS_MEM_mmap || i == SYS_MEM_munmap;

		if (h->syscalls[i].calls > 0 || (is_usual && is_watched))
			json_object_set_new(calls, summary_syscall_names[i],
					    json_from_number(h->syscalls[i].calls));
	}
	return calls;
}

static void add_status(json_t *object, const struct image *image)
{
	char name[16];
	bool was_killed = image->has_exit && WIFSIGNALED(image->status);

	json_object_set_new(object, "status",
			    image->has_exit && !was_killed ?
			    json_integer(WEXITSTATUS(image->status)) : json_null());
	json_object_set_new(object, "signal", was_killed ?
			    json_string(line_signal(WTERMSIG(image->status), name)) :
			    json_null());
}

static json_t *processes_json(const struct run *run)
{
	json_t *list = json_array();

	for (size_t i = 0; i < run->recording->image_count; i++) {
		const struct image *image = &run->recording->images[i];
		const struct heap *h = replay_image_heap(run->replay, image->number);
		json_t *p = json_object();

		json_object_set_new(p, "pid", json_from_number(image->pid));
		json_object_set_new(p, "exec", json_from_number(image->exec_number));
		json_object_set_new(p, "ppid", json_from_number(image->ppid));
		json_object_set_new(p, "argv", argv_json(image));
		json_object_set_new(p, "blocks", json_from_number(h ? h->total.blocks : 0));
		json_object_set_new(p, "bytes", json_from_number(h ? h->total.bytes : 0));
		json_object_set_new(p, "frees", json_from_number(h ? h->freed.blocks : 0));
		json_object_set_new(p, "peak_bytes", json_from_number(h ? h->peak.bytes : 0));
		json_object_set_new(p, "mapped_peak_bytes",
				    json_from_number(h ? h->mapped_peak.bytes : 0));
		add_status(p, image);
		json_array_append_new(list, p);
	}
	return list;
}

static void add_site(json_t *object, const struct frame_tree *tree, frame_node node)
{
	const struct symbol_frame *f = frame_tree_frame(tree, node);
	char *function = frame_function(f);

	json_object_set_new(object, "function", json_from_text(function));
	json_object_set_new(object, "file", json_from_text(f ? f->file : NULL));
	json_object_set_new(object, "line",
			    f && f->line > 0 ? json_integer(f->line) : json_null());
	free(function);
}

static json_t *findings_json(const struct run *run, const struct summary_facts *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->findings->count; i++) {
		const struct finding *x = &f->findings->items[i];
		json_t *o = json_object();

		json_object_set_new(o, "kind",
				    json_string(finding_key((enum finding_kind)x->kind)));
		json_object_set_new(o, "severity", json_string(finding_severity_name(
				    (enum finding_severity)x->severity)));
		json_object_set_new(o, "text", json_from_text(x->text));
		json_object_set_new(o, "remedy", json_from_text(x->remedy));
		json_object_set_new(o, "count", json_from_number(x->count));
		json_object_set_new(o, "bytes", json_from_number(x->bytes));
		json_object_set_new(o, "size", json_from_number(x->size));
		json_object_set_new(o, "share", json_real(x->share));
		if (x->stack != STACK_NONE)
			add_site(o, f->tree, summary_finding_site(f, x, run));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *sites_json(const struct run *run, const struct summary_facts *f)
{
	json_t *list = json_array();
	size_t shown = run->top ? run->top : 10;

	for (size_t i = 0; i < f->sites->count && i < shown; i++) {
		const struct site_row *row = &f->sites->rows[i];
		json_t *o = json_object();

		json_object_set_new(o, "kind", json_string(
				    row->kind == KIND_MAPPING ? "mapping" : "heap"));
		add_site(o, f->tree, row->node);
		json_object_set_new(o, "peak_bytes", json_from_number(row->peak.bytes));
		json_object_set_new(o, "peak_blocks", json_from_number(row->peak.blocks));
		json_object_set_new(o, "bytes", json_from_number(row->total.bytes));
		json_object_set_new(o, "blocks", json_from_number(row->total.blocks));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *memory_json(const struct run *run, const struct summary_facts *f)
{
	const struct rss_moment *m = f->moment;
	json_t *o;

	if (!m || !m->is_known)
		return json_null();
	o = json_object();
	json_object_set_new(o, "at_s", seconds(summary_moment_ns(run, f, m->stamp)));
	json_object_set_new(o, "is_estimate", json_boolean(m->is_estimate));
	json_object_set_new(o, "rss_bytes", json_from_number(m->rss));
	json_object_set_new(o, "heap_bytes", json_from_number(m->heap));
	json_object_set_new(o, "mapped_bytes", json_from_number(m->mapped));
	json_object_set_new(o, "stack_bytes", json_from_number(m->stack));
	json_object_set_new(o, "file_bytes", json_from_number(m->file));
	json_object_set_new(o, "shared_bytes", json_from_number(m->shmem));
	json_object_set_new(o, "other_bytes", json_from_number(m->other));
	json_object_set_new(o, "unexplained_bytes", json_from_number(m->unexplained));
	if (m->has_heap) {
		json_object_set_new(o, "live_bytes", json_from_number(m->live.bytes));
		json_object_set_new(o, "live_blocks", json_from_number(m->live.blocks));
		json_object_set_new(o, "break_bytes", json_from_number(m->break_bytes));
		json_object_set_new(o, "malloc_mapped_bytes", json_from_number(m->malloc_mapped));
		json_object_set_new(o, "program_mapped_bytes", json_from_number(m->program.bytes));
	}
	return o;
}

static void add_figures(json_t *o, const struct run *run, const struct summary_facts *f)
{
	size_t threads = summary_threads(run->recording, f->image);
	const struct heap *h = f->heap;

	json_object_set_new(o, "program", json_from_text(f->command));
	json_object_set_new(o, "argv", argv_json(f->image));
	json_object_set_new(o, "pid", json_from_number(f->image->pid));
	json_object_set_new(o, "exec", json_from_number(f->image->exec_number));
	json_object_set_new(o, "duration_s", seconds(f->duration_ns));
	json_object_set_new(o, "calls", calls_json(h));
	json_object_set_new(o, "blocks", json_from_number(h->total.blocks));
	json_object_set_new(o, "bytes", json_from_number(h->total.bytes));
	json_object_set_new(o, "frees", json_from_number(h->freed.blocks));
	json_object_set_new(o, "peak_bytes", json_from_number(h->peak.bytes));
	json_object_set_new(o, "peak_blocks", json_from_number(h->peak.blocks));
	json_object_set_new(o, "peak_at_s", 
			    seconds(summary_moment_ns(run, f, h->peak_stamp)));
	json_object_set_new(o, "massif_peak_bytes", json_from_number(h->massif_peak_bytes));
	json_object_set_new(o, "end_bytes", json_from_number(h->end.bytes));
	json_object_set_new(o, "end_blocks", json_from_number(h->end.blocks));
	json_object_set_new(o, "temporary_blocks", h->sampling_bytes ? json_null() :
			    json_from_number(h->temporary.blocks));
	json_object_set_new(o, "mapped_peak_bytes", json_from_number(h->mapped_peak.bytes));
	json_object_set_new(o, "mapped_end_bytes", json_from_number(h->mapped_end.bytes));
	json_object_set_new(o, "max_rss_bytes", f->max_rss ?
			    json_from_number(f->max_rss) : json_null());
	json_object_set_new(o, "inherited_blocks", json_from_number(h->inherited_blocks));
	json_object_set_new(o, "inherited_bytes", json_from_number(h->inherited_bytes));
	json_object_set_new(o, "unmatched_frees", json_from_number(h->unmatched_frees));
	json_object_set_new(o, "syscalls", syscalls_json(f->image, h));
	json_object_set_new(o, "threads", threads ? json_from_number(threads) : json_null());
	if (f->image->has_exit) {
		json_object_set_new(o, "user_s", seconds(f->image->utime_us * 1000));
		json_object_set_new(o, "system_s", seconds(f->image->stime_us * 1000));
		json_object_set_new(o, "minor_faults", json_from_number(f->image->minflt));
		json_object_set_new(o, "major_faults", json_from_number(f->image->majflt));
	}
	add_status(o, f->image);
	json_object_set_new(o, "memory", memory_json(run, f));
	json_object_set_new(o, "sites", sites_json(run, f));
	json_object_set_new(o, "findings", findings_json(run, f));
}

json_t *summary_json(struct run *run, const struct summary_facts *f)
{
	json_t *o = json_object();
	struct health *health = health_new(run);

	if (f)
		add_figures(o, run, f);
	json_object_set_new(o, "sampling_bytes",
			    json_from_number(recording_sampling(run->recording)));
	json_object_set_new(o, "losses", health_losses(run));
	json_object_set_new(o, "processes", processes_json(run));
	health_add_json(health, run, o);
	health_free(health);
	return o;
}
