/*
 * fuzz_smaps.c - target: the text of /proc/PID/smaps, which a recording holds and `maps --process`
 * reads. Rows are what the header says of them, and the cut of the text at any place is read too.
 */
#include <string.h>
#include <sys/mman.h>

#include "fuzz/fuzz.h"
#include "trace/smaps.h"

static bool is_sorted(const struct smaps *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->rows[i].start == s->rows[i].end ||
		    (i && s->rows[i - 1].end > s->rows[i].start))
			return false;
	return true;
}

static void check_rows(const struct smaps *s)
{
	bool sorted = is_sorted(s);

	for (size_t i = 0; i < s->count; i++) {
		const struct smaps_region *r = &s->rows[i], *found = smaps_find(s, r->start);

		FUZZ_CHECK(r->end >= r->start && r->size == r->end - r->start);
		FUZZ_CHECK(r->name && !strchr(r->name, '\n'));
		FUZZ_CHECK(!(r->prot & ~(unsigned)(PROT_READ | PROT_WRITE | PROT_EXEC)));
		FUZZ_CHECK((r->rss | r->pss | r->swap | r->locked | r->anonymous) % 1024 == 0);
		FUZZ_CHECK(!found || (found->start <= r->start && r->start < found->end));
		FUZZ_CHECK(!sorted || found == r);
	}
}

int fuzz_smaps(const uint8_t *data, size_t size)
{
	/* a copy without anything behind it, so that a read past the end is seen */
	char *text = malloc(size ? size : 1);
	struct smaps *s, *half;

	FUZZ_CHECK(text != NULL);
	if (size)
		memcpy(text, data, size);
	s = smaps_parse(text, size);
	half = smaps_parse(text, size / 2);
	check_rows(s);
	check_rows(half);
	FUZZ_CHECK(half->count <= s->count + 1);
	smaps_find(s, 0);
	smaps_find(s, UINT64_MAX);
	smaps_free(s);
	smaps_free(half);
	free(text);
	return 0;
}
