/*
 * flame_speedscope.c - see flame_speedscope.h. Written as it is made, stack by stack: a
 * program can have millions of them. The frames come last, when all are known.
 */
#include "forms/flame_speedscope.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/emit.h"
#include "base/xmem.h"
#include "version.h"

struct flame_speedscope {
	FILE *out;
	struct flame_names *names;
	size_t count;
};

static void put_text(FILE *out, const char *text)
{
	json_t *v = json_from_text(text);

	json_dumpf(v, out, JSON_COMPACT | JSON_ENCODE_ANY);
	json_decref(v);
}

struct flame_speedscope *flame_speedscope_new(FILE *out, struct flame_names *names)
{
	struct flame_speedscope *s = xcalloc(1, sizeof(*s));

	s->out = out;
	s->names = names;
	fputs("{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n\"profiles\":[", out);
	return s;
}

static void put_samples(struct flame_speedscope *s, const struct call_tree *tree,
			enum metric metric, uint32_t depth)
{
	uint32_t *path = NULL;
	size_t capacity = 0;
	bool is_first = true;

	for (uint32_t node = 0; (node = call_tree_next(tree, node, 0, depth)) != 0; ) {
		size_t frames = 0;

		if (metric_of(call_tree_own(tree, node, depth), metric) == 0)
			continue;
		for (uint32_t n = node; n != 0; n = call_tree_node(tree, n)->parent) {
			xgrow(&path, &capacity, frames, sizeof(*path));
			path[frames++] = flame_names_number(s->names, tree, n);
		}
		fputs(is_first ? "\n[" : ",\n[", s->out);
		is_first = false;
		while (frames-- > 0)
			fprintf(s->out, "%" PRIu32 "%s", path[frames], frames ? "," : "]");
	}
	free(path);
}

static void put_weights(struct flame_speedscope *s, const struct call_tree *tree,
			enum metric metric, uint32_t depth)
{
	const char *separator = "";

	for (uint32_t node = 0; (node = call_tree_next(tree, node, 0, depth)) != 0; ) {
		uint64_t value = metric_of(call_tree_own(tree, node, depth), metric);

		if (value == 0)
			continue;
		fprintf(s->out, "%s%" PRIu64, separator, value);
		separator = ",";
	}
}

void flame_speedscope_add(struct flame_speedscope *s, const char *name,
			  const struct call_tree *tree, enum metric metric, uint32_t depth)
{
	fprintf(s->out, "%s\n{\"type\":\"sampled\",\"name\":", s->count++ ? "," : "");
	put_text(s->out, name);
	fprintf(s->out, ",\"unit\":\"%s\",\"startValue\":0,\"endValue\":%" PRIu64 ",\n\"samples\":[",
		metric_is_blocks(metric) ? "none" : "bytes",
		metric_of(call_tree_total(tree), metric));
	put_samples(s, tree, metric, depth);
	fputs("],\n\"weights\":[", s->out);
	put_weights(s, tree, metric, depth);
	fputs("]}", s->out);
}

size_t flame_speedscope_count(const struct flame_speedscope *s)
{
	return s->count;
}

void flame_speedscope_end(struct flame_speedscope *s, const char *name, size_t active)
{
	size_t count = flame_names_count(s->names);

	fputs("],\n\"shared\":{\"frames\":[", s->out);
	for (uint32_t i = 0; i < count; i++) {
		const struct symbol_frame *f = flame_names_frame(s->names, i);
		const char *file = !f ? NULL : f->file ? f->file : f->module;

		fprintf(s->out, "%s\n{\"name\":", i ? "," : "");
		put_text(s->out, flame_names_text(s->names, i));
		if (file) {
			fputs(",\"file\":", s->out);
			put_text(s->out, file);
		}
		fputs("}", s->out);
	}
	fputs("]},\n\"name\":", s->out);
	put_text(s->out, name);
	fprintf(s->out, ",\n\"activeProfileIndex\":%zu,\n\"exporter\":\"allotrope %s\"}\n", active,
		ALLOTROPE_VERSION);
	free(s);
}
