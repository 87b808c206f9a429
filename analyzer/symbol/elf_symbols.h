/*
 * elf_symbols.h - functions by the symbol tables of an ELF file: .symtab of the
 * debug file or of the file itself, else .gnu_debugdata, else .dynsym.
 *
 * An address gets a name only where a symbol's extent covers it. In a stripped
 * library the nearest exported name is most often that of another function.
 */
#ifndef SYMBOL_ELF_SYMBOLS_H
#define SYMBOL_ELF_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#include "symbol/module_file.h"

struct elf_symbols;

/* A name in the file, not terminated: a version ("@GLIBC_2.2.5") and ".cold" are cut off. */
struct elf_name {
	const char *text;   /* NULL: unknown */
	size_t bytes;
	uint64_t start;     /* address of the symbol in the file */
};

/* The function symbols of MF, which stays open while they are used. Never NULL. */
struct elf_symbols *elf_symbols_new(const struct module_file *mf);
void elf_symbols_free(struct elf_symbols *s);

/*
 * The function whose code has ADDRESS (as in the file). Of several names of one
 * function the one people write: exported before local, few underscores, short.
 */
struct elf_name elf_symbols_find(const struct elf_symbols *s, uint64_t address);

/*
 * The public name of the function that begins at START and that debug
 * information calls NAME: the longest exported alias that stands in NAME after an
 * underscore, with at most a version behind it: "__libc_malloc" is malloc,
 * "__pthread_create_2_1" pthread_create. text is NULL where there is none.
 */
struct elf_name elf_symbols_alias(const struct elf_symbols *s, uint64_t start,
				  const char *name);

#endif
