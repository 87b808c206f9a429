/*
 * smaps.h - the text of /proc/PID/smaps (proc(5)) as rows. Fields are found by their names;
 * those not known here are passed over, those that a kernel does not print are 0.
 */
#ifndef TRACE_SMAPS_H
#define TRACE_SMAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One mapping. Sizes are bytes; what is not said to be resident is address space. */
struct smaps_region {
	uint64_t start, end;
	uint64_t offset, inode;
	uint32_t major, minor;      /* device of the file */
	uint32_t prot;              /* PROT_READ | PROT_WRITE | PROT_EXEC */
	bool is_shared;
	char *name;                 /* as the kernel says it, "" for anonymous memory */
	uint64_t size;              /* end - start */
	uint64_t rss;               /* resident */
	uint64_t pss;               /* resident, shared pages divided by their sharers */
	uint64_t shared_clean, shared_dirty, private_clean, private_dirty; /* add up to rss */
	uint64_t referenced, anonymous, lazy_free, anon_huge, swap, swap_pss, locked;
};

struct smaps {
	struct smaps_region *rows;  /* by address, as the kernel lists them */
	size_t count, capacity;
};

/* Read TEXT of BYTES bytes. What is no line of smaps is passed over. */
struct smaps *smaps_parse(const char *text, size_t bytes);
void smaps_free(struct smaps *s);

/* The row in which ADDRESS lies; NULL: none. */
const struct smaps_region *smaps_find(const struct smaps *s, uint64_t address);

#endif
