/*
 * cfi_bytes.h - reading DWARF's numbers from memory that may be damaged: a reader
 * that goes past its end gives zeros and says so.
 */
#ifndef PRELOAD_CFI_BYTES_H
#define PRELOAD_CFI_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cfi_bytes {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

static inline bool bytes_have(struct cfi_bytes *b, size_t n)
{
	if ((size_t)(b->end - b->p) >= n)
		return true;
	b->bad = true;
	b->p = b->end;
	return false;
}

static inline uint8_t bytes_u8(struct cfi_bytes *b)
{
	return bytes_have(b, 1) ? *b->p++ : 0;
}

/* A little-endian number of SIZE bytes (1, 2, 4, 8). */
static inline uint64_t bytes_unsigned(struct cfi_bytes *b, size_t size)
{
	uint64_t value = 0;

	if (!bytes_have(b, size))
		return 0;
	memcpy(&value, b->p, size);
	b->p += size;
	return value;
}

static inline int64_t bytes_signed(struct cfi_bytes *b, size_t size)
{
	unsigned shift = (unsigned)(64 - 8 * size);

	return (int64_t)(bytes_unsigned(b, size) << shift) >> shift;
}

static inline uint64_t bytes_uleb(struct cfi_bytes *b)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		byte = bytes_u8(b);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	return value;
}

static inline int64_t bytes_sleb(struct cfi_bytes *b)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		byte = bytes_u8(b);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if (shift < 64 && (byte & 0x40))
		value |= ~(uint64_t)0 << shift;
	return (int64_t)value;
}

static inline void bytes_skip(struct cfi_bytes *b, uint64_t n)
{
	if (bytes_have(b, n))
		b->p += n;
}

#endif
