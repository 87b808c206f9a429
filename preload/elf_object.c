/*
 * elf_object.c - reads the headers of loaded objects in memory. Relies on the
 * loader having accepted them; memory that may not be there is asked for
 * first. Promises not to read outside an object's segments.
 */
#include "elf_object.h"

#include <elf.h>
#include <string.h>
#include <sys/auxv.h>

#include "sys.h"

#define PAGE_BYTES 4096ul

const struct r_debug *elf_loader(void)
{
	const ElfW(Phdr) *ph = (const ElfW(Phdr) *)getauxval(AT_PHDR);
	size_t count = getauxval(AT_PHNUM);
	const ElfW(Dyn) *dynamic = NULL;
	uint64_t bias = 0;

	if (!ph)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (ph[i].p_type == PT_PHDR)
			bias = (uint64_t)(uintptr_t)ph - ph[i].p_vaddr;
		if (ph[i].p_type == PT_DYNAMIC)
			dynamic = (const ElfW(Dyn) *)(uintptr_t)ph[i].p_vaddr;
	}
	if (!dynamic)
		return NULL;
	dynamic = (const ElfW(Dyn) *)((uintptr_t)dynamic + bias);
	for (; dynamic->d_tag != DT_NULL; dynamic++)
		if (dynamic->d_tag == DT_DEBUG)
			return (const struct r_debug *)(uintptr_t)dynamic->d_un.d_ptr;
	return NULL;
}

const struct r_debug *elf_next_namespace(const struct r_debug *debug)
{
	/* glibc 2.35: struct r_debug_extended, from version 2 on */
	const struct {
		struct r_debug base;
		const struct r_debug *next;
	} *extended = (const void *)debug;

	return debug->r_version >= 2 ? extended->next : NULL;
}

/* ADDR begins a page, of whatever size, that can be read; one that does not is an error too. */
static bool is_readable_page(uint64_t addr)
{
	return addr != 0 && addr % getauxval(AT_PAGESZ) == 0 && sys_readable(addr);
}

static bool object_headers(struct elf_object *object, const struct link_map *map,
			   bool is_main)
{
	const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)(uintptr_t)map->l_addr;

	if (is_main) {
		object->segments = (const ElfW(Phdr) *)getauxval(AT_PHDR);
		object->segment_count = getauxval(AT_PHNUM);
		return object->segments != NULL;
	}
	/* an object whose addresses do not begin at 0 has something else there, or nothing */
	if (!is_readable_page(map->l_addr) || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    header->e_phentsize != sizeof(ElfW(Phdr)) || header->e_phoff % 8 ||
	    header->e_phoff > PAGE_BYTES ||
	    header->e_phnum > (PAGE_BYTES - header->e_phoff) / sizeof(ElfW(Phdr)))
		return false;
	object->segments = (const ElfW(Phdr) *)((uintptr_t)header + header->e_phoff);
	object->segment_count = header->e_phnum;
	return true;
}

