/*
 * threshold_json.c - the report `threshold` for programs.
 */
#include <stdlib.h>

#include "base/xmem.h"
#include "forms/health.h"
#include "forms/stack_text.h"
#include "forms/threshold_facts.h"

static json_t *number(uint64_t n)
{
	return json_from_number(n);
}

static json_t *settings_json(const struct malloc_settings *s)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b}",
		"mmap_threshold", number(s->value[SET_MMAP_THRESHOLD]),
		"trim_threshold", number(s->value[SET_TRIM_THRESHOLD]),
		"top_pad", number(s->value[SET_TOP_PAD]),
		"mmap_max", number(s->value[SET_MMAP_MAX]),
		"arena_max", s->value[SET_ARENA_MAX] ? number(s->value[SET_ARENA_MAX]) : json_null(),
		"tcache_count", number(s->value[SET_TCACHE_COUNT]),
		"is_dynamic", s->is_dynamic);
}

/* Where STACK is: the text, or null. */
static json_t *place_json(const struct threshold_facts *f, stack_id stack, bool is_inner)
{
	const char *place = cause_place(f->places, stack, is_inner);

	/* escaped already */
	return place ? json_string(place) : json_null();
}

static json_t *moves_json(const struct run *run, const struct threshold_facts *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->move_count; i++) {
		const struct threshold_move *m = &f->moves[i];
		bool is_free = m->setting == NULL;
		bool is_sampled = recording_sampling(run->recording) != 0;

		json_array_append_new(list, json_pack("{s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			"at_s", (double)recording_ns(run->recording, m->stamp) / 1e9,
			"from", number(m->from.value[SET_MMAP_THRESHOLD]),
			"to", number(m->to.value[SET_MMAP_THRESHOLD]),
			"trim_from", number(m->from.value[SET_TRIM_THRESHOLD]),
			"trim_to", number(m->to.value[SET_TRIM_THRESHOLD]),
			"cause", is_free ? json_string("free") : json_from_text(m->setting->key),
			"cause_bytes", is_free ? number(m->request) : json_null(),
			"allocated_at", is_free ? place_json(f, m->stack, false) : json_null(),
			"freed_at", is_free ? place_json(f, m->freed_stack,
							is_sampled) : json_null()));
	}
	return list;
}

static json_t *sizes_json(const struct threshold_facts *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->row_count; i++) {
		const struct served_row *r = &f->rows[i];

		json_array_append_new(list, json_pack(
			"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			"size", number(r->size), "calls", number(r->calls),
			"heap", number(r->heap), "brk", number(r->brk),
			"arena", number(r->arena), "mapped", number(r->mapped),
			"mapped_bytes", number(r->mapped_bytes), "kept", number(r->kept),
			"trimmed", number(r->trimmed), "unmapped", number(r->unmapped)));
	}
	return list;
}

static json_t *findings_json(const struct threshold_facts *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->findings->count; i++) {
		const struct finding *x = &f->findings->items[i];

		if (threshold_finding_is_shown(x))
			json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}",
				"kind", finding_key((enum finding_kind)x->kind),
				"severity", finding_severity_name((enum finding_severity)x->severity),
				"count", number(x->count), "bytes", number(x->bytes),
				"text", json_from_text(x->text), "remedy", json_from_text(x->remedy)));
	}
	return list;
}

static json_t *words_json(const struct threshold_facts *f)
{
	json_t *list = json_array();
	size_t count;
	char **texts = threshold_paragraphs(f, &count);

	for (size_t i = 0; i < count; i++) {
		json_array_append_new(list, json_string(texts[i]));
		free(texts[i]);
	}
	free(texts);
	return list;
}

json_t *threshold_json(struct run *run, const struct threshold_facts *f)
{
	const struct threshold_found *found = &f->found;
	const struct syscall_totals *brk = &f->heap->syscalls[SYS_MEM_brk];
	struct health *health = health_new(run);
	json_t *o = json_object();
	char *command = image_command(f->image);

	json_object_set_new(o, "program", json_from_text(command));
	json_object_set_new(o, "pid", number(f->image->pid));
	json_object_set_new(o, "exec", number(f->image->exec_number));
	json_object_set_new(o, "threshold_bytes",
			    found->has_mapped ? number(found->smallest) : json_null());
	json_object_set_new(o, "largest_grown_bytes",
			    found->has_mapped && found->has_grown ? number(found->largest) :
								    json_null());
	json_object_set_new(o, "is_glibc", json_boolean(f->is_glibc));
	json_object_set_new(o, "first", settings_json(&f->first));
	json_object_set_new(o, "last", settings_json(&f->last));
	json_object_set_new(o, "moves", moves_json(run, f));
	json_object_set_new(o, "sizes", sizes_json(f));
	json_object_set_new(o, "break", json_pack("{s:o, s:o, s:o, s:o}",
		"grow", number(brk->grow), "grow_bytes", number(brk->grow_bytes),
		"trim", number(brk->trim), "trim_bytes", number(brk->trim_bytes)));
	json_object_set_new(o, "findings", findings_json(f));
	json_object_set_new(o, "explanation", words_json(f));
	json_object_set_new(o, "losses", health_losses(run));
	health_add_json(health, run, o);
	health_free(health);
	free(command);
	return o;
}
