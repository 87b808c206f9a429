/*
 * record_kinds.h - the numbers that a recording is made of: record kinds,
 * allocator functions, block classes, loss causes.
 */
#ifndef ALLOTROPE_RECORD_KINDS_H
#define ALLOTROPE_RECORD_KINDS_H

#include <stdint.h>

enum event_kind {
#define EVENT_KIND(number, name, text, cls, fields) EVENT_##name = number,
#include "record_kinds.def"
#undef EVENT_KIND
	EVENT_KIND_COUNT = 16,
};

enum meta_kind {
#define META_KIND(number, name, text, fields) META_##name = number,
#include "record_kinds.def"
#undef META_KIND
	META_KIND_COUNT,
};

/* The tag byte: kind in the low four bits, then flags. */
#define TAG_KIND_MASK 0x0fu
#define TAG_STACK     0x10u /* a stack difference follows the stamp */
#define TAG_ADDR16    0x20u /* the address difference is a multiple of 16, and divided by it */
#define TAG_CLASS     0x40u /* a class byte follows and stays in force (FREE: a func byte follows) */
#define TAG_USABLE    0x80u /* usable size differs from the rule; the difference follows the address */

/* Allocator functions, as `func` bytes. One row: identifier, printed name. */
#define ALLOC_FUNCS(ROW) \
	ROW(MALLOC, "malloc") \
	ROW(CALLOC, "calloc") \
	ROW(REALLOC, "realloc") \
	ROW(REALLOCARRAY, "reallocarray") \
	ROW(POSIX_MEMALIGN, "posix_memalign") \
	ROW(ALIGNED_ALLOC, "aligned_alloc") \
	ROW(MEMALIGN, "memalign") \
	ROW(VALLOC, "valloc") \
	ROW(PVALLOC, "pvalloc") \
	ROW(FREE, "free") \
	ROW(FREE_SIZED, "free_sized") \
	ROW(FREE_ALIGNED_SIZED, "free_aligned_sized") \
	ROW(CFREE, "cfree") \
	ROW(OTHER, "other")

enum alloc_func {
#define ROW(name, text) FUNC_##name,
	ALLOC_FUNCS(ROW)
#undef ROW
	FUNC_COUNT,
};

/* How a block was served. */
enum block_class {
	CLASS_HEAP = 0,    /* main arena, by the program break */
	CLASS_ARENA = 1,   /* a thread arena */
	CLASS_MAPPED = 2,  /* a mapping of its own */
	CLASS_FOREIGN = 3, /* not glibc's malloc: nothing is known but the usable size */
	CLASS_COUNT,
};

/* Memory system calls; numbers are ours so that a recording is portable. */
#define MEMORY_SYSCALLS(ROW) \
	ROW(brk, 1) \
	ROW(mmap, 6) \
	ROW(munmap, 2) \
	ROW(mremap, 5) \
	ROW(mprotect, 3) \
	ROW(madvise, 3) \
	ROW(msync, 3) \
	ROW(mincore, 3) \
	ROW(mlock, 2) \
	ROW(mlock2, 3) \
	ROW(munlock, 2) \
	ROW(mlockall, 1) \
	ROW(munlockall, 0) \
	ROW(shmat, 3) \
	ROW(shmdt, 1) \
	ROW(remap_file_pages, 5) \
	ROW(mbind, 6) \
	ROW(pkey_mprotect, 4) \
	ROW(process_madvise, 5) \
	ROW(set_mempolicy, 3) \
	ROW(get_mempolicy, 5) \
	ROW(migrate_pages, 4) \
	ROW(move_pages, 6) \
	ROW(set_mempolicy_home_node, 4) \
	ROW(io_setup, 2) \
	ROW(io_destroy, 1) \
	ROW(io_uring_register, 4)

enum memory_syscall {
#define ROW(name, argc) SYS_MEM_##name,
	MEMORY_SYSCALLS(ROW)
#undef ROW
	SYS_MEM_COUNT,
};

/* Flags of SYSCALL_BEGIN. */
#define SYSCALL_IN_ALLOCATOR 1u /* made inside the allocator call named by `func` */
#define SYSCALL_INFERRED     2u /* not seen: concluded from the allocator's traces */
#define SYSCALL_BY_HOOK      4u /* seen by interposition, not at libc's own syscall */

/* Why events were not recorded. One row: identifier, key in JSON, sentence. */
#define LOSS_CAUSES(ROW) \
	ROW(NO_SLOT, "no_slot", "the ring was full and the recorder did not keep up") \
	ROW(NO_SPACE, "no_space", "no space was left for the ring file") \
	ROW(NESTED, "nested", "a signal handler interrupted the recording of another event") \
	ROW(NO_STATE, "no_state", "no thread state could be made") \
	ROW(META_FULL, "meta_full", "the metadata area was full") \
	ROW(TOO_LONG, "too_long", "a record did not fit into a segment") \
	ROW(OVERWRITTEN, "overwritten", "flight recorder: older segments were overwritten") \
	ROW(DAMAGED, "damaged", "segments could not be read") \
	ROW(OUTPUT, "output", "the recording could not be written") \
	ROW(SAMPLES, "samples", "the table of sampled blocks was full")

