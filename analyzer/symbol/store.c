/*
 * store.c - looks up every distinct place of the call stacks, module by module
 * and in order of offset (which is what makes look-ups cheap), and writes the
 * result. Relies on the resolver; a module's files are closed as soon as its
 * rows are written, so that memory does not grow with the number of modules.
 */
#include "symbol/store.h"

#include <stdlib.h>

#include "base/xmem.h"
#include "symbol/resolve_rows.h"
#include "symbol/symbol_codec.h"

#define PROGRESS_STEP 64

static int place_compare(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;

	if (a->module != b->module)
		return a->module < b->module ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

/* The distinct places in modules, sorted; malloc'ed. */
static struct place *places_of(struct resolver *rs, struct stacks *stacks,
			       size_t *count)
{
	struct place *places = NULL, place;
	size_t capacity = 0, all = 0, kept = 0;

	for (stack_id id = 1; id <= stacks_count(stacks); id++) {
		if (!resolver_place(rs, id, &place) || place.module == NO_MODULE)
			continue;
		xgrow(&places, &capacity, all, sizeof(*places));
		places[all++] = place;
	}
	if (all)
		qsort(places, all, sizeof(*places), place_compare);
	for (size_t i = 0; i < all; i++)
		if (kept == 0 || place_compare(&places[kept - 1], &places[i]) != 0)
			places[kept++] = places[i];
	*count = kept;
	return places;
}

int symbols_store(struct resolver *rs, struct stacks *stacks,
		  uint8_t **payload, size_t *bytes,
		  int (*progress)(size_t done, size_t total, void *ctx), void *ctx)
{
	const struct recording *r = resolver_recording(rs);
	struct symbol_writer *w = symbol_writer_new();
	uint32_t open = NO_MODULE;
	size_t total;
	struct place *places = places_of(rs, stacks, &total);

	for (size_t i = 0; i < total; i++) {
		const struct module *m = &r->modules[places[i].module];
		const struct stored_frame *frames;
		uint32_t count;

		if (progress && i % PROGRESS_STEP == 0 && progress(i, total, ctx))
			break;
		if (places[i].module != open) {
			if (open != NO_MODULE)
				resolver_module_close(rs, open);
			open = places[i].module;
			symbol_writer_module(w, m->path, m->build_id,
					     m->build_id_bytes,
					     resolver_module_state(rs, open));
		}
		frames = resolver_lookup(rs, places[i], &count);
		symbol_writer_row(w, places[i].offset, frames, count);
	}
	if (open != NO_MODULE)
		resolver_module_close(rs, open);
	*payload = symbol_writer_finish(w, bytes);
	symbol_writer_free(w);
	free(places);
	return 0;
}
