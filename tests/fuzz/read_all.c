/*
 * read_all.c - everything that can be read from a recording, as the forms do it, with
 * the promises of the headers checked on the way.
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "model/findings.h"
#include "model/replay.h"
#include "symbol/resolve.h"
#include "symbol/wrappers.h"
#include "trace/merge.h"
#include "trace/recording.h"

static void check_image(const struct recording *r, const struct image *im)
{
	const struct image *parent = recording_image(r, im->parent_image);

	FUZZ_CHECK(recording_image(r, im->number) == im);
	FUZZ_CHECK(im->parent_image == 0 || (parent && parent < im));
	FUZZ_CHECK(im->end_stamp >= im->start_stamp);
	FUZZ_CHECK(im->page_size >= 4096 && (im->page_size & (im->page_size - 1)) == 0);
	FUZZ_CHECK(im->argc >= 0 && im->argv && im->argv[im->argc] == NULL);
	FUZZ_CHECK(im->exe && im->cwd && im->libc);
	for (int i = 0; i < im->argc; i++)
		FUZZ_CHECK(im->argv[i]);
	for (size_t i = 0; i < im->thread_count; i++) {
		FUZZ_CHECK(i == 0 || im->threads[i - 1].number < im->threads[i].number);
		FUZZ_CHECK(image_thread(im, im->threads[i].number) == &im->threads[i]);
		FUZZ_CHECK(im->threads[i].name);
	}
	for (size_t i = 0; i < im->map_count; i++) {
		const struct module_map *m = &im->maps[i];

		FUZZ_CHECK(i == 0 || m[-1].from_stamp <= m->from_stamp);
		FUZZ_CHECK(m->start < m->end && m->path && m->module < r->module_count);
		FUZZ_CHECK(m->build_id_bytes <= sizeof(m->build_id));
		image_module(r, im, m->start, m->from_stamp);
		image_generation(im, m->end - 1, m->to_stamp);
	}
	for (size_t i = 0; i < im->region_count; i++) {
		const struct region *g = &im->regions[i];

		FUZZ_CHECK(i == 0 || g[-1].start <= g->start);
		FUZZ_CHECK(g->start < g->end && g->name);
	}
	for (size_t i = 0; i < im->setting_count; i++)
		FUZZ_CHECK(im->settings[i].key && im->settings[i].value);
}

static void check_segments(const struct recording *r)
{
	for (size_t i = 1; i < r->segment_count; i++) {
		const struct segment_header *a = &r->segments[i - 1].header;
		const struct segment_header *b = &r->segments[i].header;

		FUZZ_CHECK(a->image < b->image ||
			   (a->image == b->image && (a->stream < b->stream ||
			    (a->stream == b->stream && a->sequence < b->sequence))));
	}
	for (size_t i = 0; i < r->segment_count; i++)
		FUZZ_CHECK(recording_image(r, r->segments[i].header.image));
}

static void visit_meta(enum meta_kind kind, const uint8_t *payload, size_t bytes, void *ctx)
{
	uint64_t *sum = ctx;

	*sum += kind;
	for (size_t i = 0; i < bytes; i++)
		*sum += payload[i];
}

static void check_tables(struct recording *r)
{
	uint64_t sum = 0;

	FUZZ_CHECK(r->ns_per_tick > 0);
	FUZZ_CHECK(r->end_stamp >= r->start_stamp);
	FUZZ_CHECK(memchr(r->damage, 0, sizeof(r->damage)));
	for (size_t i = 0; i < r->image_count; i++) {
		FUZZ_CHECK(i == 0 || r->images[i - 1].start_stamp <= r->images[i].start_stamp);
		check_image(r, &r->images[i]);
	}
	for (size_t i = 0; i < r->mark_count; i++) {
		FUZZ_CHECK(i == 0 || r->marks[i - 1].stamp <= r->marks[i].stamp);
		FUZZ_CHECK(r->marks[i].name);
		FUZZ_CHECK(!r->marks[i].image || recording_image(r, r->marks[i].image));
	}
	for (size_t i = 0; i < r->sample_count; i++) {
		FUZZ_CHECK(i == 0 || r->samples[i - 1].stamp <= r->samples[i].stamp);
		FUZZ_CHECK(!r->samples[i].image || recording_image(r, r->samples[i].image));
	}
	for (size_t i = 0; i < r->note_count; i++)
		FUZZ_CHECK(r->notes[i].text);
	for (size_t i = 0; i < r->module_count; i++)
		FUZZ_CHECK(r->modules[i].path);
	check_segments(r);
	recording_each_meta(r, visit_meta, &sum);
	FUZZ_CHECK(recording_ns(r, r->end_stamp) >= recording_ns(r, r->start_stamp));
	recording_stamp(r, recording_ns(r, r->end_stamp));
}

static void check_event(const struct recording *r, const struct stacks *stacks,
			const struct event *e, uint64_t last_stamp)
{
	FUZZ_CHECK(e->r.stamp >= last_stamp);
	FUZZ_CHECK(recording_image(r, e->image) && e->stream < r->segment_count);
	FUZZ_CHECK(e->stack <= stacks_count(stacks));
	FUZZ_CHECK(e->r.func < FUNC_COUNT && e->r.cls < CLASS_COUNT);
	if (e->stack != STACK_NONE) {
		const struct stack_node *n = stacks_node(stacks, e->stack);

		FUZZ_CHECK(n->image == e->image && n->parent < e->stack);
		FUZZ_CHECK(n->depth >= 1 && n->depth <= DEPTH_MAX + 1);
	}
}

struct visited {
	const struct heap *heap;
	struct amount sum;      /* of what the blocks stand for */
};

