/*
 * line_parts.h - what the lines of the ltrace and strace reports are put together
 * from. A recording has millions of them: these write text and numbers without the
 * cost of a format, and say how many columns that took.
 */
#ifndef FORMS_LINE_PARTS_H
#define FORMS_LINE_PARTS_H

#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "trace/recording.h"

int line_text(FILE *out, const char *text);
/* N in BASE (at most 16), with zeros in front up to LEAST digits. */
int line_digits(FILE *out, uint64_t n, unsigned base, int least);
int line_decimal(FILE *out, uint64_t n);
/* 0x1f */
int line_hex(FILE *out, uint64_t n);
/* Spaces from column USED up to COLUMN; none where it is passed already. */
void line_gap(FILE *out, int used, int column);

/* -t, -tt, -ttt of ltrace and strace. */
enum line_time { TIME_NONE, TIME_SECONDS, TIME_MICRO, TIME_EPOCH };

/* The last second printed: asking for local time costs more than the rest of a line. */
struct line_clock {
	const struct recording *recording;
	time_t second;
	struct tm tm;
};

void line_clock_init(struct line_clock *clock, const struct recording *recording);

/* The moment STAMP as HOW says, and a space: "12:30:01.000129 "; nothing for TIME_NONE. */
int line_moment(FILE *out, struct line_clock *clock, enum line_time how, uint64_t stamp);

/* " <0.000129>" */
void line_duration(FILE *out, const struct line_clock *clock, uint64_t ticks);

/* "SIGSEGV" or "SIG35" into BUFFER of 16 bytes. */
const char *line_signal(int number, char *buffer);

#endif
