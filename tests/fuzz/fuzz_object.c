/*
 * fuzz_object.c - target: the headers of a loaded object, between two pages that cannot be read. The
 * loader has mapped what PT_LOAD says, so those that say more are cut to what is there.
 */
#include <elf.h>
#include <string.h>
#include <sys/mman.h>

#include "elf_object.h"
#include "fuzz/fuzz.h"

#define PAGE 4096u
#define PAGES 4u

/* PAGES pages that may be read, one before and one after them that may not. */
static uint8_t *room(void)
{
	static uint8_t *base;

	if (!base) {
		uint8_t *map = mmap(NULL, (PAGES + 2) * PAGE, PROT_NONE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		FUZZ_CHECK(map != MAP_FAILED);
		base = map + PAGE;
		FUZZ_CHECK(mprotect(base, PAGES * PAGE, PROT_READ | PROT_WRITE) == 0);
	}
	return base;
}

/*
 * As the loader has mapped it: the first segment at BASE. Returns the bias; 0 where there is none, or
 * where the header would be looked for in memory that the sanitizer keeps for itself.
 */
static uint64_t load(uint8_t *base)
{
	uint64_t first = UINT64_MAX;
	Elf64_Ehdr elf;

	/* what is cut below may be the header itself */
	memcpy(&elf, base, sizeof(elf));
	if (elf.e_phentsize != sizeof(Elf64_Phdr) || elf.e_phoff > PAGE ||
	    elf.e_phnum > (PAGE - elf.e_phoff) / sizeof(Elf64_Phdr))
		return 0;
	for (unsigned i = 0; i < elf.e_phnum; i++) {
		uint8_t *at = base + elf.e_phoff + i * sizeof(Elf64_Phdr);
		Elf64_Phdr ph;

		memcpy(&ph, at, sizeof(ph));
		if (ph.p_type != PT_LOAD)
			continue;
		if (first == UINT64_MAX)
			first = ph.p_vaddr & ~(uint64_t)(PAGE - 1);
		if (ph.p_vaddr - first >= PAGES * PAGE)
			ph.p_type = PT_NULL;
		else if (ph.p_filesz > PAGES * PAGE - (ph.p_vaddr - first))
			ph.p_filesz = PAGES * PAGE - (ph.p_vaddr - first);
		memcpy(at, &ph, sizeof(ph));
	}
	return first >= 2 * PAGES * PAGE ? 0 : (uint64_t)base - first;
}

int fuzz_object(const uint8_t *data, size_t size)
{
	uint8_t *base = room(), id[BUILD_ID_MAX];
	struct link_map map = { .l_name = (char *)"" };
	uint64_t places[4];
	struct elf_object o;

	if (size > PAGES * PAGE)
		size = PAGES * PAGE;
	memset(base, 0, PAGES * PAGE);
	if (size)
		memcpy(base, data, size);
	places[0] = (uint64_t)base;
	places[1] = (uint64_t)base - PAGE;
	places[2] = (uint64_t)base + PAGES * PAGE;
	places[3] = load(base);
	for (size_t i = 0; i < 4; i++) {
		/* headers at BASE are believed only where they say what lies there */
		if (i == 0 && places[3] != places[0])
			continue;
		map.l_addr = places[i];
		if (!elf_object_init(&o, &map, false))
			continue;
		FUZZ_CHECK(o.start % PAGE == 0 && o.end % PAGE == 0);
		FUZZ_CHECK(elf_build_id(&o, id) <= BUILD_ID_MAX);
	}
	return 0;
}
