/*
 * symbol_codec.c - writes and reads the SYMBOLS payload: a table of strings, then
 * modules with their rows. Relies on include/varint.h for bounded numbers;
 * the reader promises to touch nothing beyond BYTES, and to ask for no more
 * memory than a small multiple of it.
 */
#include "symbol/symbol_codec.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/xmem.h"
#include "symbol/name_pool.h"
#include "varint.h"

#define STRING_BYTES_MAX (1u << 20)
#define BUILD_ID_BYTES_MAX 64
#define STORED_FRAMES_MAX 1024
#define MODULES_MAX (1u << 16)

struct bytes {
	uint8_t *p;
	size_t count, capacity;
};

static void bytes_add(struct bytes *b, const void *data, size_t count)
{
	if (!count)
		return;
	xgrow(&b->p, &b->capacity, b->count + count, 1);
	memcpy(b->p + b->count, data, count);
	b->count += count;
}

static void bytes_varint(struct bytes *b, uint64_t v)
{
	uint8_t text[VARINT_MAX];

	bytes_add(b, text, (size_t)(varint_put(text, v) - text));
}

static void bytes_string(struct bytes *b, const void *data, size_t count)
{
	bytes_varint(b, count);
	bytes_add(b, data, count);
}

/* ---- writing ---- */

struct string_number {
	const char *text;       /* from the pool: the key is the pointer */
	uint64_t number;
	UT_hash_handle hh;
};

struct symbol_writer {
	struct name_pool *pool;
	struct string_number *numbers;
	uint64_t string_count;
	struct bytes strings;
	struct bytes modules;   /* finished ones, each with its rows */
	uint64_t module_count;
	struct bytes rows;      /* of the module under way */
	uint64_t row_count;
	uint64_t last_offset;
};

struct symbol_writer *symbol_writer_new(void)
{
	struct symbol_writer *w = xcalloc(1, sizeof(*w));

	w->pool = name_pool_new();
	return w;
}

void symbol_writer_free(struct symbol_writer *w)
{
	struct string_number *n, *next;

	if (!w)
		return;
	HASH_ITER(hh, w->numbers, n, next) {
		HASH_DEL(w->numbers, n);
		free(n);
	}
	name_pool_free(w->pool);
	free(w->strings.p);
	free(w->modules.p);
	free(w->rows.p);
	free(w);
}

/* The number of TEXT in the table of strings; 0: none. */
static uint64_t string_number(struct symbol_writer *w, const char *text)
{
	struct string_number *n;

	if (!text || !*text)
		return 0;
	text = name_pool_add(w->pool, text, STRING_BYTES_MAX);
	HASH_FIND_PTR(w->numbers, &text, n);
	if (n)
		return n->number;
	n = xcalloc(1, sizeof(*n));
	n->text = text;
	n->number = ++w->string_count;
	HASH_ADD_PTR(w->numbers, text, n);
	bytes_string(&w->strings, text, strlen(text));
	return n->number;
}

static void module_finish(struct symbol_writer *w)
{
	if (w->module_count) {
		bytes_varint(&w->modules, w->row_count);
		bytes_add(&w->modules, w->rows.p, w->rows.count);
	}
	w->rows.count = 0;
	w->row_count = 0;
	w->last_offset = 0;
}

void symbol_writer_module(struct symbol_writer *w, const char *path,
			  const uint8_t *build_id, size_t build_id_bytes,
			  uint8_t state)
{
	module_finish(w);
	w->module_count++;
	bytes_varint(&w->modules, string_number(w, path));
	bytes_string(&w->modules, build_id, build_id_bytes);
	bytes_add(&w->modules, &state, 1);
}

void symbol_writer_row(struct symbol_writer *w, uint64_t offset,
		       const struct stored_frame *frames, uint32_t count)
{
	if (count > STORED_FRAMES_MAX)
		count = STORED_FRAMES_MAX;
	bytes_varint(&w->rows, offset - w->last_offset);
	bytes_varint(&w->rows, count);
	for (uint32_t i = 0; i < count; i++) {
		bytes_varint(&w->rows, string_number(w, frames[i].name));
		bytes_varint(&w->rows, string_number(w, frames[i].file));
		bytes_varint(&w->rows, frames[i].line);
	}
	bytes_varint(&w->rows, frames[count - 1].into);
	w->last_offset = offset;
	w->row_count++;
}

