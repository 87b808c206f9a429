/*
 * resolve.c - what code a frame of a call stack is. Every place (module, offset)
 * is looked up once: in the rows that `record` stored, then in the files of this
 * machine where those know more (someone may have installed debug symbols since).
 * Relies on recording.h for which module was mapped where and when.
 */
#include "symbol/resolve.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/xmem.h"
#include "symbol/demangle_name.h"
#include "symbol/missing.h"
#include "symbol/module_symbols.h"
#include "symbol/name_pool.h"
#include "symbol/resolve_rows.h"
#include "symbol/runtime_code.h"
#include "symbol/short_name.h"

/* A place and what is known of it. */
struct row {
	struct place key;
	bool is_final;               /* the files of this machine were asked, if need be */
	struct stored_frame *frames;
	uint32_t count;
	struct symbol shown;         /* frames is NULL until it is asked for */
	UT_hash_handle hh;
};

struct demangled {
	const char *name;            /* from the pool: the key is the pointer */
	const char *readable;
	const char *full;            /* NULL: readable is not shortened */
	UT_hash_handle hh;
};

struct module_slot {
	struct module_symbols symbols;
	bool is_open;
	uint8_t found;               /* enum module_state by the files of this machine */
	uint8_t stored;              /* by the stored rows; MODULE_UNKNOWN: there are none */
	struct missing_count missing;
};

struct resolver {
	struct recording *recording;
	struct stacks *stacks;
	struct resolver_options options;
	struct name_pool *pool;
	struct row *rows;
	struct demangled *demangled;
	struct module_slot *slots;   /* as recording.modules */
	struct runtime_code *runtime;
	uint64_t loose_frames;       /* distinct ones of no module and without a name */
	const struct symbol **nodes; /* by stack_id; NULL: not asked for yet */
	size_t node_capacity;
	struct symbol_frame special_frames[SPECIAL_COUNT + 1];
	struct symbol special[SPECIAL_COUNT + 1]; /* the last: a frame of unknown type */
	char *missing;
};

static const char *const special_text[SPECIAL_COUNT + 1] = {
	[SPECIAL_TRUNCATED] = "[truncated: depth limit]",
	[SPECIAL_NO_RULE] = "[truncated: code without unwind information]",
	[SPECIAL_HARD_RULE] = "[truncated: unwind rule not followed]",
	[SPECIAL_BAD_STACK] = "[truncated: left the known stack]",
	[SPECIAL_NO_STACK] = "[no call stack]",
	[SPECIAL_COUNT] = "[unknown kind of frame]",
};

/* ---- stored rows ---- */

/* More distinct code addresses than any program has: a bound for hostile files. */
#define STORED_ROWS_MAX (1u << 22)

struct load {
	struct resolver *rs;
	uint32_t module, image;      /* of the rows that follow, as in struct place */
	uint32_t rows;
};

static int is_module(const struct module *m, const char *path,
		     const uint8_t *build_id, size_t bytes)
{
	return m->build_id_bytes == bytes && strcmp(m->path, path) == 0 &&
	       (bytes == 0 || memcmp(m->build_id, build_id, bytes) == 0);
}

static int load_module(const char *path, const uint8_t *build_id, size_t bytes,
		       uint8_t state, void *ctx)
{
	struct load *l = ctx;
	struct recording *r = l->rs->recording;

	l->image = 0;
	if (strcmp(path, RUNTIME_CODE_PATH) == 0 && bytes == RUNTIME_CODE_ID_BYTES) {
		l->module = NO_MODULE;
		for (size_t i = 0; i < bytes; i++)
			l->image |= (uint32_t)build_id[i] << 8 * i;
		return 1;
	}
	for (size_t i = 0; i < r->module_count; i++) {
		if (!is_module(&r->modules[i], path, build_id, bytes))
			continue;
		l->module = (uint32_t)i;
		l->rs->slots[i].stored = state < MODULE_STATE_COUNT ?
					 state : MODULE_UNKNOWN;
		return 1;
	}
	return 0;
}

static struct row *row_find(struct resolver *rs, struct place place)
{
	struct row *row;

	HASH_FIND(hh, rs->rows, &place, sizeof(place), row);
	return row;
}

