/*
 * elf_symbols.c - one array of functions sorted by address, searched by halving.
 * Relies on libelf for every bounds check of the file; .gnu_debugdata (an ELF
 * file with more symbols, packed with xz) is unpacked by libdwfl.
 */
#include "symbol/elf_symbols.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <elfutils/libdwfl.h>
#include <gelf.h>

#include "base/xmem.h"

struct elf_symbol {
	uint64_t start, end;    /* [start, end) */
	uint64_t furthest;      /* largest end of this and all before it */
	const char *text;
	uint32_t bytes;
	uint8_t underscores;    /* in front */
	bool is_local;
};

struct elf_symbols {
	struct elf_symbol *rows;
	size_t count, capacity;
	Dwfl *dwfl;             /* holds the unpacked .gnu_debugdata; NULL: none */
};

/*
 * Bytes of TEXT without a version ("@GLIBC_2.2.5") and without ".cold": the
 * part of a function that gcc moved away is that function.
 */
static size_t name_bytes(const char *text)
{
	size_t bytes = strcspn(text, "@");
	const char *cold = memmem(text, bytes, ".cold", 5);

	if (cold && cold > text && (cold[5] == '.' || cold + 5 == text + bytes))
		bytes = (size_t)(cold - text);
	return bytes;
}

static void symbol_add(struct elf_symbols *s, const GElf_Sym *sym,
		       uint64_t address, const char *text)
{
	unsigned type = GELF_ST_TYPE(sym->st_info);
	unsigned visibility = GELF_ST_VISIBILITY(sym->st_other);
	struct elf_symbol *row;
	size_t bytes;

	if ((type != STT_FUNC && type != STT_GNU_IFUNC) || address == 0 ||
	    sym->st_shndx == SHN_UNDEF || !text || !*text)
		return;
	bytes = name_bytes(text);
	if (bytes == 0 || bytes > UINT32_MAX)
		return;
	xgrow(&s->rows, &s->capacity, s->count, sizeof(*s->rows));
	row = &s->rows[s->count++];
	*row = (struct elf_symbol){
		.start = address,
		.end = address + sym->st_size,
		.text = text,
		.bytes = (uint32_t)bytes,
		.is_local = GELF_ST_BIND(sym->st_info) == STB_LOCAL ||
			    visibility == STV_HIDDEN ||
			    visibility == STV_INTERNAL,
	};
	if (row->end < row->start)
		row->end = row->start;
	while (text[row->underscores] == '_' && row->underscores < 255)
		row->underscores++;
}

/* Add the functions of ELF's table of TYPE; false where there is no such table. */
static bool table_add(struct elf_symbols *s, Elf *elf, uint32_t type)
{
	Elf_Scn *scn = NULL;
	bool found = false;

	while (elf && (scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;
		Elf_Data *data;
		size_t count;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != type ||
		    sh.sh_entsize == 0)
			continue;
		data = elf_getdata(scn, NULL);
		count = data ? data->d_size / sh.sh_entsize : 0;
		for (size_t i = 0; i < count && i < INT32_MAX; i++) {
			GElf_Sym sym;

			if (gelf_getsym(data, (int)i, &sym))
				symbol_add(s, &sym, sym.st_value,
					   elf_strptr(elf, sh.sh_link, sym.st_name));
		}
		found |= count > 0;
	}
	return found;
}

/* Never asks for a separate file: those were looked for by module_file.c. */
static int no_debuginfo(Dwfl_Module *m, void **data, const char *name,
			Dwarf_Addr base, const char *file, const char *link,
			GElf_Word crc, char **found)
{
	(void)m, (void)data, (void)name, (void)base;
	(void)file, (void)link, (void)crc, (void)found;
	return -1;
}

static const Dwfl_Callbacks dwfl_callbacks = {
	.find_debuginfo = no_debuginfo,
	.section_address = dwfl_offline_section_address,
};

