/*
 * maps_text.c - text forms of an address space. Relies on nothing but its rows, so a recorded and
 * a living process print alike.
 */
#include "forms/maps_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/emit.h"
#include "base/term.h"
#include "base/units.h"
#include "base/visible.h"
#include "base/xmem.h"

/* "rwxs-": five letters, the last one for MAP_NORESERVE, which pmap never knows. */
static void put_mode(char mode[6], const struct smaps_region *m)
{
	mode[0] = m->prot & PROT_READ ? 'r' : '-';
	mode[1] = m->prot & PROT_WRITE ? 'w' : '-';
	mode[2] = m->prot & PROT_EXEC ? 'x' : '-';
	mode[3] = m->is_shared ? 's' : '-';
	mode[4] = '-';
	mode[5] = '\0';
}

/* As pmap names a mapping: the file's base name, the stack, else anonymous. */
static char *pmap_name(const struct smaps_region *m)
{
	const char *slash = strrchr(m->name, '/');

	if (*m->name == '/' && slash)
		return visible_text(slash + 1);
	return xstrdup(strcmp(m->name, "[stack]") == 0 ? "  [ stack ]" : "  [ anon ]");
}

void maps_put_pmap(FILE *out, const struct address_space *a, uint32_t pid, const char *command)
{
	uint64_t size = 0, rss = 0, dirty = 0;
	char *shown = visible_text(command);

	fprintf(out, "%" PRIu32 ":   %s\n", pid, shown);
	fputs("Address           Kbytes     RSS   Dirty Mode  Mapping\n", out);
	for (size_t i = 0; i < a->count; i++) {
		const struct smaps_region *m = a->rows[i].map;
		uint64_t d = m->shared_dirty + m->private_dirty;
		char *name = pmap_name(m);
		char mode[6];

		put_mode(mode, m);
		fprintf(out, "%016" PRIx64 " %7" PRIu64 " %7" PRIu64 " %7" PRIu64 " %s %s\n",
			m->start, m->size / 1024, m->rss / 1024, d / 1024, mode, name);
		size += m->size;
		rss += m->rss;
		dirty += d;
		free(name);
	}
	fputs("---------------- ------- ------- ------- \n", out);
	fprintf(out, "total kB         %7" PRIu64 " %7" PRIu64 " %7" PRIu64 "\n", size / 1024,
		rss / 1024, dirty / 1024);
	free(shown);
}

void maps_put_smaps(FILE *out, const struct address_space *a)
{
	struct smaps_region sum = { 0 };
	const struct {
		const char *name;
		const uint64_t *value;
	} fields[] = {
		{ "Size", &sum.size }, { "Rss", &sum.rss }, { "Pss", &sum.pss },
		{ "Shared_Clean", &sum.shared_clean }, { "Shared_Dirty", &sum.shared_dirty },
		{ "Private_Clean", &sum.private_clean }, { "Private_Dirty", &sum.private_dirty },
		{ "Referenced", &sum.referenced }, { "Anonymous", &sum.anonymous },
		{ "LazyFree", &sum.lazy_free }, { "AnonHugePages", &sum.anon_huge },
		{ "Swap", &sum.swap }, { "SwapPss", &sum.swap_pss }, { "Locked", &sum.locked },
	};

	for (size_t i = 0; i < a->count; i++) {
		const struct smaps_region *m = a->rows[i].map;

		sum.size += m->size;
		sum.rss += m->rss;
		sum.pss += m->pss;
		sum.shared_clean += m->shared_clean;
		sum.shared_dirty += m->shared_dirty;
		sum.private_clean += m->private_clean;
		sum.private_dirty += m->private_dirty;
		sum.referenced += m->referenced;
		sum.anonymous += m->anonymous;
		sum.lazy_free += m->lazy_free;
		sum.anon_huge += m->anon_huge;
		sum.swap += m->swap;
		sum.swap_pss += m->swap_pss;
		sum.locked += m->locked;
	}
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		fprintf(out, "%-15s %10" PRIu64 " kB\n", fields[i].name, *fields[i].value / 1024);
}