bool elf_object_init(struct elf_object *object, const struct link_map *map,
		     bool is_main)
{
	uint64_t low = UINT64_MAX, high = 0;

	*object = (struct elf_object){ .bias = map->l_addr };
	if (!object_headers(object, map, is_main))
		return false;
	for (size_t i = 0; i < object->segment_count; i++) {
		const ElfW(Phdr) *ph = &object->segments[i];

		if (ph->p_type != PT_LOAD)
			continue;
		if (ph->p_vaddr < low)
			low = ph->p_vaddr;
		if (ph->p_vaddr + ph->p_memsz > high)
			high = ph->p_vaddr + ph->p_memsz;
	}
	if (low >= high)
		return false;
	object->start = (object->bias + low) & ~(PAGE_BYTES - 1);
	object->end = (object->bias + high + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
	return true;
}

/* True where a readable PT_LOAD segment of OBJECT holds all of [addr, addr + bytes). */
static bool object_holds(const struct elf_object *object, uint64_t addr, uint64_t bytes)
{
	for (size_t i = 0; i < object->segment_count; i++) {
		const ElfW(Phdr) *ph = &object->segments[i];
		uint64_t start = object->bias + ph->p_vaddr;

		if (ph->p_type == PT_LOAD && (ph->p_flags & PF_R) && addr >= start &&
		    addr - start <= ph->p_filesz && bytes <= ph->p_filesz - (addr - start))
			return true;
	}
	return false;
}

static size_t note_build_id(const uint8_t *p, uint64_t bytes, uint64_t align,
			    uint8_t *id)
{
	ElfW(Nhdr) note;

	/* the only two there are; others would lead anywhere */
	align = align == 8 ? 8 : 4;
	while (bytes >= sizeof(note)) {
		memcpy(&note, p, sizeof(note));
		uint64_t name = sizeof(note);
		uint64_t desc = (name + note.n_namesz + align - 1) & ~(align - 1);
		uint64_t next = (desc + note.n_descsz + align - 1) & ~(align - 1);

		if (desc > bytes || note.n_descsz > bytes - desc)
			return 0;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    memcmp(p + name, "GNU", 4) == 0 && note.n_descsz <= BUILD_ID_MAX) {
			memcpy(id, p + desc, note.n_descsz);
			return note.n_descsz;
		}
		if (next >= bytes)
			return 0;
		p += next;
		bytes -= next;
	}
	return 0;
}

size_t elf_build_id(const struct elf_object *object, uint8_t *id)
{
	for (size_t i = 0; i < object->segment_count; i++) {
		const ElfW(Phdr) *ph = &object->segments[i];
		uint64_t addr = object->bias + ph->p_vaddr;
		size_t bytes;

		if (ph->p_type != PT_NOTE || !object_holds(object, addr, ph->p_filesz))
			continue;
		bytes = note_build_id((const uint8_t *)(uintptr_t)addr, ph->p_filesz,
				      ph->p_align, id);
		if (bytes)
			return bytes;
	}
	return 0;
}

uint64_t elf_dynamic_value(const struct link_map *map, int64_t tag)
{
	for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++)
		if (d->d_tag == tag)
			return d->d_un.d_val;
	return 0;
}

/* The loader has relocated it, or has not. */
uint64_t elf_dynamic_address(const struct link_map *map, int64_t tag)
{
	uint64_t addr = elf_dynamic_value(map, tag);

	return addr && addr < map->l_addr ? addr + map->l_addr : addr;
}

static uint32_t gnu_hash(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (uint8_t)*name;
	return hash;
}

const ElfW(Sym) *elf_symbol(const struct link_map *map, const char *name)
{
	const uint32_t *table = (const uint32_t *)(uintptr_t)elf_dynamic_address(map, DT_GNU_HASH);
	const ElfW(Sym) *symbols = (const ElfW(Sym) *)(uintptr_t)elf_dynamic_address(map, DT_SYMTAB);
	const char *strings = (const char *)(uintptr_t)elf_dynamic_address(map, DT_STRTAB);
	uint32_t hash = gnu_hash(name);
	const uint32_t *buckets, *chain;
	uint32_t i;

	if (!table || !symbols || !strings || table[0] == 0)
		return NULL;
	/* header: buckets, first symbol, bloom words, shift; then the bloom filter */
	buckets = table + 4 + table[2] * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
	chain = buckets + table[0];
	i = buckets[hash % table[0]];
	if (i < table[1])
		return NULL;
	for (;; i++) {
		uint32_t entry = chain[i - table[1]];

		if ((entry | 1) == (hash | 1) && symbols[i].st_shndx != SHN_UNDEF &&
		    strcmp(strings + symbols[i].st_name, name) == 0)
			return &symbols[i];
		if (entry & 1)
			return NULL;
	}
}

const struct link_map *elf_find(const struct r_debug *list, const char *name)
{
	for (const struct link_map *map = list->r_map; map; map = map->l_next) {
		const char *slash = strrchr(map->l_name, '/');

		if (strcmp(slash ? slash + 1 : map->l_name, name) == 0)
			return map;
	}
	return NULL;
}