/* Add .gnu_debugdata (and .dynsym, which libdwfl joins to it). */
static bool debugdata_add(struct elf_symbols *s, const struct module_file *mf)
{
	Dwfl_Module *m = NULL;
	GElf_Addr bias = 0;
	int fd, count;

	if (!mf->elf || mf->fd < 0)
		return false;
	fd = dup(mf->fd); /* libdwfl closes its descriptor */
	s->dwfl = dwfl_begin(&dwfl_callbacks);
	if (s->dwfl && fd >= 0)
		m = dwfl_report_offline(s->dwfl, "module", "module", fd);
	if (!m) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	dwfl_report_end(s->dwfl, NULL, NULL);
	count = dwfl_module_getsymtab(m);
	if (!dwfl_module_getelf(m, &bias))
		return false;
	for (int i = 1; i < count; i++) {
		GElf_Sym sym;
		GElf_Addr address;
		const char *text = dwfl_module_getsym_info(m, i, &sym, &address,
							   NULL, NULL, NULL);

		if (text)
			symbol_add(s, &sym, address - bias, text);
	}
	return count > 1;
}

/* By address; of one address the better name first. */
static int symbol_compare(const void *pa, const void *pb)
{
	const struct elf_symbol *a = pa, *b = pb;
	int diff;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->is_local != b->is_local)
		return a->is_local ? 1 : -1;
	if (a->underscores != b->underscores)
		return a->underscores < b->underscores ? -1 : 1;
	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? -1 : 1;
	diff = memcmp(a->text, b->text, a->bytes);
	return diff ? diff : (a->end > b->end) - (a->end < b->end);
}

/*
 * Functions written in assembler may have no size. In a full table they reach
 * to the next function, since no function is missing from it.
 */
static void sizes_complete(struct elf_symbols *s)
{
	uint64_t next = 0;

	for (size_t i = s->count; i-- > 0;) {
		struct elf_symbol *row = &s->rows[i];

		if (row->end == row->start && next > row->start)
			row->end = next;
		if (i > 0 && s->rows[i - 1].start != row->start)
			next = row->start;
	}
}

struct elf_symbols *elf_symbols_new(const struct module_file *mf)
{
	struct elf_symbols *s = xcalloc(1, sizeof(*s));
	bool full = table_add(s, mf->debug, SHT_SYMTAB) ||
		    table_add(s, mf->elf, SHT_SYMTAB);
	uint64_t furthest = 0;

	if (!full && !debugdata_add(s, mf))
		table_add(s, mf->elf, SHT_DYNSYM);
	if (s->count)
		qsort(s->rows, s->count, sizeof(*s->rows), symbol_compare);
	if (full)
		sizes_complete(s);
	for (size_t i = 0; i < s->count; i++) {
		if (s->rows[i].end > furthest)
			furthest = s->rows[i].end;
		s->rows[i].furthest = furthest;
	}
	return s;
}

void elf_symbols_free(struct elf_symbols *s)
{
	if (!s)
		return;
	if (s->dwfl)
		dwfl_end(s->dwfl);
	free(s->rows);
	free(s);
}

/* Number of rows that start at or before ADDRESS. */
static size_t rows_until(const struct elf_symbols *s, uint64_t address)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->rows[mid].start <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct elf_name name_of(const struct elf_symbol *row)
{
	return (struct elf_name){ row->text, row->bytes, row->start };
}

struct elf_name elf_symbols_find(const struct elf_symbols *s, uint64_t address)
{
	const struct elf_symbol *best = NULL;

	for (size_t i = rows_until(s, address); i-- > 0;) {
		const struct elf_symbol *row = &s->rows[i];

		if (row->furthest <= address || (best && best->start != row->start))
			break;
		if (address < row->end)
			best = row; /* the first of its address is the best name */
	}
	return best ? name_of(best) : (struct elf_name){ 0 };
}

/* Is ALIAS (of BYTES) in NAME after an underscore, and only a version behind it ("_2_1")? */
static bool is_alias(const char *name, const char *alias, size_t bytes)
{
	const char *at = memmem(name, strlen(name), alias, bytes);
	const char *rest = at ? at + bytes : NULL;

	return at && at > name && at[-1] == '_' &&
	       (!*rest || (*rest == '_' && strspn(rest, "_0123456789") == strlen(rest)));
}

struct elf_name elf_symbols_alias(const struct elf_symbols *s, uint64_t start,
				  const char *name)
{
	const struct elf_symbol *best = NULL;

	for (size_t i = rows_until(s, start); i-- > 0;) {
		const struct elf_symbol *row = &s->rows[i];

		if (row->start != start)
			break;
		if (row->is_local || row->underscores ||
		    !is_alias(name, row->text, row->bytes))
			continue;
		if (!best || row->bytes > best->bytes)
			best = row;
	}
	return best ? name_of(best) : (struct elf_name){ 0 };
}
