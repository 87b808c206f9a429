/*
 * units.c - numbers as text and back. Relies on the C library only; the locale
 * is never asked, so that output is the same everywhere.
 */
#include "base/units.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	double factor;
};

const char *units_count(char *buffer, uint64_t n)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, n);
	char *out = buffer;

	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = '\0';
	return buffer;
}

const char *units_bytes(char *buffer, uint64_t bytes)
{
	static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB",
					     "PiB", "EiB" };
	double value = (double)bytes;
	size_t unit = 0;

	/* 1023.95 would print as 1024.0: the next unit is due */
	while (unit + 1 < sizeof(names) / sizeof(names[0]) &&
	       value >= (unit == 0 ? 1024.0 : 1023.95)) {
		value /= 1024.0;
		unit++;
	}
	snprintf(buffer, UNITS_MAX, unit == 0 ? "%.0f %s" : "%.1f %s", value,
		 names[unit]);
	return buffer;
}

const char *units_ns(char *buffer, uint64_t ns)
{
	uint64_t seconds = ns / 1000000000u;

	if (ns == 0)
		snprintf(buffer, UNITS_MAX, "0 s");
	else if (ns < 1000)
		snprintf(buffer, UNITS_MAX, "%" PRIu64 " ns", ns);
	else if (ns < 1000000)
		snprintf(buffer, UNITS_MAX, "%.3g us", (double)ns / 1e3);
	else if (ns < 999500000u)
		snprintf(buffer, UNITS_MAX, "%.3g ms", (double)ns / 1e6);
	else if (seconds < 60)
		snprintf(buffer, UNITS_MAX, "%.3f s", (double)ns / 1e9);
	else if (seconds < 3600)
		snprintf(buffer, UNITS_MAX, "%" PRIu64 " min %02" PRIu64 " s",
			 seconds / 60, seconds % 60);
	else
		snprintf(buffer, UNITS_MAX, "%" PRIu64 " h %02" PRIu64 " min",
			 seconds / 3600, seconds / 60 % 60);
	return buffer;
}

const char *units_percent(char *buffer, uint64_t part, uint64_t whole)
{
	if (whole == 0)
		snprintf(buffer, UNITS_MAX, "-");
	else
		snprintf(buffer, UNITS_MAX, "%.1f %%",
			 100.0 * (double)part / (double)whole);
	return buffer;
}

uint64_t units_whole(double v)
{
	if (!(v > 0))
		return 0;
	return v < 18446744073709549568.0 ? (uint64_t)(v + 0.5) : UINT64_MAX;
}

static int parse_whole(const char *text, size_t digits, uint64_t *result)
{
	uint64_t value = 0;

	for (size_t i = 0; i < digits; i++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
			return -1;
	*result = value;
	return 0;
}

/* A number and a unit of UNITS; the empty unit is DEFAULT_FACTOR. */
static int parse(const char *text, const struct unit *units, size_t count,
		 double default_factor, uint64_t *result)
{
	double factor = default_factor;
	size_t digits = strspn(text, "0123456789");
	char *end;
	double value;
	bool is_whole;

	/* strtod would take "inf", "nan", hex and signs */
	if (!isdigit((unsigned char)text[0]))
		return -1;
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return -1;
	value = strtod(text, &end);
	if (end[-1] == 'e' || end[-1] == 'E')
		return -1;
	is_whole = end == text + digits;
	while (*end == ' ')
		end++;
	if (*end) {
		size_t i = 0;

		while (i < count && strcasecmp(units[i].name, end) != 0)
			i++;
		if (i == count)
			return -1;
		factor = units[i].factor;
	}
	/* whole numbers beyond 2^53 are exact too */
	if (factor == 1.0 && is_whole)
		return parse_whole(text, digits, result);
	value *= factor;
	if (!(value < 18446744073709551616.0))
		return -1;
	*result = (uint64_t)(value + 0.5);
	return 0;
}

int units_parse_bytes(const char *text, uint64_t *bytes)
{
	static const struct unit units[] = {
		{ "B", 1 },
		{ "K", 0x1p10 }, { "KiB", 0x1p10 }, { "KB", 0x1p10 },
		{ "M", 0x1p20 }, { "MiB", 0x1p20 }, { "MB", 0x1p20 },
		{ "G", 0x1p30 }, { "GiB", 0x1p30 }, { "GB", 0x1p30 },
		{ "T", 0x1p40 }, { "TiB", 0x1p40 }, { "TB", 0x1p40 },
	};

	return parse(text, units, sizeof(units) / sizeof(units[0]), 1, bytes);
}

int units_parse_ns(const char *text, uint64_t *ns)
{
	static const struct unit units[] = {
		{ "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 },
		{ "m", 60e9 }, { "min", 60e9 }, { "h", 3600e9 },
	};

	return parse(text, units, sizeof(units) / sizeof(units[0]), 1e9, ns);
}