enum loss_cause {
#define ROW(name, key, text) LOSS_##name,
	LOSS_CAUSES(ROW)
#undef ROW
	LOSS_COUNT,
};

/* Frames of a call stack are typed: value = payload << 2 | type. */
enum frame_type {
	FRAME_NATIVE = 0,  /* zigzag difference from the last native pc pushed in this segment */
	FRAME_ID = 1,      /* the pc that META_FRAME_ID gave this number */
	FRAME_PYTHON = 2,  /* reserved: code object and offset */
	FRAME_SPECIAL = 3, /* enum frame_special */
};

enum frame_special {
	SPECIAL_TRUNCATED = 1,  /* deeper than the depth limit */
	SPECIAL_NO_RULE = 2,    /* code without unwind information */
	SPECIAL_HARD_RULE = 3,  /* unwind information that could not be followed */
	SPECIAL_BAD_STACK = 4,  /* the stack pointer left the known stack */
	SPECIAL_NO_STACK = 5,   /* the stack was not taken (guard, option, no unwinder) */
	SPECIAL_COUNT,
};

/* META_PROCESS.how */
enum process_how { PROCESS_STARTED = 0, PROCESS_FORKED = 1 };

/* META_PROCESS.features, bits */
#define FEATURE_SITES_EXACT    1u /* libc's syscall sites are patched */
#define FEATURE_SITES_INFERRED 2u
#define FEATURE_GLIBC_MALLOC   4u /* malloc is glibc's: classes and usable sizes follow its rules */
#define FEATURE_UNWIND_CFI     8u
#define FEATURE_UNWIND_LIBUNWIND 16u
#define FEATURE_FREE_STACKS    32u
#define FEATURE_TIMING_ALL     64u
#define FEATURE_EXECS_SEEN     128u /* libc's execve is patched: what it starts has an EXEC record */
#define FEATURE_FREED_LOOKS    256u /* pages of large blocks are looked at when they are released */

/*
 * META_EXEC.flags: what may keep a program from being recorded, as it is when it is started.
 * Which one did is decided by whether it announced itself; where several could have, the
 * first one counts. One row: identifier, key in JSON, sentence.
 */
#define EXEC_REASONS(ROW) \
	ROW(OTHER_FORMAT, "format", "its file is no ELF program of this system") \
	ROW(OTHER_CLASS, "32-bit", "it is a 32-bit program, the library is for 64 bits") \
	ROW(OTHER_MACHINE, "machine", "it is made for another kind of processor") \
	ROW(STATIC, "static", "it is statically linked: no library can be put into it") \
	ROW(OTHER_LIBC, "libc", "it uses another C library than glibc") \
	ROW(SETUID, "setuid", "it is setuid: the system loads no library of ours into it") \
	ROW(SETGID, "setgid", "it is setgid: the system loads no library of ours into it") \
	ROW(CAPABILITIES, "capabilities", "it has file capabilities: no library of ours is loaded into it") \
	ROW(NO_ENVIRONMENT, "environment", "its environment was cleared, LD_PRELOAD with it") \
	ROW(NO_PRELOAD, "ld_preload", "LD_PRELOAD was taken out of its environment") \
	ROW(NO_RING, "ring", "ALLOTROPE_RING was taken out of its environment")

enum exec_reason {
#define ROW(name, key, text) EXEC_##name,
	EXEC_REASONS(ROW)
#undef ROW
	EXEC_REASON_COUNT,
};

/* META_MEMORY.moment */
/* META_PAGES: runs are missing, they were too many. */
#define PAGES_CUT 1u

enum memory_moment { MEMORY_PERIODIC = 0, MEMORY_AT_EXIT = 1, MEMORY_AT_START = 2, MEMORY_AT_MARK = 3 };

/*
 * Usable bytes that glibc gives for REQUEST bytes of class CLS: the rule that
 * TAG_USABLE is a difference from. malloc/malloc.c: request2size, chunk2mem,
 * sysmalloc_mmap (header of 16 bytes and page rounding). Page size 4096 is part
 * of the rule even where pages are larger: it is only a prediction.
 */
static inline uint64_t usable_rule(uint64_t request, unsigned cls)
{
	uint64_t nb = (request + 8 + 15) & ~(uint64_t)15;

	if (nb < 32)
		nb = 32;
	if (cls == CLASS_MAPPED)
		return ((nb + 8 + 4095) & ~(uint64_t)4095) - 16;
	if (cls == CLASS_FOREIGN)
		return request;
	return nb - 8;
}

#endif
