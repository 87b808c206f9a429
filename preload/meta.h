/*
 * meta.h - records for the metadata area: processes, modules, threads, notes.
 * Composed on the caller's stack or in a static buffer, appended in one step.
 */
#ifndef PRELOAD_META_H
#define PRELOAD_META_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "record_kinds.h"
#include "varint.h"

struct meta_builder {
	uint8_t *start, *p, *end;
	int overflow; /* a field did not fit: it and all after it are left out */
};

static inline void meta_init(struct meta_builder *b, void *buffer, size_t bytes)
{
	b->start = b->p = (uint8_t *)buffer;
	b->end = b->p + bytes;
	b->overflow = 0;
}

static inline void meta_number(struct meta_builder *b, uint64_t v)
{
	if (b->overflow || (size_t)(b->end - b->p) < VARINT_MAX)
		b->overflow = 1;
	else
		b->p = varint_put(b->p, v);
}

static inline void meta_bytes(struct meta_builder *b, const void *s, size_t n)
{
	meta_number(b, n);
	if (b->overflow || (size_t)(b->end - b->p) < n) {
		b->overflow = 1;
		return;
	}
	if (n)
		memcpy(b->p, s, n);
	b->p += n;
}

static inline void meta_string(struct meta_builder *b, const char *s)
{
	meta_bytes(b, s, s ? strlen(s) : 0);
}

/* Append the record. Lock-free, async-signal-safe. A full area is counted (LOSS_META_FULL). */
void meta_append(enum meta_kind kind, const struct meta_builder *b);

/*
 * META_NOTE of this image: something a reader should know, in one sentence.
 * Notes made before META_PROCESS wait for it (a few; cut at 255 bytes).
 */
void meta_note(const char *text);

/*
 * META_FAULT of this image: what keeps it, or a part of it, from being recorded. Every
 * report shows it. After META_PROCESS; cut as meta_append cuts.
 */
void meta_fault(const char *text);

/* META_SETTING of this image: KEY with VALUE in decimal. Async-signal-safe. */
void meta_setting_number(const char *key, uint64_t value);

/* META_PROCESS has been written: write the notes that waited. */
void meta_notes_release(void);

#endif