static struct row *row_add(struct resolver *rs, struct place place)
{
	struct row *row = xcalloc(1, sizeof(*row));

	row->key = place;
	HASH_ADD(hh, rs->rows, key, sizeof(row->key), row);
	return row;
}

/* Make FRAMES (strings of any owner) what is known of ROW. */
static void row_set(struct resolver *rs, struct row *row,
		    const struct stored_frame *frames, uint32_t count)
{
	free(row->frames);
	row->frames = xcalloc(count, sizeof(*row->frames));
	row->count = count;
	for (uint32_t i = 0; i < count; i++) {
		row->frames[i].name = name_pool_string(rs->pool, frames[i].name);
		row->frames[i].file = name_pool_string(rs->pool, frames[i].file);
		row->frames[i].line = frames[i].line;
		row->frames[i].into = frames[i].into;
	}
}

static void load_row(uint64_t offset, const struct stored_frame *frames,
		     uint32_t count, void *ctx)
{
	struct load *l = ctx;
	struct place place = { .offset = offset, .module = l->module, .image = l->image };
	struct row *row = row_find(l->rs, place);

	if (!row && l->rows++ < STORED_ROWS_MAX)
		row = row_add(l->rs, place);
	if (row)
		row_set(l->rs, row, frames, count);
}

static void stored_load(struct resolver *rs)
{
	static const struct symbol_reader reader = { load_module, load_row };
	struct recording *r = rs->recording;
	struct load load = { .rs = rs };
	uint8_t *buffer = NULL;
	size_t capacity = 0;

	for (size_t i = 0; i < r->symbol_count; i++) {
		int64_t bytes = recording_read(r, &r->symbols[i], &buffer,
					       &capacity);

		/* a damaged payload costs its own rows: files may know them */
		if (bytes > 0)
			symbol_payload_read(buffer, (size_t)bytes, &reader, &load);
	}
	free(buffer);
}

/* ---- life ---- */

struct resolver *resolver_new(struct recording *r, struct stacks *stacks,
			      const struct resolver_options *options)
{
	struct resolver *rs = xcalloc(1, sizeof(*rs));

	rs->recording = r;
	rs->stacks = stacks;
	if (options)
		rs->options = *options;
	rs->pool = name_pool_new();
	rs->slots = xcalloc(r->module_count ? r->module_count : 1,
			    sizeof(*rs->slots));
	for (size_t i = 0; i <= SPECIAL_COUNT; i++) {
		const char *text = special_text[i];

		rs->special_frames[i].function = text ? text :
						 special_text[SPECIAL_COUNT];
		rs->special[i] = (struct symbol){ &rs->special_frames[i], 1 };
	}
	rs->runtime = runtime_code_new(r, rs->options.perf_map_folder);
	stored_load(rs);
	return rs;
}

void resolver_free(struct resolver *rs)
{
	struct row *row, *next_row;
	struct demangled *d, *next_d;

	if (!rs)
		return;
	HASH_ITER(hh, rs->rows, row, next_row) {
		HASH_DEL(rs->rows, row);
		free(row->frames);
		free((void *)row->shown.frames);
		free(row);
	}
	HASH_ITER(hh, rs->demangled, d, next_d) {
		HASH_DEL(rs->demangled, d);
		free(d);
	}
	for (size_t i = 0; i < rs->recording->module_count; i++)
		resolver_module_close(rs, (uint32_t)i);
	free(rs->slots);
	free(rs->nodes);
	free(rs->missing);
	runtime_code_free(rs->runtime);
	name_pool_free(rs->pool);
	free(rs);
}

const struct recording *resolver_recording(const struct resolver *rs)
{
	return rs->recording;
}

/* ---- look-up ---- */

void resolver_module_close(struct resolver *rs, uint32_t module)
{
	struct module_slot *slot = &rs->slots[module];

	if (slot->is_open)
		module_symbols_close(&slot->symbols);
	slot->is_open = false;
}

