/*
 * store.c - looks up every distinct place of the call stacks, module by module
 * and in order of offset (which is what makes look-ups cheap), and writes the
 * result. Relies on the resolver; a module's files are closed as soon as its
 * rows are written, so that memory does not grow with the number of modules.
 */
#include "symbol/store.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/xmem.h"
#include "symbol/module_file.h"
#include "symbol/resolve_rows.h"
#include "symbol/symbol_codec.h"

#define PROGRESS_STEP 64

static int place_compare(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;

	if (a->module != b->module)
		return a->module < b->module ? -1 : 1;
	if (a->image != b->image)
		return a->image < b->image ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

/* The distinct places, by module, sorted; malloc'ed. */
static struct place *places_of(struct resolver *rs, struct stacks *stacks,
			       size_t *count)
{
	struct place *places = NULL, place;
	size_t capacity = 0, all = 0, kept = 0;

	for (stack_id id = 1; id <= stacks_count(stacks); id++) {
		if (!resolver_place(rs, id, &place))
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

/* The rows of a module, or of an image's code made at run time. */
struct writing {
	struct resolver *rs;
	struct symbol_writer *w;
	uint32_t module, image;      /* of the rows under way */
	bool is_begun;               /* some row was written */
	bool is_open;                /* its files are */
};

static void end_module(struct writing *g)
{
	if (g->is_open)
		resolver_module_close(g->rs, g->module);
	g->is_open = false;
}

static void begin_module(struct writing *g, const struct place *place)
{
	const struct recording *r = resolver_recording(g->rs);
	uint8_t image[RUNTIME_CODE_ID_BYTES];

	end_module(g);
	g->is_begun = true;
	g->module = place->module;
	g->image = place->image;
	if (g->module == NO_MODULE) {
		for (size_t i = 0; i < sizeof(image); i++)
			image[i] = (uint8_t)(g->image >> 8 * i);
		symbol_writer_module(g->w, RUNTIME_CODE_PATH, image, sizeof(image), MODULE_UNKNOWN);
		return;
	}
	g->is_open = true;
	symbol_writer_module(g->w, r->modules[g->module].path, r->modules[g->module].build_id,
			     r->modules[g->module].build_id_bytes,
			     resolver_module_state(g->rs, g->module));
}

static void write_place(struct writing *g, const struct place *place)
{
	const struct stored_frame *frames;
	uint32_t count;

	if (place->module != NO_MODULE && (!g->is_begun || g->module != place->module))
		begin_module(g, place);
	frames = resolver_lookup(g->rs, *place, &count);
	if (place->module == NO_MODULE) {
		/* an address without a name says nothing */
		if (!frames[0].name)
			return;
		if (!g->is_begun || g->module != NO_MODULE || g->image != place->image)
			begin_module(g, place);
	}
	symbol_writer_row(g->w, place->offset, frames, count);
}

int symbols_store(struct resolver *rs, struct stacks *stacks,
		  uint8_t **payload, size_t *bytes,
		  int (*progress)(size_t done, size_t total, void *ctx), void *ctx)
{
	struct writing g = { .rs = rs, .w = symbol_writer_new() };
	size_t total;
	struct place *places = places_of(rs, stacks, &total);

	for (size_t i = 0; i < total; i++) {
		if (progress && i % PROGRESS_STEP == 0 && progress(i, total, ctx))
			break;
		write_place(&g, &places[i]);
	}
	end_module(&g);
	*payload = symbol_writer_finish(g.w, bytes);
	symbol_writer_free(g.w);
	free(places);
	return 0;
}
