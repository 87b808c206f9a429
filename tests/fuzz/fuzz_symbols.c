/*
 * fuzz_symbols.c - target: the payload of a SYMBOLS segment. Whatever is read must be
 * in range, and must come out the same after it was written again.
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "symbol/symbol_codec.h"

struct seen {
	struct symbol_writer *writer;  /* NULL: only count */
	uint64_t modules, rows, frames, sum;
};

static uint64_t text_sum(uint64_t sum, const char *text)
{
	for (; text && *text; text++)
		sum = (sum ^ (uint8_t)*text) * 0x100000001b3u;
	return sum * 3 + 1;
}

static int note_module(const char *path, const uint8_t *build_id, size_t build_id_bytes,
		       uint8_t state, void *ctx)
{
	struct seen *s = ctx;

	FUZZ_CHECK(path != NULL && build_id_bytes <= 64);
	s->modules++;
	s->sum = text_sum(s->sum, path) + state;
	for (size_t i = 0; i < build_id_bytes; i++)
		s->sum = s->sum * 31 + build_id[i];
	if (s->writer)
		symbol_writer_module(s->writer, path, build_id, build_id_bytes, state);
	/* not all are wanted */
	return state != 0x7f;
}

static void note_row(uint64_t offset, const struct stored_frame *frames, uint32_t count,
		     void *ctx)
{
	struct seen *s = ctx;

	FUZZ_CHECK(count >= 1);
	s->rows++;
	s->sum = s->sum * 31 + offset;
	for (uint32_t i = 0; i < count; i++) {
		s->frames++;
		s->sum = text_sum(text_sum(s->sum, frames[i].name), frames[i].file) +
			 frames[i].line + frames[i].into;
	}
	if (s->writer)
		symbol_writer_row(s->writer, offset, frames, count);
}

int fuzz_symbols(const uint8_t *data, size_t size)
{
	static const struct symbol_reader reader = { note_module, note_row };
	struct seen first = { .writer = symbol_writer_new() }, second = { 0 };
	uint8_t *copy = malloc(size ? size : 1), *again;
	size_t bytes;

	/* of exactly this length, so that a byte too far is seen */
	FUZZ_CHECK(copy != NULL);
	if (size)
		memcpy(copy, data, size);
	symbol_payload_read(copy, size, &reader, &first);
	free(copy);
	again = symbol_writer_finish(first.writer, &bytes);
	symbol_writer_free(first.writer);
	FUZZ_CHECK(symbol_payload_read(again, bytes, &reader, &second) == 0);
	FUZZ_CHECK(first.modules == second.modules && first.rows == second.rows);
	FUZZ_CHECK(first.frames == second.frames && first.sum == second.sum);
	free(again);
	return 0;
}
