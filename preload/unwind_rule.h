/*
 * unwind_rule.h - the step out of a frame in eight bytes, and the process's table of
 * them by pc.
 *
 *	bits  0..3   enum rule_kind
 *	bits  4..31  signed: CFA = sp or bp + this
 *	bits 32..47  signed, in words: the caller's bp is saved at CFA + this; 0: unchanged
 *	bits 48..63  signed, in words: the return address is at CFA + this (x86-64: -1)
 *
 * What does not fit is RULE_HARD and left to unwind_full.c.
 */
#ifndef PRELOAD_UNWIND_RULE_H
#define PRELOAD_UNWIND_RULE_H

#include <stdbool.h>
#include <stdint.h>

enum rule_kind {
	RULE_SP = 1,    /* CFA from sp */
	RULE_BP = 2,    /* CFA from bp */
	RULE_SAVED = 3, /* realigned stack: the CFA is the word at bp + offset, bp is saved from bp */
	RULE_SIGNAL = 4,/* the kernel's signal frame at sp */
	RULE_END = 5,   /* outermost frame */
	RULE_NONE = 6,  /* code without unwind information; bits 32..63: rules.changes */
	RULE_HARD = 7,  /* needs other registers, or more than a rule can say */
};

/* No code lies below: such a return address ends the stack. */
#define RULE_PC_MIN 4096u
#define RULE_PC_BITS 48

#if defined(__x86_64__)
/* Words of the signal frame, from sp: ucontext_t.uc_mcontext (asm/sigcontext.h). */
enum { SIGNAL_BP = 120, SIGNAL_SP = 160, SIGNAL_PC = 168 };
#elif defined(__aarch64__)
/* siginfo (128 bytes), then ucontext_t: regs[0] at 312. */
enum { SIGNAL_BP = 544, SIGNAL_SP = 560, SIGNAL_PC = 568 };
#endif

struct rule_entry {
	uint64_t key;  /* pc | tag; 0 free; RULE_BUSY being written */
	uint64_t rule;
};

#define RULE_PAGE_ENTRIES 256u /* of 16 bytes: 4 KiB */
#define RULE_PAGES        256u
#define RULE_PAGES_FIRST  16u  /* in use at first; they grow fourfold */
#define RULE_BUSY         1u

extern struct rule_table {
	struct rule_entry *entries;
	uint64_t mask;    /* entries in use - 1; only grows, from 0 before the first rule */
	uint64_t tag;     /* generation of the code, in the bits above RULE_PC_BITS */
	uint32_t changes; /* modules came or went */
	uint32_t kept;    /* entries that were taken from the free ones */
	uint32_t growing; /* pid of the process that makes the table larger */
} rules __attribute__((visibility("hidden")));

/* Make the table. False: no memory. */
bool rule_init(void);

/* Code was mapped or unmapped. ADDED: nothing was unmapped. */
void rule_modules_changed(bool added);

/* The rule for PC from the tables, into the table: cold. */
uint64_t rule_build(uint64_t pc, uint64_t tag);

/* True where PC lies in the code that the kernel makes a signal handler return to. */
bool rule_is_signal(uint64_t pc);

/*
 * True where PC + 1 is the code that returns from a handler, known by its instructions. On
 * aarch64 only: elsewhere it has unwind information. Needs no table of rules.
 */
bool rule_is_sigreturn(uint64_t pc);

static inline enum rule_kind rule_kind(uint64_t rule)
{
	return (enum rule_kind)(rule & 15);
}

static inline int64_t rule_cfa(uint64_t rule)
{
	return (int32_t)(uint32_t)rule >> 4;
}

/* In bytes. */
static inline int64_t rule_bp(uint64_t rule)
{
	return (int64_t)((int64_t)(rule << 16) >> 48) * 8;
}

static inline int64_t rule_ra(uint64_t rule)
{
#if defined(__x86_64__)
	(void)rule;
	return -8;
#else
	return ((int64_t)rule >> 48) * 8;
#endif
}

/* A return address without pointer authentication code. */
static inline uint64_t rule_strip(uint64_t address)
{
#if defined(__aarch64__)
	return address & (((uint64_t)1 << RULE_PC_BITS) - 1);
#else
	return address;
#endif
}

/*
 * Where PC's entry is looked for first. Code pages map to table pages, so that a
 * program touches about as many pages of the table as it has busy pages of code.
 */
static inline uint64_t rule_home(uint64_t pc)
{
	uint64_t page = (pc >> 12) * 0x9e3779b97f4a7c15u >> (64 - 8);
	uint64_t place = (pc * 0x9e3779b97f4a7c15u) >> (64 - 8);

	return (page * RULE_PAGE_ENTRIES + place) &
	       __atomic_load_n(&rules.mask, __ATOMIC_RELAXED);
}

_Static_assert(RULE_PAGES == 1u << 8 && RULE_PAGE_ENTRIES == 1u << 8, "rule_home");

/* TAG is rules.tag, read once for a stack. */
static inline uint64_t rule_of(uint64_t pc, uint64_t tag)
{
	uint64_t home = rule_home(pc), key = pc | tag, rule;
	const struct rule_entry *e = &rules.entries[home];

	/* the second choice lies in the same line of the cache */
	if (__builtin_expect(__atomic_load_n(&e->key, __ATOMIC_ACQUIRE) != key, 0))
		e = &rules.entries[home ^ 1];
	if (__builtin_expect(__atomic_load_n(&e->key, __ATOMIC_ACQUIRE) == key, 1)) {
		rule = __atomic_load_n(&e->rule, __ATOMIC_ACQUIRE);
		/* the entry may have been given to another pc in between */
		if (__builtin_expect(__atomic_load_n(&e->key, __ATOMIC_RELAXED) == key, 1))
			return rule;
	}
	return rule_build(pc, tag);
}

#endif
