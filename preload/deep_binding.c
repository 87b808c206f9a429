/*
 * deep_binding.c - leads deeply bound libraries to the hooks. Relies on glibc telling
 * its debugger of new objects before it relocates them (until 2.40), and on a
 * hidden symbol being taken as it stands, without a search. Promises to touch undefined
 * symbols that this library defines, and nothing else.
 */
#include "deep_binding.h"

#include <dlfcn.h>
#include <elf.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "block.h"
#include "elf_object.h"
#include "sys.h"

/* The start of this library. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));

static __thread bool is_deep __attribute__((tls_model("initial-exec")));

void deep_binding_announce(int mode)
{
	is_deep = (mode & RTLD_DEEPBIND) != 0;
}

bool deep_binding_take(void)
{
	bool was_deep = is_deep;

	is_deep = false;
	return was_deep;
}

static int protection(const struct elf_object *object, uint64_t addr)
{
	for (size_t i = 0; i < object->segment_count; i++) {
		const ElfW(Phdr) *ph = &object->segments[i];

		if (ph->p_type == PT_LOAD && addr - object->bias - ph->p_vaddr < ph->p_filesz)
			return (ph->p_flags & PF_R ? PROT_READ : 0) |
			       (ph->p_flags & PF_W ? PROT_WRITE : 0) |
			       (ph->p_flags & PF_X ? PROT_EXEC : 0);
	}
	return PROT_NONE;
}

/*
 * SYMBOL becomes one that is found without a search: VALUE beyond the object's bias, and nobody
 * else sees it. Not SHN_ABS, to which loaders before glibc 2.28 add the bias too (BZ 19818); any
 * other section will do.
 */
static void define(const struct elf_object *object, const ElfW(Sym) *symbol, uint64_t value)
{
	uint64_t page = getauxval(AT_PAGESZ);
	uint64_t start = (uint64_t)(uintptr_t)symbol & ~(page - 1);
	uint64_t bytes = (uint64_t)(uintptr_t)(symbol + 1) - start;
	int prot = protection(object, (uint64_t)(uintptr_t)symbol);
	ElfW(Sym) *changed = (ElfW(Sym) *)(uintptr_t)symbol;

	if (!(prot & PROT_READ) ||
	    (!(prot & PROT_WRITE) && sys_failed(SYS3(mprotect, start, bytes, prot | PROT_WRITE))))
		return;
	changed->st_other = (uint8_t)((symbol->st_other & ~3u) | STV_HIDDEN);
	changed->st_shndx = 1;
	changed->st_value = value;
	if (!(prot & PROT_WRITE))
		SYS3(mprotect, start, bytes, prot);
}

/* The symbols that the relocations TABLE with SIZE of MAP want from elsewhere. */
static void lead_table(const struct link_map *own, const struct link_map *map,
		       const struct elf_object *object, int64_t table, int64_t size)
{
	const ElfW(Rela) *r = (const ElfW(Rela) *)(uintptr_t)elf_dynamic_address(map, table);
	const ElfW(Sym) *symbols = (const ElfW(Sym) *)(uintptr_t)elf_dynamic_address(map, DT_SYMTAB);
	const char *strings = (const char *)(uintptr_t)elf_dynamic_address(map, DT_STRTAB);
	uint64_t count = elf_dynamic_value(map, size) / sizeof(*r);

	for (; r && symbols && strings && count > 0; r++, count--) {
		const ElfW(Sym) *s = &symbols[ELF64_R_SYM(r->r_info)], *hook;

		if (s == symbols || s->st_shndx != SHN_UNDEF || ELF64_ST_BIND(s->st_info) == STB_LOCAL ||
		    ELF64_ST_VISIBILITY(s->st_other) != STV_DEFAULT)
			continue;
		hook = elf_symbol(own, strings + s->st_name);
		if (hook && hook->st_shndx != SHN_UNDEF)
			define(object, s, own->l_addr + hook->st_value - map->l_addr);
	}
}

static bool has_malloc(const struct link_map *map)
{
	const ElfW(Sym) *symbol = elf_symbol(map, "malloc");

	return symbol && symbol->st_shndx != SHN_UNDEF;
}

void deep_binding_lead(const struct r_debug *list, const struct link_map *const *maps,
		       unsigned count)
{
	const struct link_map *own = list->r_map;
	struct elf_object object;

	while (own && own->l_addr != (uintptr_t)__ehdr_start)
		own = own->l_next;
	if (!own || !block_is_glibc || has_malloc(list->r_map))
		return;
	for (unsigned i = 0; i < count; i++)
		if (has_malloc(maps[i]))
			return;
	for (unsigned i = 0; i < count; i++) {
		if (!elf_object_init(&object, maps[i], false))
			continue;
		lead_table(own, maps[i], &object, DT_RELA, DT_RELASZ);
		lead_table(own, maps[i], &object, DT_JMPREL, DT_PLTRELSZ);
	}
}
