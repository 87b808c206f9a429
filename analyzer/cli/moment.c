/*
 * moment.c - words for moments, as --since and --until take them.
 */
#include "cli/moment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/xmem.h"
#include "trace/merge.h"

bool moment_needs_peak(const char *text)
{
	return text && strcmp(text, "peak") == 0;
}

/* Names seen so far, for the message. */
struct names {
	char list[512];
	size_t used;
};

static void add_name(struct names *names, const char *name)
{
	if (names->used < sizeof(names->list))
		names->used += (size_t)snprintf(names->list + names->used,
						sizeof(names->list) - names->used, "%s%s",
						names->used ? ", " : "", name);
}

static bool is_known(const struct recording *r, const char *name)
{
	for (size_t i = 0; i < r->mark_count; i++)
		if (strcmp(r->marks[i].name, name) == 0)
			return true;
	return false;
}

/*
 * A mark that the program set stands among its events, and in the metadata only
 * where the recorder or the library put it there: events are read where a name
 * is not known.
 */
static bool find_event_mark(const char *name, struct recording *r, uint64_t *stamp,
			    struct names *names)
{
	struct merge_select select = { 0 };
	struct stacks *stacks = stacks_new();
	struct merge *m = merge_open(r, stacks, &select);
	const struct event *event;
	bool is_found = false;

	while (!is_found && (event = merge_next(m)) != NULL) {
		char *text;

		if (event->r.kind != EVENT_MARK)
			continue;
		text = xstrndup((const char *)event->r.name, event->r.name_bytes);
		is_found = strcmp(text, name) == 0;
		if (is_found)
			*stamp = event->r.stamp;
		else if (!is_known(r, text))
			add_name(names, text);
		free(text);
	}
	merge_close(m);
	stacks_free(stacks);
	return is_found;
}

static int find_mark(const char *name, struct recording *r, uint64_t *stamp,
		     struct diag *d)
{
	struct names names = { .used = 0 };

	for (size_t i = 0; i < r->mark_count; i++) {
		if (strcmp(r->marks[i].name, name) == 0) {
			*stamp = r->marks[i].stamp;
			return 0;
		}
		add_name(&names, r->marks[i].name);
	}
	if (find_event_mark(name, r, stamp, &names))
		return 0;
	if (names.used == 0)
		return diag_set(d, STATUS_USAGE, "no mark '%s': the recording has no marks "
				"(allotrope mark, allotrope_mark())", name);
	return diag_set(d, STATUS_USAGE, "no mark '%s': the recording has %s", name, names.list);
}

int moment_parse(const char *text, struct recording *r, uint64_t peak_stamp,
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