enum {
	COL_TYPE, COL_VIRTUAL, COL_RESIDENT, COL_DIRTY, COL_SWAPPED, COL_SHARED, COL_FOOTPRINT,
	COL_COUNT, COLS,
};

static const struct column columns[COLS] = {
	[COL_TYPE] = { "type", "type", COLUMN_TEXT, 0, false, NULL },
	[COL_VIRTUAL] = { "virtual", "virtual", COLUMN_BYTES, 0, false, NULL },
	[COL_RESIDENT] = { "resident", "resident", COLUMN_BYTES, 0, false, NULL },
	[COL_DIRTY] = { "dirty", "dirty", COLUMN_BYTES, 0, false, NULL },
	[COL_SWAPPED] = { "swapped", "swapped", COLUMN_BYTES, 0, false, NULL },
	[COL_SHARED] = { "shared", "shared", COLUMN_BYTES, 0, false, NULL },
	[COL_FOOTPRINT] = { "footprint", "footprint", COLUMN_BYTES, 0, false, NULL },
	[COL_COUNT] = { "count", "count", COLUMN_COUNT, 0, false, NULL },
};

struct type_sum { uint64_t size, rss, dirty, swap, shared, footprint, count; };

static void add(struct type_sum *s, const struct smaps_region *m)
{
	s->size += m->size;
	s->rss += m->rss;
	s->dirty += m->shared_dirty + m->private_dirty;
	s->swap += m->swap;
	s->shared += m->shared_clean + m->shared_dirty;
	/* what would be free if this process ended */
	s->footprint += m->private_clean + m->private_dirty + m->swap;
	s->count++;
}

static void put_sum(struct emit *table, const char *name, const struct type_sum *s)
{
	const struct cell cells[COLS] = {
		[COL_TYPE] = cell_text(name), [COL_VIRTUAL] = cell_number(s->size),
		[COL_RESIDENT] = cell_number(s->rss), [COL_DIRTY] = cell_number(s->dirty),
		[COL_SWAPPED] = cell_number(s->swap), [COL_SHARED] = cell_number(s->shared),
		[COL_FOOTPRINT] = cell_number(s->footprint), [COL_COUNT] = cell_number(s->count),
	};

	emit_row(table, cells);
}

void maps_put_regions(FILE *out, const struct address_space *a, bool color)
{
	const struct emit_options options = { .format = EMIT_TEXT, .color = color };
	struct type_sum sums[REGION_TYPES] = { 0 }, all = { 0 };
	char virt[UNITS_MAX], res[UNITS_MAX], shr[UNITS_MAX];
	uint64_t of_files = 0;
	struct emit *table;

	for (size_t i = 0; i < a->count; i++) {
		const struct smaps_region *m = a->rows[i].map;

		add(&sums[a->rows[i].type], m);
		if (a->rows[i].type == REGION_RECORDER)
			continue;
		add(&all, m);
		of_files += m->rss > m->anonymous ? m->rss - m->anonymous : 0;
	}
	fprintf(out, "VIRT %s: address space\nRES  %s: of that in memory\n"
		"SHR  %s: of RES, pages of files and shared memory\n\n", units_bytes(virt, all.size),
		units_bytes(res, all.rss), units_bytes(shr, of_files));
	table = emit_new(out, columns, COLS, &options);
	for (int t = 0; t < REGION_RECORDER; t++)
		if (sums[t].count > 0)
			put_sum(table, region_type_name((enum region_type)t), &sums[t]);
	put_sum(table, "all", &all);
	if (sums[REGION_RECORDER].count > 0)
		put_sum(table, "(allotrope's)", &sums[REGION_RECORDER]);
	emit_free(table);
}
