/*
 * seccomp_filters.h - how many seccomp filters a process is under, by the text of its
 * /proc/PID/status: what recorder and library agree on about calls that a filter may kill for.
 * A process has at least the filters of the one that started it.
 */
#ifndef ALLOTROPE_SECCOMP_FILTERS_H
#define ALLOTROPE_SECCOMP_FILTERS_H

#include <string.h>

#define SECCOMP_FILTERS_UNKNOWN 255u

/* 0 to 254; SECCOMP_FILTERS_UNKNOWN: more, or not told (kernels before 5.9, strict mode). */
static inline unsigned seccomp_filters_parse(const char *status)
{
	static const char mode[] = "\nSeccomp:\t", filters[] = "\nSeccomp_filters:\t";
	const char *at = strstr(status, mode);
	unsigned count = 0;

	if (!at)
		return SECCOMP_FILTERS_UNKNOWN;
	if (at[sizeof(mode) - 1] == '0')
		return 0;
	at = strstr(status, filters);
	if (!at || at[sizeof(filters) - 1] < '1' || at[sizeof(filters) - 1] > '9')
		return SECCOMP_FILTERS_UNKNOWN;
	for (at += sizeof(filters) - 1; *at >= '0' && *at <= '9'; at++) {
		count = count * 10 + (unsigned)(*at - '0');
		if (count >= SECCOMP_FILTERS_UNKNOWN)
			return SECCOMP_FILTERS_UNKNOWN;
	}
	return count;
}

#endif
