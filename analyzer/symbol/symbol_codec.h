/*
 * symbol_codec.h - the payload of a SYMBOLS segment to bytes and back. The
 * layout is in docs/format.md (SYMBOLS). Names are stored mangled: the
 * reader demangles.
 */
#ifndef SYMBOL_SYMBOL_CODEC_H
#define SYMBOL_SYMBOL_CODEC_H

#include <stddef.h>
#include <stdint.h>

/* Version byte of the payload; a reader skips payloads of a newer one. 1 had no `into`. */
#define SYMBOLS_VERSION 2

/*
 * The module of code that was made at run time in one image: its build-id is the number of
 * the image (four bytes, low first), offsets are addresses.
 */
#define RUNTIME_CODE_PATH "[jit]"
#define RUNTIME_CODE_ID_BYTES 4

/* One function that an offset is in. */
struct stored_frame {
	const char *name;   /* mangled where it was; NULL: unknown */
	const char *file;   /* NULL: unknown */
	uint32_t line;      /* 0: unknown */
	uint64_t into;      /* of the last frame of an offset: how far into the function the code
			       after it is (offset + 1 - start, as strace and gdb count); 0: unknown */
};

/* ---- writing ---- */

struct symbol_writer;

struct symbol_writer *symbol_writer_new(void);
void symbol_writer_free(struct symbol_writer *w);

/* Rows until the next call belong to this module; STATE is enum module_state. */
void symbol_writer_module(struct symbol_writer *w, const char *path,
			  const uint8_t *build_id, size_t build_id_bytes,
			  uint8_t state);

/* FRAMES of OFFSET, innermost first; offsets of a module ascend strictly. COUNT is at least 1. */
void symbol_writer_row(struct symbol_writer *w, uint64_t offset,
		       const struct stored_frame *frames, uint32_t count);

/* The payload, malloc'ed, the caller's; its length into *BYTES. Ends the writer's work. */
uint8_t *symbol_writer_finish(struct symbol_writer *w, size_t *bytes);

/* ---- reading ---- */

/* Told in the order of the payload; strings are valid during the call. */
struct symbol_reader {
	/* Returns 0: its rows are not wanted. */
	int (*module)(const char *path, const uint8_t *build_id,
		      size_t build_id_bytes, uint8_t state, void *ctx);
	void (*row)(uint64_t offset, const struct stored_frame *frames,
		    uint32_t count, void *ctx);
};

/*
 * Read PAYLOAD of BYTES, which may be damaged or hostile. Returns 0, or -1 where
 * it is damaged (what came before was told) or of another version.
 */
int symbol_payload_read(const uint8_t *payload, size_t bytes,
			const struct symbol_reader *reader, void *ctx);

#endif
