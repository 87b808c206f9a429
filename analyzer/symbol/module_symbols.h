/*
 * module_symbols.h - what the files of one module say about an address: debug
 * information and symbol table brought together.
 */
#ifndef SYMBOL_MODULE_SYMBOLS_H
#define SYMBOL_MODULE_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#include "symbol/dwarf_lines.h"
#include "symbol/elf_symbols.h"
#include "symbol/module_file.h"
#include "symbol/name_pool.h"
#include "symbol/symbol_codec.h"

struct module_symbols {
	struct module_file file;
	struct dwarf_lines *lines;    /* NULL: none */
	struct elf_symbols *symbols;  /* NULL: not needed yet */
};

/*
 * Arguments as of module_file_open; SERVERS are asked for what is missing, NULL: nobody is. Never
 * fails; module_symbols_close releases.
 */
void module_symbols_open(struct module_symbols *m, const char *path,
			 const uint8_t *build_id, size_t build_id_bytes,
			 const char *debug_root, struct debuginfod *servers);
void module_symbols_close(struct module_symbols *m);

/*
 * The functions at ADDRESS (as in the file) into FRAMES, innermost first; names
 * are as in the file (mangled) and belong to POOL. Returns their number, at
 * least 1; all unknown: one frame of NULLs. The last has `into`.
 */
uint32_t module_symbols_find(struct module_symbols *m, uint64_t address,
			     struct name_pool *pool,
			     struct stored_frame frames[SOURCE_FRAMES_MAX]);

#endif
