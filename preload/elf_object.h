/*
 * elf_object.h - loaded objects as they lie in memory: the loader's list, an
 * object's segments, build-id and exported functions. No locks, no heap, no
 * call into the loader.
 */
#ifndef PRELOAD_ELF_OBJECT_H
#define PRELOAD_ELF_OBJECT_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUILD_ID_MAX 64

struct elf_object {
	uint64_t start, end;    /* whole pages, from the first PT_LOAD to the last */
	uint64_t bias;          /* address - virtual address in the file */
	const ElfW(Phdr) *segments;
	size_t segment_count;
};

/* The loader's list of objects (r_debug.r_map, r_brk), or null where it is not found. */
const struct r_debug *elf_loader(void);

/* The list of the next namespace (dlmopen) after DEBUG, or null. */
const struct r_debug *elf_next_namespace(const struct r_debug *debug);

/*
 * Fill OBJECT from MAP, an entry of the loader's list whose object cannot go
 * away during the call. IS_MAIN: the program itself. False where the object has no
 * readable headers in memory.
 */
bool elf_object_init(struct elf_object *object, const struct link_map *map,
		     bool is_main);

/* Copy the build-id to ID (BUILD_ID_MAX bytes); returns its length, 0 without one. */
size_t elf_build_id(const struct elf_object *object, uint8_t *id);

/* The number or the address behind TAG in the dynamic section of MAP; 0: there is none. */
uint64_t elf_dynamic_value(const struct link_map *map, int64_t tag);
uint64_t elf_dynamic_address(const struct link_map *map, int64_t tag);

/* The defined dynamic symbol NAME of MAP by its GNU hash table, or null. */
const ElfW(Sym) *elf_symbol(const struct link_map *map, const char *name);

/* The entry of LIST whose file is called NAME in whatever folder, or null. */
const struct link_map *elf_find(const struct r_debug *list, const char *name);

#endif
