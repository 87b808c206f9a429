/*
 * regions.c - what was mapped before the first event, so that a reader of the
 * memory system calls starts from a known state.
 */
#include "regions.h"

#include <link.h>
#include <string.h>

#include "clock.h"
#include "meta.h"
#include "own_memory.h"
#include "proc_maps.h"
#include "session.h"

#define REGION_SHARED 8u
#define NAME_BYTES 4096

/* Made by the linker: where this library begins. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

struct span {
	uint64_t start, end;
};

/* A search for the first of the library's own mappings in [from, to). */
struct cut {
	uint64_t from, to;
	struct span own;
};

static struct span library_span(void)
{
	const ElfW(Phdr) *ph = (const ElfW(Phdr) *)
		((uintptr_t)&__ehdr_start + __ehdr_start.e_phoff);
	struct span span = { (uint64_t)(uintptr_t)&__ehdr_start, 0 };

	for (unsigned i = 0; i < __ehdr_start.e_phnum; i++)
		if (ph[i].p_type == PT_LOAD)
			span.end = span.start + ph[i].p_vaddr + ph[i].p_memsz;
	return span;
}

void regions_library(uint64_t *start, uint64_t *end)
{
	struct span span = library_span();

	*start = span.start;
	*end = span.end;
}

static bool begins_in(const struct maps_line *line, const struct span *span)
{
	return line->start >= span->start && line->start < span->end;
}

static void record(const struct maps_line *line)
{
	uint8_t buffer[NAME_BYTES + 8 * VARINT_MAX];
	size_t bytes = strlen(line->name);
	struct meta_builder b;

	meta_init(&b, buffer, sizeof(buffer));
	meta_number(&b, session.image);
	meta_number(&b, clock_stamp());
	meta_number(&b, line->start);
	meta_number(&b, line->end);
	meta_number(&b, line->prot | (line->is_shared ? REGION_SHARED : 0));
	meta_bytes(&b, line->name, bytes < NAME_BYTES ? bytes : NAME_BYTES);
	meta_append(META_REGION, &b);
}

static void find_own(uint64_t start, uint64_t bytes, void *ctx)
{
	struct cut *cut = ctx;

	if (start < cut->to && start + bytes > cut->from && start < cut->own.start)
		cut->own = (struct span){ start, start + bytes };
}

/* LINE without this library's own memory: neighbours of it stand in the same line. */
static void record_rest(const struct maps_line *line)
{
	struct cut cut = { .from = line->start, .to = line->end };
	struct maps_line part = *line;

	while (cut.from < cut.to) {
		cut.own = (struct span){ cut.to, cut.to };
		own_memory_each(find_own, &cut);
		part.start = cut.from;
		part.end = cut.own.start;
		if (part.start < part.end)
			record(&part);
		cut.from = cut.own.end;
	}
}

void regions_record(void)
{
	const struct span library = library_span();
	struct maps_reader reader;
	struct maps_line line;

	if (!maps_open(&reader))
		return;
	while (maps_next(&reader, &line))
		if (!begins_in(&line, &library) && !session_maps(line.start))
			record_rest(&line);
	maps_close(&reader);
}