static void visit_block(const struct block *b, void *ctx)
{
	struct visited *v = ctx;
	struct amount weight = replay_weight(v->heap, b);

	FUZZ_CHECK(b->size <= BLOCK_SIZE_MAX);
	v->sum.bytes += weight.bytes;
	v->sum.blocks += weight.blocks;
}

static void check_heap(struct recording *r, struct replay *rp, const struct heap *h)
{
	struct visited visited = { .heap = h }, mapped = { .heap = h };
	struct amount live[KIND_COUNT] = { { 0 } };

	for (size_t k = 0; k < h->site_count; k++) {
		live[h->sites[k].kind].blocks += h->sites[k].live.blocks;
		live[h->sites[k].kind].bytes += h->sites[k].live.bytes;
	}
	FUZZ_CHECK(live[KIND_HEAP].blocks == h->live.blocks);
	FUZZ_CHECK(live[KIND_HEAP].bytes == h->live.bytes);
	FUZZ_CHECK(live[KIND_MAPPING].blocks == h->mapped_live.blocks);
	FUZZ_CHECK(live[KIND_MAPPING].bytes == h->mapped_live.bytes);
	FUZZ_CHECK(h->inherited_blocks + h->total.blocks - h->freed.blocks == h->live.blocks);
	replay_each_live(rp, h, visit_block, &visited);
	/* of a child only nearly: an acquire of the parent may have waited at the fork */
	FUZZ_CHECK(h->image->how == PROCESS_FORKED ||
		   (visited.sum.blocks == h->live.blocks && visited.sum.bytes == h->live.bytes));
	replay_each_mapping(rp, h, visit_block, &mapped);
	findings_free(findings_new(r, h, NULL, NULL));
}

static void check_replay(struct recording *r, struct stacks *stacks)
{
	struct replay *rp = replay_new(r, stacks, REPLAY_SIZES | REPLAY_BLOCKS);
	struct merge *m = merge_open(r, stacks, NULL);
	const struct event *e;
	uint64_t last_stamp = 0;

	while ((e = merge_next(m)) != NULL) {
		check_event(r, stacks, e, last_stamp);
		last_stamp = e->r.stamp;
		replay_step(rp, e);
	}
	merge_close(m);
	replay_finish(rp);
	for (size_t i = 0; i < replay_heap_count(rp); i++)
		check_heap(r, rp, replay_heap(rp, i));
	FUZZ_CHECK(replay_heap_count(rp) == 0 || replay_default_heap(rp));
	replay_free(rp);
}

/* A part, in time and of one image: nothing of the rest may come. */
static void check_part(struct recording *r, struct stacks *stacks)
{
	struct merge_select select = {
		.image = r->image_count ? r->images[0].number : 0,
		.until_stamp = r->start_stamp + (r->end_stamp - r->start_stamp) / 2,
	};
	struct merge *m = merge_open(r, stacks, &select);
	const struct event *e;

	while ((e = merge_next(m)) != NULL) {
		FUZZ_CHECK(!select.image || e->image == select.image);
		FUZZ_CHECK(!select.until_stamp || e->r.stamp <= select.until_stamp);
	}
	merge_close(m);
}

static void check_symbols(struct recording *r, struct stacks *stacks)
{
	const struct resolver_options options = { .stored_only = true };
	struct resolver *rs = resolver_new(r, stacks, &options);
	struct wrappers *w = wrappers_new(NULL);

	for (stack_id id = 1; id <= stacks_count(stacks); id++) {
		const struct symbol *s = resolver_frame(rs, id);

		FUZZ_CHECK(s && s->count >= 1);
		for (uint32_t i = 0; i < s->count; i++)
			FUZZ_CHECK(s->frames[i].line >= 0);
		FUZZ_CHECK(wrappers_site(w, rs, stacks, id, id & 1).frame);
	}
	FUZZ_CHECK(resolver_missing(rs));
	wrappers_free(w);
	resolver_free(rs);
}

void fuzz_read_all(const char *const paths[], size_t count)
{
	struct diag d = { 0 };
	struct recording *r = recording_open_many(paths, count, &d);
	struct stacks *stacks;

	if (!r) {
		FUZZ_CHECK(d.text[0]);
		return;
	}
	check_tables(r);
	stacks = stacks_new();
	check_part(r, stacks);
	check_replay(r, stacks);
	check_symbols(r, stacks);
	stacks_free(stacks);
	recording_close(r);
}
