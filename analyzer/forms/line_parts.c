/*
 * line_parts.c - see line_parts.h. Not for more than one thread: streams are written
 * without their lock.
 */
#include "forms/line_parts.h"

#include <string.h>

#include "base/units.h"

int line_text(FILE *out, const char *text)
{
	size_t length = strlen(text);

	fwrite_unlocked(text, 1, length, out);
	return (int)length;
}

int line_digits(FILE *out, uint64_t n, unsigned base, int least)
{
	char digits[72];
	char *p = digits + sizeof(digits);

	do {
		*--p = "0123456789abcdef"[n % base];
		n /= base;
	} while (n > 0 || digits + sizeof(digits) - p < least);
	fwrite_unlocked(p, 1, (size_t)(digits + sizeof(digits) - p), out);
	return (int)(digits + sizeof(digits) - p);
}

int line_decimal(FILE *out, uint64_t n)
{
	return line_digits(out, n, 10, 1);
}

int line_hex(FILE *out, uint64_t n)
{
	int prefix = line_text(out, "0x");

	return prefix + line_digits(out, n, 16, 1);
}

void line_gap(FILE *out, int used, int column)
{
	for (; used < column; used++)
		putc_unlocked(' ', out);
}

void line_clock_init(struct line_clock *clock, const struct recording *recording)
{
	*clock = (struct line_clock){ .recording = recording, .second = -1 };
}

int line_moment(FILE *out, struct line_clock *clock, enum line_time how, uint64_t stamp)
{
	uint64_t ns, micro;
	time_t second;
	int n;

	if (how == TIME_NONE)
		return 0;
	ns = clock->recording->wall_ns + (uint64_t)recording_ns(clock->recording, stamp);
	second = (time_t)(ns / 1000000000u);
	micro = ns / 1000u % 1000000u;
	if (how == TIME_EPOCH) {
		n = line_decimal(out, (uint64_t)second);
		n += line_text(out, ".");
		n += line_digits(out, micro, 10, 6);
		return n + line_text(out, " ");
	}
	if (second != clock->second) {
		clock->second = second;
		localtime_r(&second, &clock->tm);
	}
	n = line_digits(out, (uint64_t)clock->tm.tm_hour, 10, 2);
	n += line_text(out, ":");
	n += line_digits(out, (uint64_t)clock->tm.tm_min, 10, 2);
	n += line_text(out, ":");
	n += line_digits(out, (uint64_t)clock->tm.tm_sec, 10, 2);
	if (how == TIME_MICRO) {
		n += line_text(out, ".");
		n += line_digits(out, micro, 10, 6);
	}
	return n + line_text(out, " ");
}

void line_duration(FILE *out, const struct line_clock *clock, uint64_t ticks)
{
	uint64_t micro = units_whole((double)ticks * clock->recording->ns_per_tick / 1000.0);

	line_text(out, " <");
	line_decimal(out, micro / 1000000u);
	line_text(out, ".");
	line_digits(out, micro % 1000000u, 10, 6);
	line_text(out, ">");
}

const char *line_signal(int number, char *buffer)
{
	const char *name = sigabbrev_np(number);

	if (name)
		snprintf(buffer, 16, "SIG%.12s", name);
	else
		snprintf(buffer, 16, "SIG%d", number);
	return buffer;
}
