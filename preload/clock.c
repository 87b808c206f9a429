/*
 * clock.c - the kernel's clocks without libc's clock_gettime, which others may
 * have interposed (faketime): by the vDSO, else by system call. Promises to be
 * callable before clock_init(), then by system call.
 */
#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

#include "clock.h"
#include "clock_init.h"
#include "sys.h"

#if defined(__aarch64__)
#define VDSO_CLOCK_GETTIME "__kernel_clock_gettime"
#else
#define VDSO_CLOCK_GETTIME "__vdso_clock_gettime"
#endif

typedef int (*clock_gettime_fn)(clockid_t, struct timespec *);

struct clock_state clock_state = { .kind = CLOCK_KIND_MONOTONIC };

static clock_gettime_fn vdso_clock_gettime;

/* Number of symbols of the object whose DT_GNU_HASH table is at HASH. */
static uint32_t gnu_hash_symbols(const uint32_t *hash)
{
	uint32_t buckets = hash[0], first = hash[1], bloom_words = hash[2];
	const uint32_t *bucket = hash + 4 + bloom_words * (sizeof(ElfW(Addr)) / 4);
	const uint32_t *chain = bucket + buckets;
	uint32_t last = 0;

	for (uint32_t i = 0; i < buckets; i++)
		if (bucket[i] > last)
			last = bucket[i];
	if (last < first)
		return first;
	while (!(chain[last - first] & 1))
		last++;
	return last + 1;
}

/* The vDSO is the kernel's own: its tables are trusted. */
static void *vdso_symbol(uintptr_t base, const char *name)
{
	const ElfW(Ehdr) *ehdr = (const ElfW(Ehdr) *)base;
	const ElfW(Phdr) *phdr = (const ElfW(Phdr) *)(base + ehdr->e_phoff);
	const ElfW(Dyn) *dyn = NULL;
	const ElfW(Sym) *symbols = NULL;
	const char *strings = NULL;
	uintptr_t bias = 0;
	uint32_t count = 0;
	int has_bias = 0;

	for (unsigned i = 0; i < ehdr->e_phnum; i++) {
		if (phdr[i].p_type == PT_LOAD && !has_bias) {
			bias = base + phdr[i].p_offset - phdr[i].p_vaddr;
			has_bias = 1;
		} else if (phdr[i].p_type == PT_DYNAMIC) {
			dyn = (const ElfW(Dyn) *)(base + phdr[i].p_offset);
		}
	}
	for (; dyn && dyn->d_tag != DT_NULL; dyn++) {
		uintptr_t at = dyn->d_un.d_ptr + bias;

		if (dyn->d_tag == DT_SYMTAB)
			symbols = (const ElfW(Sym) *)at;
		else if (dyn->d_tag == DT_STRTAB)
			strings = (const char *)at;
		else if (dyn->d_tag == DT_HASH)
			count = ((const uint32_t *)at)[1];
		else if (dyn->d_tag == DT_GNU_HASH && count == 0)
			count = gnu_hash_symbols((const uint32_t *)at);
	}
	if (!symbols || !strings)
		return NULL;
	for (uint32_t i = 0; i < count; i++)
		if (symbols[i].st_shndx != SHN_UNDEF &&
		    strcmp(strings + symbols[i].st_name, name) == 0)
			return (void *)(bias + symbols[i].st_value);
	return NULL;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now = { 0, 0 };

	if (!vdso_clock_gettime || vdso_clock_gettime(clock, &now) != 0)
		SYS2(clock_gettime, clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t clock_realtime_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

void clock_init(uint8_t kind, uint8_t shift)
{
	uintptr_t base = getauxval(AT_SYSINFO_EHDR);

	if (base && !vdso_clock_gettime)
		*(void **)&vdso_clock_gettime = vdso_symbol(base, VDSO_CLOCK_GETTIME);
	clock_state.shift = shift;
	clock_state.kind = kind;
}
