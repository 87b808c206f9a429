/*
 * cfi_module.c - from a pc to the unwind tables of its object.
 *
 * Relies on glibc's _dl_find_object (2.35: lock-free, safe in signal handlers)
 * where it exists, else on a table of the loaded objects that is made anew at
 * each change. Promises bounds within which the tables may be read: the segment
 * that holds them, from the object's own program headers, or else the mapping
 * as the kernel lists it.
 */
#include "cfi_module.h"

#include <features.h>
#include <link.h>
#include <string.h>

#include "session.h"
#include "sys.h"
#include "unwind_range.h"

#define PAGE 4096u

static uint32_t module_generation;

#if __GLIBC_PREREQ(2, 35)
#pragma weak _dl_find_object
#else
struct dl_find_object {
	unsigned long long dlfo_flags;
	void *dlfo_map_start, *dlfo_map_end, *dlfo_link_map, *dlfo_eh_frame;
	unsigned long long dlfo_reserved[8];
};
extern int _dl_find_object(void *pc, struct dl_find_object *found) __attribute__((weak));
#endif

/* ---- bounds ---- */

/* The PT_LOAD that holds ADDRESS, as bounds. COUNT headers at PHDR, BIAS added to theirs. */
static bool segment_of(const ElfW(Phdr) *phdr, unsigned count, uint64_t bias,
		       uint64_t address, struct cfi_module *m)
{
	for (unsigned i = 0; i < count; i++) {
		uint64_t start = bias + phdr[i].p_vaddr;

		if (phdr[i].p_type != PT_LOAD || !(phdr[i].p_flags & PF_R) ||
		    address - start >= phdr[i].p_filesz)
			continue;
		m->low = (const uint8_t *)start;
		m->high = m->low + phdr[i].p_filesz;
		return true;
	}
	return false;
}

/*
 * Can the first page of the object at START be read? A file may ask for it not to be. Asked of the
 * kernel once for each change of the list of modules: START and the generation make one word.
 */
static bool header_readable(uint64_t start)
{
	static uint64_t known[64]; /* 6 bits of the hash */
	uint64_t generation = __atomic_load_n(&module_generation, __ATOMIC_ACQUIRE);
	uint64_t key = start | (generation & (PAGE - 1));
	uint64_t *place = &known[start * 0x9e3779b97f4a7c15u >> 58];

	if (__atomic_load_n(place, __ATOMIC_RELAXED) == key)
		return true;
	if (!session.sandboxed && !sys_readable(start))
		return false;
	__atomic_store_n(place, key, __ATOMIC_RELAXED);
	return true;
}

/* By the ELF header at the object's first page, where the program headers follow it there. */
static bool bounds_by_header(uint64_t start, uint64_t end, struct cfi_module *m)
{
	const ElfW(Ehdr) *elf = (const ElfW(Ehdr) *)start;
	const ElfW(Phdr) *phdr;
	uint64_t bias;

	if (start % PAGE || end - start < PAGE || !header_readable(start) ||
	    memcmp(elf->e_ident, ELFMAG, SELFMAG))
		return false;
	if (elf->e_phentsize != sizeof(*phdr) || elf->e_phoff % 8 ||
	    elf->e_phoff > PAGE || elf->e_phnum > (PAGE - elf->e_phoff) / sizeof(*phdr))
		return false;
	phdr = (const ElfW(Phdr) *)(start + elf->e_phoff);
	for (unsigned i = 0; i < elf->e_phnum; i++) {
		if (phdr[i].p_type != PT_LOAD)
			continue;
		if (phdr[i].p_offset != 0)
			return false;
		bias = start - phdr[i].p_vaddr;
		return segment_of(phdr, elf->e_phnum, bias, (uint64_t)m->header, m) &&
		       (uint64_t)m->high <= end;
	}
	return false;
}

/*
 * patchelf moves program headers to the end of the file. Objects that were treated
 * so are asked of the kernel once for each change of the list of modules. A slot is claimed by
 * its header and filled; a reader looks at the header before and after.
 */
#define ASKED_SLOTS 128u /* 7 bits of the hash */

static struct {
	const uint8_t *header, *low, *high;
	uint32_t generation;
} asked[ASKED_SLOTS];
static const uint8_t being_filled;

static bool asked_before(uint32_t slot, uint32_t generation, struct cfi_module *m)
{
	if (__atomic_load_n(&asked[slot].header, __ATOMIC_ACQUIRE) != m->header)
		return false;
	m->low = __atomic_load_n(&asked[slot].low, __ATOMIC_ACQUIRE);
	m->high = __atomic_load_n(&asked[slot].high, __ATOMIC_ACQUIRE);
	return __atomic_load_n(&asked[slot].generation, __ATOMIC_ACQUIRE) == generation &&
	       __atomic_load_n(&asked[slot].header, __ATOMIC_RELAXED) == m->header;
}

