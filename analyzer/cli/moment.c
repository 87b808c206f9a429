/*
 * moment.c - words for moments, as --since and --until take them.
 */
#include "cli/moment.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"

bool moment_needs_peak(const char *text)
{
	return text && strcmp(text, "peak") == 0;
}

static int find_mark(const char *name, const struct recording *r, uint64_t *stamp,
		     struct diag *d)
{
	char list[512] = "";
	size_t used = 0;

	for (size_t i = 0; i < r->mark_count; i++) {
		if (strcmp(r->marks[i].name, name) == 0) {
			*stamp = r->marks[i].stamp;
			return 0;
		}
		if (used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used,
						 "%s%s", used ? ", " : "",
						 r->marks[i].name);
	}
	if (r->mark_count == 0)
		return diag_set(d, STATUS_USAGE, "no mark '%s': the recording has no marks "
				"(allotrope mark, allotrope_mark())", name);
	return diag_set(d, STATUS_USAGE, "no mark '%s': the recording has %s", name, list);
}

int moment_parse(const char *text, const struct recording *r, uint64_t peak_stamp,
		 uint64_t *stamp, struct diag *d)
{
	uint64_t ns;

	if (strncmp(text, "mark:", 5) == 0)
		return find_mark(text + 5, r, stamp, d);
	if (strcmp(text, "start") == 0)
		*stamp = r->start_stamp;
	else if (strcmp(text, "peak") == 0)
		*stamp = peak_stamp;
	else if (strcmp(text, "end") == 0)
		*stamp = r->end_stamp;
	else if (units_parse_ns(text, &ns) == 0 && ns <= INT64_MAX)
		*stamp = recording_stamp(r, (int64_t)ns);
	else
		return diag_set(d, STATUS_USAGE, "'%s' is no moment: give a time since the start "
				"(1.5s, 200ms), mark:NAME, start, peak or end", text);
	return 0;
}
