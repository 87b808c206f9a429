/*
 * module_symbols.c - debug information knows inlined calls and lines, the symbol
 * table knows assembler functions, mangled names of static C++ functions and the
 * public names of libc's ("strdup", where debug information has __strdup). Here
 * the two are joined; neither is opened before it is needed.
 */
#include "symbol/module_symbols.h"

#include <string.h>

void module_symbols_open(struct module_symbols *m, const char *path,
			 const uint8_t *build_id, size_t build_id_bytes,
			 const char *debug_root, struct debuginfod *servers)
{
	*m = (struct module_symbols){ 0 };
	module_file_open(&m->file, path, build_id, build_id_bytes, debug_root);
	if (servers)
		module_file_fetch(&m->file, build_id, build_id_bytes, servers);
	if (!m->file.lines)
		return;
	m->lines = dwarf_lines_new(m->file.lines, m->file.shared);
	if (!m->lines)
		m->file.state = MODULE_NO_LINES;
}

void module_symbols_close(struct module_symbols *m)
{
	dwarf_lines_free(m->lines);
	elf_symbols_free(m->symbols);
	module_file_close(&m->file);
	m->lines = NULL;
	m->symbols = NULL;
}

static const struct elf_symbols *symbols_of(struct module_symbols *m)
{
	if (!m->symbols)
		m->symbols = elf_symbols_new(&m->file);
	return m->symbols;
}

static bool is_mangled(const char *name, size_t bytes)
{
	return bytes > 2 && name[0] == '_' && (name[1] == 'Z' || name[1] == 'R');
}

/* The symbol table's name for the function at ENTRY that debug information calls F. */
static struct elf_name better_name(struct module_symbols *m, uint64_t entry,
				   const struct source_frame *f)
{
	struct elf_name symbol = { 0 };

	if (!entry)
		return symbol;
	if (f->is_c || f->is_linkage)
		return f->name[0] == '_' ?
			elf_symbols_alias(symbols_of(m), entry, f->name) : symbol;
	/* static functions have no linkage name in gcc's debug information */
	symbol = elf_symbols_find(symbols_of(m), entry);
	if (symbol.start != entry || !is_mangled(symbol.text, symbol.bytes))
		symbol.text = NULL;
	return symbol;
}

/* START of the function's code becomes known with its symbol. */
static void function_name(struct module_symbols *m, uint64_t address,
			  uint64_t entry, struct source_frame *f,
			  struct name_pool *pool, uint64_t *start)
{
	struct elf_name symbol;

	if (!f->name) {
		symbol = elf_symbols_find(symbols_of(m), address);
		*start = symbol.text ? symbol.start : 0;
	} else if (f->is_linkage && is_mangled(f->name, strlen(f->name))) {
		return;
	} else {
		symbol = better_name(m, entry, f);
	}
	if (symbol.text)
		f->name = name_pool_add(pool, symbol.text, symbol.bytes);
}

uint32_t module_symbols_find(struct module_symbols *m, uint64_t address,
			     struct name_pool *pool,
			     struct stored_frame frames[SOURCE_FRAMES_MAX])
{
	struct source_frame found[SOURCE_FRAMES_MAX];
	uint64_t entry = 0, start = 0;
	uint32_t count = 0;

	if (m->lines)
		count = dwarf_lines_find(m->lines, address, found, &entry, &start);
	if (count == 0) {
		found[0] = (struct source_frame){ 0 };
		count = 1;
	}
	function_name(m, address, entry, &found[count - 1], pool, &start);
	for (uint32_t i = 0; i < count; i++) {
		frames[i].name = name_pool_string(pool, found[i].name);
		frames[i].file = name_pool_string(pool, found[i].file);
		frames[i].line = (uint32_t)found[i].line;
		frames[i].into = 0;
	}
	if (start && start <= address)
		frames[count - 1].into = address + 1 - start;
	return count;
}