static void slot_open(struct resolver *rs, uint32_t module)
{
	const struct module *m = &rs->recording->modules[module];
	struct module_slot *slot = &rs->slots[module];

	if (slot->is_open || rs->options.stored_only)
		return;
	module_symbols_open(&slot->symbols, m->path, m->build_id,
			    m->build_id_bytes, NULL, rs->options.servers);
	slot->is_open = true;
	slot->found = (uint8_t)slot->symbols.file.state;
}

/* The more a state knows, the larger. */
static int state_rank(uint8_t state)
{
	switch (state) {
	case MODULE_COMPLETE: return 3;
	case MODULE_NO_LINES: return 2;
	case MODULE_STRIPPED: return 1;
	default: return 0;
	}
}

uint8_t resolver_module_state(struct resolver *rs, uint32_t module)
{
	struct module_slot *slot = &rs->slots[module];

	if (slot->stored == MODULE_COMPLETE)
		return slot->stored;
	if (slot->found == MODULE_UNKNOWN)
		slot_open(rs, module);
	if (slot->stored == MODULE_UNKNOWN ||
	    state_rank(slot->found) > state_rank(slot->stored))
		return slot->found;
	return slot->stored;
}

/* Do the files of this machine know more of MODULE than the stored rows? */
static bool files_know_more(struct resolver *rs, uint32_t module)
{
	struct module_slot *slot = &rs->slots[module];

	if (slot->stored == MODULE_COMPLETE)
		return false;
	resolver_module_state(rs, module);
	return state_rank(slot->found) > state_rank(slot->stored);
}

static bool has_name(const struct row *row)
{
	return row->frames[row->count - 1].name != NULL;
}

static bool has_line(const struct row *row)
{
	return row->frames[0].file && row->frames[0].line;
}

static void row_lookup(struct resolver *rs, struct row *row)
{
	struct stored_frame frames[SOURCE_FRAMES_MAX];
	struct module_slot *slot = &rs->slots[row->key.module];
	uint32_t count;

	slot_open(rs, row->key.module);
	if (!slot->is_open)
		return;
	count = module_symbols_find(&slot->symbols, row->key.offset, rs->pool,
				    frames);
	if (!row->frames || frames[count - 1].name || frames[0].file)
		row_set(rs, row, frames, count);
}

static void row_finish(struct resolver *rs, struct row *row)
{
	static const struct stored_frame unknown;
	uint32_t module = row->key.module;
	struct stored_frame frame;

	row->is_final = true;
	if (module == NO_MODULE && !row->frames && !rs->options.stored_only &&
	    runtime_code_find(rs->runtime, row->key.image, row->key.offset, rs->pool, &frame))
		row_set(rs, row, &frame, 1);
	if (module != NO_MODULE && (!row->frames ||
	    (!(has_name(row) && has_line(row)) && files_know_more(rs, module))))
		row_lookup(rs, row);
	if (!row->frames)
		row_set(rs, row, &unknown, 1);
	if (module == NO_MODULE) {
		rs->loose_frames += !has_name(row);
		return;
	}
	rs->slots[module].missing.frames++;
	rs->slots[module].missing.without_name += !has_name(row);
	rs->slots[module].missing.without_line += !has_line(row);
}

static struct row *row_of(struct resolver *rs, struct place place)
{
	struct row *row = row_find(rs, place);

	if (!row)
		row = row_add(rs, place);
	if (!row->is_final)
		row_finish(rs, row);
	return row;
}

const struct stored_frame *resolver_lookup(struct resolver *rs, struct place place,
					   uint32_t *count)
{
	struct row *row = row_of(rs, place);

	*count = row->count;
	return row->frames;
}

/* ---- presentation ---- */

/* NAME in words; lives as long as RS. */
static const struct demangled *readable_name(struct resolver *rs, const char *name)
{
	struct demangled *d;
	char *text;

	HASH_FIND_PTR(rs->demangled, &name, d);
	if (d)
		return d;
	d = xcalloc(1, sizeof(*d));
	d->name = name;
	text = rs->options.no_demangle ? NULL : demangle_name(name);
	d->readable = text ? name_pool_string(rs->pool, text) : name;
	free(text);
	if (rs->options.short_names) {
		text = short_name(d->readable);
		d->full = d->readable;
		d->readable = name_pool_string(rs->pool, text);
		free(text);
	}
	HASH_ADD_PTR(rs->demangled, name, d);
	return d;
}

