/*
 * address_space.h - the mappings of a process with what each is for: told from the kernel's names
 * and, where the heap at that moment is known, from the blocks that lie in them.
 */
#ifndef FORMS_ADDRESS_SPACE_H
#define FORMS_ADDRESS_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/replay.h"
#include "trace/smaps.h"
#include "trace/map_snapshots.h"

/* In the order in which a summary lists them. */
enum region_type {
	REGION_HEAP,        /* [heap]: the program break */
	REGION_ARENA,       /* of malloc, for threads */
	REGION_MALLOC_MAP,  /* one large block of malloc's */
	REGION_PROGRAM_MAP, /* mapped by the program itself: seen by its mmap */
	REGION_ANONYMOUS,   /* anonymous memory of which nobody was seen */
	REGION_STACK,       /* of the main thread */
	REGION_CODE,        /* executable pages of files */
	REGION_DATA,        /* writable pages of files: .data, relocated tables */
	REGION_READ_ONLY,   /* other pages of files */
	REGION_SHARED,      /* memory shared with other processes; writable maps of files */
	REGION_RESERVED,    /* no access: address space set aside */
	REGION_KERNEL,      /* [vdso] and the like */
	REGION_RECORDER,    /* allotrope's own memory in the process */
	REGION_TYPES,
};

/* One mapping. The figures of the heap are 0 where it is not known. */
struct region_view {
	const struct smaps_region *map;
	enum region_type type;
	struct amount live;       /* blocks of which most lies here; bytes of any that lie here */
	bool has_parts;           /* of blocks that are counted elsewhere */
	uint64_t rounding;        /* of them: usable less requested */
	uint64_t headers;         /* of them: malloc's own word before each block (glibc: 8 bytes) */
	bool has_arena;           /* blocks of a thread's arena are among them */
	uint64_t touched;         /* bytes of touched pages under the requested bytes; needs pages */
	struct amount mapped;     /* mapped by the program: as of `live` */
};

struct address_space {
	const struct smaps *smaps;
	struct region_view *rows; size_t count; /* by address */
	bool has_heap;            /* blocks were added */
	bool has_pages;           /* `touched` is known */
};

/* OWN (may be NULL) tells what belongs to allotrope in process PID beside its ring and library. */
struct address_space *address_space_new(const struct smaps *smaps, const struct map_snapshots *own,
					uint32_t pid);
void address_space_free(struct address_space *a);

/*
 * Add what lives in HEAP, as RP has it now. SNAPSHOT (may be NULL) has the touched pages.
 */
void address_space_add_heap(struct address_space *a, const struct replay *rp,
			    const struct heap *heap, const struct map_snapshot *snapshot);

/* The row in which ADDRESS lies; NULL: none. */
struct region_view *address_space_find(const struct address_space *a, uint64_t address);

/*
 * A piece of a block or of a program's mapping in one row: the kernel has more than one row for
 * a piece of memory with different access, as the guard page of a thread's stack.
 */
struct region_part {
	struct region_view *view;
	uint64_t start, bytes;
	bool is_most;             /* the largest piece: there the block counts as one */
};

/*
 * Call VISIT for each piece of [ADDRESS, ADDRESS + BYTES), by address, up to where no row is.
 * Exactly one piece is_most where there is any.
 */
void address_space_parts(const struct address_space *a, uint64_t address, uint64_t bytes,
			 void (*visit)(const struct region_part *part, void *ctx), void *ctx);

/* The bytes of PART of B, which stands for WEIGHT (replay_weight). */
uint64_t region_part_bytes(const struct region_part *part, const struct block *b, struct amount weight);

/* "program's data": for a table. */
const char *region_type_name(enum region_type type);

#endif
