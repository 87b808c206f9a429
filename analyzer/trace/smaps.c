/*
 * smaps.c - parses /proc/PID/smaps. A mapping's line begins with a hexadecimal digit in lower
 * case, a field with a capital letter.
 */
#include "trace/smaps.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/xmem.h"

/* Longer lines are cut: a path has 4,096 bytes at most. */
#define LINE_MAX_BYTES 4400

static bool parse_region(const char *line, struct smaps_region *r)
{
	char letters[5] = ""; /* may be fewer */
	int at = -1;

	*r = (struct smaps_region){ 0 };
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %" SCNx32 ":%" SCNx32 " %" SCNu64 "%n",
		   &r->start, &r->end, letters, &r->offset, &r->major, &r->minor, &r->inode, &at) != 7 ||
	    at < 0 || r->end < r->start)
		return false;
	while (line[at] == ' ' || line[at] == '\t')
		at++;
	r->name = xstrdup(line + at);
	r->prot = (letters[0] == 'r' ? PROT_READ : 0) | (letters[1] == 'w' ? PROT_WRITE : 0) |
		  (letters[2] == 'x' ? PROT_EXEC : 0);
	r->is_shared = letters[3] == 's';
	r->size = r->end - r->start;
	return true;
}

static void parse_field(const char *line, struct smaps_region *r)
{
	const struct {
		const char *name;
		uint64_t *bytes;
	} fields[] = {
		{ "Rss:", &r->rss }, { "Pss:", &r->pss },
		{ "Shared_Clean:", &r->shared_clean }, { "Shared_Dirty:", &r->shared_dirty },
		{ "Private_Clean:", &r->private_clean }, { "Private_Dirty:", &r->private_dirty },
		{ "Referenced:", &r->referenced }, { "Anonymous:", &r->anonymous },
		{ "LazyFree:", &r->lazy_free }, { "AnonHugePages:", &r->anon_huge },
		{ "Swap:", &r->swap }, { "SwapPss:", &r->swap_pss }, { "Locked:", &r->locked },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		size_t n = strlen(fields[i].name);
		uint64_t kib;

		if (strncmp(line, fields[i].name, n) != 0)
			continue;
		if (sscanf(line + n, "%" SCNu64, &kib) == 1 && kib <= UINT64_MAX / 1024)
			*fields[i].bytes = kib * 1024;
		return;
	}
}

struct smaps *smaps_parse(const char *text, size_t bytes)
{
	struct smaps *s = xcalloc(1, sizeof(*s));
	const char *end = text + bytes;

	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((stop ? stop : end) - text);
		char line[LINE_MAX_BYTES];
		struct smaps_region r;

		snprintf(line, sizeof(line), "%.*s", (int)(n < sizeof(line) ? n : sizeof(line) - 1),
			 text);
		text = stop ? stop + 1 : end;
		if ((line[0] >= '0' && line[0] <= '9') || (line[0] >= 'a' && line[0] <= 'f')) {
			if (!parse_region(line, &r))
				continue;
			xgrow(&s->rows, &s->capacity, s->count, sizeof(*s->rows));
			s->rows[s->count++] = r;
		} else if (s->count > 0) {
			parse_field(line, &s->rows[s->count - 1]);
		}
	}
	return s;
}

void smaps_free(struct smaps *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		free(s->rows[i].name);
	free(s->rows);
	free(s);
}

const struct smaps_region *smaps_find(const struct smaps *s, uint64_t address)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (s->rows[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->count && s->rows[low].start <= address ? &s->rows[low] : NULL;
}