static struct symbol_frame frame_show(struct resolver *rs, const struct row *row, uint32_t i)
{
	const struct stored_frame *stored = &row->frames[i];
	struct symbol_frame frame = {
		.file = stored->file,
		.line = (int)stored->line,
		.module = row->key.module == NO_MODULE ? NULL :
			  rs->recording->modules[row->key.module].path,
		.offset = row->key.offset,
		.into = stored->into,
		.is_inlined = i + 1 < row->count,
	};

	if (stored->name) {
		const struct demangled *d = readable_name(rs, stored->name);

		frame.function = d->readable;
		frame.full_name = d->full;
	}
	return frame;
}

static const struct symbol *row_show(struct resolver *rs, struct row *row)
{
	struct symbol_frame *frames;

	if (row->shown.frames)
		return &row->shown;
	frames = xcalloc(row->count, sizeof(*frames));
	for (uint32_t i = 0; i < row->count; i++)
		frames[i] = frame_show(rs, row, i);
	row->shown = (struct symbol){ frames, row->count };
	return &row->shown;
}

int resolver_place(struct resolver *rs, stack_id stack, struct place *place)
{
	const struct recording *r = rs->recording;
	const struct stack_node *node = stacks_node(rs->stacks, stack);
	const struct module_map *map;
	const struct image *image;

	if (node->type != FRAME_NATIVE)
		return 0;
	image = recording_image(r, node->image);
	map = image ? image_module(r, image, node->value, node->stamp) : NULL;
	if (map && map->module < r->module_count)
		*place = (struct place){ .offset = node->value - map->bias,
					 .module = map->module };
	else
		*place = (struct place){ .offset = node->value,
					 .module = NO_MODULE, .image = node->image };
	return 1;
}

static const struct symbol *node_symbol(struct resolver *rs, stack_id stack)
{
	const struct stack_node *node = stacks_node(rs->stacks, stack);
	struct place place;

	if (node->type == FRAME_SPECIAL && node->value < SPECIAL_COUNT)
		return &rs->special[node->value];
	if (!resolver_place(rs, stack, &place))
		return &rs->special[SPECIAL_COUNT];
	return row_show(rs, row_of(rs, place));
}

const struct symbol *resolver_frame(struct resolver *rs, stack_id stack)
{
	uint32_t count = stacks_count(rs->stacks);

	if (stack == STACK_NONE || stack > count)
		return &rs->special[SPECIAL_NO_STACK];
	if (stack >= rs->node_capacity) {
		size_t old = rs->node_capacity;

		rs->node_capacity = (size_t)count + 1 + count / 2;
		rs->nodes = xreallocarray(rs->nodes, rs->node_capacity,
					  sizeof(*rs->nodes));
		memset(rs->nodes + old, 0,
		       (rs->node_capacity - old) * sizeof(*rs->nodes));
	}
	if (!rs->nodes[stack])
		rs->nodes[stack] = node_symbol(rs, stack);
	return rs->nodes[stack];
}

/* Servers that did not answer. */
static void add_failure(struct resolver *rs)
{
	const char *failure = rs->options.servers ? debuginfod_failure(rs->options.servers) : NULL;
	char *longer;

	if (!failure)
		return;
	longer = xasprintf("%sdebuginfod: cannot fetch debug information: %s\n", rs->missing, failure);
	free(rs->missing);
	rs->missing = longer;
}

const char *resolver_missing(struct resolver *rs)
{
	struct recording *r = rs->recording;
	struct missing_module *list = xcalloc(r->module_count + 1, sizeof(*list));
	size_t count = 0;

	for (size_t i = 0; i < r->module_count; i++) {
		struct missing_count *m = &rs->slots[i].missing;

		if (m->frames && (m->without_name || m->without_line))
			list[count++] = (struct missing_module){
				.path = r->modules[i].path,
				.state = resolver_module_state(rs, (uint32_t)i),
				.count = *m,
			};
	}
	free(rs->missing);
	rs->missing = missing_text(list, count, rs->loose_frames,
				   runtime_code_ignored(rs->runtime));
	free(list);
	add_failure(rs);
	return rs->missing;
}
