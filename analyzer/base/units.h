/*
 * units.h - numbers as people write and read them: 1,234,567 and 9.1 MiB and
 * 0.412 s, and back.
 *
 * Each function that prints does so into BUFFER of UNITS_MAX bytes and returns
 * it.
 */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stdint.h>

#define UNITS_MAX 48

/* Decimal with thousands separators: 1,234,567. */
const char *units_count(char *buffer, uint64_t n);

/*
 * Bytes with a binary unit and four significant digits at most: "992 B",
 * "4.0 KiB", "155.2 MiB". Numbers below 1,024 are exact.
 */
const char *units_bytes(char *buffer, uint64_t bytes);

/* A duration: "870 ns", "12.3 us", "4.56 ms", "1.234 s", "2 min 03 s", "3 h 05 min". */
const char *units_ns(char *buffer, uint64_t ns);

/* PART of WHOLE in percent with one digit: "12.5 %"; "-" where WHOLE is 0. */
const char *units_percent(char *buffer, uint64_t part, uint64_t whole);

/* V rounded to a whole number; below 0 and no number: 0; too large: UINT64_MAX. */
uint64_t units_whole(double v);

/*
 * Read a size: digits, an optional fraction, an optional unit (K, M, G, T, each also as
 * KiB or KB; always powers of 1,024; B alone). Returns 0, or -1 where TEXT is no size
 * or does not fit into 64 bits.
 */
int units_parse_bytes(const char *text, uint64_t *bytes);

/*
 * Read a duration in nanoseconds: digits, an optional fraction, an optional unit (ns, us,
 * ms, s, m or min, h; none: seconds). Returns 0 or -1.
 */
int units_parse_ns(const char *text, uint64_t *ns);

#endif
