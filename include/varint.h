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
#include <string.h>

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
 * Read a number at P into *V; return the first byte after it, or NULL (and *V is
 * 0) where it does not end before END or has more than 64 bits.
 */
static inline const uint8_t *varint_get(const uint8_t *p, const uint8_t *end,
					uint64_t *v)
{
	uint64_t value = 0;
	unsigned shift = 0;

	while (p < end) {
		uint8_t byte = *p++;

		if (shift == 63 && byte > 1)
			break;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*v = value;
			return p;
		}
		shift += 7;
		if (shift > 63)
			break;
	}
	*v = 0;
	return NULL;
}

/*
 * The same for the reader's hot path: no branch depends on the length, which
 * no branch predictor could guess (addresses, sizes). Eight bytes are taken at a time: the
 * lowest byte without its top bit is the last one; the sevens are then pushed
 * together in three steps.
 */
static inline const uint8_t *varint_get_fast(const uint8_t *p, const uint8_t *end,
					     uint64_t *v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	uint64_t x, last;

	if (__builtin_expect(end - p >= 8, 1)) {
		memcpy(&x, p, 8);
		last = ~x & 0x8080808080808080u;
		if (__builtin_expect(last != 0, 1)) {
			/* all bits up to the top bit of the last byte, without the top bits */
			x &= (last ^ (last - 1)) & 0x7f7f7f7f7f7f7f7fu;
			x = (x & 0x007f007f007f007fu) | (x & 0x7f007f007f007f00u) >> 1;
			x = (x & 0x00003fff00003fffu) | (x & 0x3fff00003fff0000u) >> 2;
			*v = (x & 0x0fffffffu) | (x & 0x0fffffff00000000u) >> 4;
			return p + (__builtin_ctzll(last) >> 3) + 1;
		}
	}
#endif
	return varint_get(p, end, v);
}

#endif