static void remember(uint32_t slot, uint32_t generation, const struct cfi_module *m)
{
	const uint8_t *old = __atomic_load_n(&asked[slot].header, __ATOMIC_RELAXED);

	if (old == &being_filled ||
	    !__atomic_compare_exchange_n(&asked[slot].header, &old, &being_filled, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return;
	__atomic_store_n(&asked[slot].low, m->low, __ATOMIC_RELEASE);
	__atomic_store_n(&asked[slot].high, m->high, __ATOMIC_RELEASE);
	__atomic_store_n(&asked[slot].generation, generation, __ATOMIC_RELEASE);
	__atomic_store_n(&asked[slot].header, m->header, __ATOMIC_RELEASE);
}

static bool bounds_by_mapping(struct cfi_module *m)
{
	uint32_t generation = __atomic_load_n(&module_generation, __ATOMIC_ACQUIRE);
	uint32_t slot = (uint32_t)((uint64_t)m->header * 0x9e3779b97f4a7c15u >> 57);
	struct stack_range found;

	if (asked_before(slot, generation, m))
		return true;
	if (!range_of_mapping((uint64_t)m->header, &found))
		return false;
	m->low = (const uint8_t *)found.low;
	m->high = (const uint8_t *)found.high;
	remember(slot, generation, m);
	return true;
}

/* ---- without _dl_find_object ---- */

#define OBJECTS_MAX 1024

struct object {
	uint64_t start, end;
	struct cfi_module module;
};

/* Two tables: one in force, one being made. */
static struct object_table {
	uint32_t count;
	struct object objects[OBJECTS_MAX];
} tables[2];
static uint32_t table_in_force, table_lock;

static int note_object(struct dl_phdr_info *info, size_t bytes, void *data)
{
	struct object_table *table = data;
	struct object *o = &table->objects[table->count];

	(void)bytes;
	memset(o, 0, sizeof(*o));
	o->start = UINT64_MAX;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uint64_t start = info->dlpi_addr + p->p_vaddr;

		if (p->p_type == PT_LOAD) {
			o->start = start < o->start ? start : o->start;
			o->end = start + p->p_memsz > o->end ? start + p->p_memsz : o->end;
		} else if (p->p_type == PT_GNU_EH_FRAME) {
			o->module.header = (const uint8_t *)start;
		}
	}
	if (!o->module.header ||
	    !segment_of(info->dlpi_phdr, info->dlpi_phnum, info->dlpi_addr,
			(uint64_t)o->module.header, &o->module))
		return 0;
	return ++table->count == OBJECTS_MAX;
}

static void table_make(void)
{
	uint32_t next;

	/* two changes at once: the loser's is seen by the winner, or at the next */
	if (__atomic_exchange_n(&table_lock, 1, __ATOMIC_ACQUIRE))
		return;
	next = !table_in_force;
	tables[next].count = 0;
	dl_iterate_phdr(note_object, &tables[next]);
	__atomic_store_n(&table_in_force, next, __ATOMIC_RELEASE);
	__atomic_store_n(&table_lock, 0, __ATOMIC_RELEASE);
}

static const struct object *object_of(uint64_t address)
{
	const struct object_table *t =
		&tables[__atomic_load_n(&table_in_force, __ATOMIC_ACQUIRE)];

	for (uint32_t i = 0; i < t->count; i++) {
		const struct object *o = &t->objects[i];

		if (address - o->start < o->end - o->start)
			return o;
	}
	return NULL;
}

/* ---- interface ---- */

void cfi_module_changed(void)
{
	__atomic_fetch_add(&module_generation, 1, __ATOMIC_RELEASE);
	if (!&_dl_find_object)
		table_make();
}

bool cfi_module_of(uint64_t pc, struct cfi_module *module)
{
	struct dl_find_object found;

	if (!&_dl_find_object) {
		const struct object *o = object_of(pc);

		if (o)
			*module = o->module;
		return o != NULL;
	}
	if (_dl_find_object((void *)pc, &found) != 0 || !found.dlfo_eh_frame)
		return false;
	module->header = found.dlfo_eh_frame;
	return bounds_by_header((uint64_t)found.dlfo_map_start,
				(uint64_t)found.dlfo_map_end, module) ||
	       bounds_by_mapping(module);
}

bool cfi_module_range(uint64_t address, uint64_t *start, uint64_t *end)
{
	struct dl_find_object found;

	if (!&_dl_find_object) {
		const struct object *o = object_of(address);

		if (!o)
			return false;
		*start = o->start;
		*end = o->end;
		return true;
	}
	if (_dl_find_object((void *)address, &found) != 0)
		return false;
	*start = (uint64_t)found.dlfo_map_start;
	*end = (uint64_t)found.dlfo_map_end;
	return true;
}
