/*
 * maps_moment.c - finds snapshots by words.
 */
#include "forms/maps_moment.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/visible.h"
#include "base/xmem.h"

uint64_t maps_moment_rss(const struct map_snapshot *s)
{
	uint64_t rss = 0;

	for (size_t i = 0; i < s->smaps->count; i++)
		rss += s->smaps->rows[i].rss;
	return rss;
}

char *maps_moment_reason(const struct map_snapshot *s)
{
	char *label, *text;

	if (s->moment == MEMORY_AT_EXIT)
		return xstrdup("at the end");
	if (s->moment != MEMORY_AT_MARK)
		return xstrdup("while it ran");
	label = visible_fit(s->label, 40);
	text = xasprintf("at mark '%s'", label);
	free(label);
	return text;
}

static const struct map_snapshot *by_label(const struct run *run, const struct map_snapshots *s,
				       const char *name)
{
	char list[400] = "";
	size_t used = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct map_snapshot *item = &s->items[i];

		if (item->moment != MEMORY_AT_MARK || !run_shows(run, item->image))
			continue;
		if (strcmp(item->label, name) == 0)
			return item;
		if (used < sizeof(list) - 1)
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
						 used ? ", " : "", item->label);
	}
	if (*list)
		diag_set(run->diag, STATUS_USAGE, "no snapshot at a mark '%s': there are %s", name, list);
	else
		diag_set(run->diag, STATUS_USAGE, "no snapshot at a mark '%s': this program set no marks "
			 "(allotrope mark, allotrope_mark())", name);
	return NULL;
}

static const struct map_snapshot *by_time(const struct run *run, const struct map_snapshots *s,
					  uint64_t stamp)
{
	const struct map_snapshot *found = NULL;

	for (size_t i = 0; i < s->count; i++)
		if (run_shows(run, s->items[i].image) && (!found || s->items[i].stamp <= stamp))
			found = &s->items[i];
	return found;
}

static const struct map_snapshot *highest(const struct run *run, const struct map_snapshots *s)
{
	const struct map_snapshot *found = NULL;
	uint64_t most = 0;

	for (size_t i = 0; i < s->count; i++) {
		uint64_t rss = maps_moment_rss(&s->items[i]);

		if (run_shows(run, s->items[i].image) && (!found || rss > most)) {
			found = &s->items[i];
			most = rss;
		}
	}
	return found;
}

const struct map_snapshot *maps_moment_find(const struct run *run, const struct map_snapshots *s,
					const char *text)
{
	const struct map_snapshot *found = NULL;
	uint64_t ns;

	if (strncmp(text, "mark:", 5) == 0)
		return by_label(run, s, text + 5);
	if (strcmp(text, "start") == 0)
		found = by_time(run, s, 0);
	else if (strcmp(text, "end") == 0)
		found = by_time(run, s, UINT64_MAX);
	else if (strcmp(text, "peak") == 0)
		found = highest(run, s);
	else if (units_parse_ns(text, &ns) == 0 && ns <= INT64_MAX)
		found = by_time(run, s, recording_stamp(run->recording, (int64_t)ns));
	else {
		diag_set(run->diag, STATUS_USAGE, "'%s' is no moment: give start, peak, end, mark:NAME "
			 "or a time since the start (1.5s, 200ms); --list shows what was taken", text);
		return NULL;
	}
	if (!found)
		diag_set(run->diag, STATUS_USAGE, "this program's address space was not recorded: it "
			 "lived too short; record --memory-interval=1ms or a mark in the program "
			 "(allotrope_mark) takes it%s",
			 s->count ? "; of other programs there are moments: maps --list --all" : "");
	return found;
}
