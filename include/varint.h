/*
 * varint.h - numbers in few bytes: LEB128 (seven bits a byte, low first, the
 * top bit says that more follow) and zigzag for signed ones.
 *
 * Writers: the caller guarantees VARINT_MAX bytes of room for each number.
 * Readers: bounded by END; they return NULL instead of reading past it.
 */
#ifndef ALLOTROPE_VARINT_H
#define ALLOTROPE_VARINT_H

#include <stddef.h>
#include <stdint.h>

#define VARINT_MAX 10

static inline uint64_t zigzag(int64_t n)
{
	return ((uint64_t)n << 1) ^ (uint64_t)(n >> 63);
}

static inline int64_t unzigzag(uint64_t z)
{
	return (int64_t)(z >> 1) ^ -(int64_t)(z & 1);
}

/* Write V at P; return the first byte after it. */
static inline uint8_t *varint_put(uint8_t *p, uint64_t v)
{
	while (v >= 0x80) {
		*p++ = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	*p++ = (uint8_t)v;
	return p;
}

/*
 * Read a number at P into *V; return the first byte after it, or NULL where it
 * does not end before END or has more than 64 bits.
 */
static inline const uint8_t *varint_get(const uint8_t *p, const uint8_t *end,
					uint64_t *v)
{
	uint64_t value = 0;
	unsigned shift = 0;

	while (p < end) {
		uint8_t byte = *p++;

		if (shift == 63 && byte > 1)
			return NULL;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*v = value;
			return p;
		}
		shift += 7;
		if (shift > 63)
			return NULL;
	}
	return NULL;
}

#endif