uint8_t *symbol_writer_finish(struct symbol_writer *w, size_t *bytes)
{
	struct bytes all = { 0 };
	uint8_t version = SYMBOLS_VERSION;

	module_finish(w);
	bytes_add(&all, &version, 1);
	bytes_varint(&all, w->string_count);
	bytes_add(&all, w->strings.p, w->strings.count);
	bytes_varint(&all, w->module_count);
	bytes_add(&all, w->modules.p, w->modules.count);
	*bytes = all.count;
	return all.p;
}

/* ---- reading ---- */

struct payload {
	const uint8_t *p, *end;  /* p is NULL once it is damaged */
	uint8_t version;
	const char **strings;    /* 1 .. string_count; [0] is NULL */
	uint64_t string_count;
	struct name_pool *pool;
};

static uint64_t payload_number(struct payload *in)
{
	uint64_t v = 0;

	if (in->p)
		in->p = varint_get(in->p, in->end, &v);
	return in->p ? v : 0;
}

/* A number that is at most MAX, else the payload is damaged. */
static uint64_t payload_limited(struct payload *in, uint64_t max)
{
	uint64_t v = payload_number(in);

	if (v > max) {
		in->p = NULL;
		return 0;
	}
	return v;
}

static size_t payload_left(const struct payload *in)
{
	return in->p ? (size_t)(in->end - in->p) : 0;
}

static const uint8_t *payload_bytes(struct payload *in, size_t count)
{
	const uint8_t *at = in->p;

	if (payload_left(in) < count) {
		in->p = NULL;
		return NULL;
	}
	if (at)
		in->p += count;
	return at;
}

static const char *payload_string(struct payload *in)
{
	return in->strings[payload_limited(in, in->string_count)];
}

static void strings_read(struct payload *in)
{
	/* each string takes a byte at least */
	in->string_count = payload_limited(in, payload_left(in));
	in->strings = xcalloc((size_t)in->string_count + 1, sizeof(*in->strings));
	for (uint64_t i = 1; in->p && i <= in->string_count; i++) {
		size_t bytes = (size_t)payload_limited(in, STRING_BYTES_MAX);
		const uint8_t *text = payload_bytes(in, bytes);

		if (text)
			in->strings[i] = name_pool_add(in->pool,
						       (const char *)text, bytes);
	}
}

static void rows_read(struct payload *in, const struct symbol_reader *reader,
		      int wanted, void *ctx)
{
	struct stored_frame frames[STORED_FRAMES_MAX];
	uint64_t rows = payload_limited(in, payload_left(in));
	uint64_t offset = 0;

	for (uint64_t i = 0; in->p && i < rows; i++) {
		uint64_t count;

		offset += payload_number(in);
		count = payload_limited(in, STORED_FRAMES_MAX);
		if (count == 0)
			in->p = NULL;
		for (uint64_t k = 0; in->p && k < count; k++) {
			frames[k].name = payload_string(in);
			frames[k].file = payload_string(in);
			frames[k].line = (uint32_t)payload_limited(in, INT_MAX);
			frames[k].into = 0;
		}
		if (in->p && in->version > 1)
			frames[count - 1].into = payload_number(in);
		if (in->p && wanted)
			reader->row(offset, frames, (uint32_t)count, ctx);
	}
}

int symbol_payload_read(const uint8_t *payload, size_t bytes,
			const struct symbol_reader *reader, void *ctx)
{
	struct payload in = { .p = payload, .end = payload + bytes };
	uint64_t modules;

	if (bytes < 1 || payload[0] < 1 || payload[0] > SYMBOLS_VERSION)
		return -1;
	in.version = *in.p++;
	in.pool = name_pool_new();
	strings_read(&in);
	modules = payload_limited(&in, MODULES_MAX);
	for (uint64_t i = 0; in.p && i < modules; i++) {
		const char *path = payload_string(&in);
		size_t id_bytes = (size_t)payload_limited(&in, BUILD_ID_BYTES_MAX);
		const uint8_t *id = payload_bytes(&in, id_bytes);
		const uint8_t *state = payload_bytes(&in, 1);
		int wanted = 0;

		if (in.p)
			wanted = reader->module(path ? path : "", id, id_bytes,
						*state, ctx);
		rows_read(&in, reader, wanted, ctx);
	}
	free(in.strings);
	name_pool_free(in.pool);
	return in.p ? 0 : -1;
}
