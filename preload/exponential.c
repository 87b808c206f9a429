/*
 * exponential.c - see exponential.h: -ln(u) of a uniform u in (0, 1]. Relies on
 * nothing. Promises an error of the logarithm below 2^-31.
 */
#include "exponential.h"

#define FRACTION_BITS 32

/* ln 2, as a fraction of 2^64 */
#define LN2 0xb17217f7d1cf79acu

uint64_t exponential_seed(uint64_t anything)
{
	/* splitmix64 (Steele, Lea, Flood 2014) */
	uint64_t z = anything + 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	return z ? z : 1;
}

/* xorshift64* (Vigna 2016) */
static uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1du;
}

/* log2(X / 2^63), in units of 2^-FRACTION_BITS, of X in [2^63, 2^64): bit by bit, by squaring. */
static uint64_t log2_fraction(uint64_t x)
{
	uint64_t result = 0;

	for (int i = 0; i < FRACTION_BITS; i++) {
		uint64_t square = (uint64_t)((unsigned __int128)x * x >> 64);
		uint64_t bit = square >> 63;

		result = result << 1 | bit;
		x = bit ? square : square << 1;
	}
	return result;
}

uint64_t exponential_draw(uint64_t *state, uint64_t mean)
{
	uint64_t random = next_random(state), log;
	unsigned __int128 product;
	unsigned zeros;

	if (random == 0)
		random = 1;
	zeros = (unsigned)__builtin_clzll(random);
	/* -log2(random / 2^64) */
	log = ((uint64_t)(zeros + 1) << FRACTION_BITS) - log2_fraction(random << zeros);
	product = ((unsigned __int128)log * LN2 >> 64) * mean;
	return (uint64_t)(product >> FRACTION_BITS) + 1;
}
