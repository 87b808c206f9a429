/*
 * unwind_rule.c - from rows to rules, and the table that keeps them.
 *
 * Relies on cfi.c for rows. The table is open addressing within a page, entries are
 * claimed by compare-and-swap of their key and never waited for: a thread that finds
 * no place goes on without keeping the rule. Promises that a rule found is the one for
 * that pc in the code generation asked for.
 */
#include "unwind_rule.h"

#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "cfi.h"
#include "cfi_expr.h"
#include "cfi_module.h"
#include "own_memory.h"
#include "session.h"
#include "sys.h"
#include "unwind_range.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* Entries looked at, a pc's home first: those of four lines of the cache. */
#define PROBES 16u

/*
 * One entry of so many may be taken before the table grows. In a larger one more
 * rules stand in their home, but fewer of them in the processor's cache.
 */
#define ENTRIES_PER_KEPT 4u

struct rule_table rules;

/* ---- from rows to rules ---- */

static uint64_t make_rule(enum rule_kind kind, int64_t cfa, int64_t bp, int64_t ra)
{
	if (cfa != (int64_t)((uint64_t)cfa << 36) >> 36 || (bp | ra) & 7 ||
	    bp / 8 != (int16_t)(bp / 8) || ra / 8 != (int16_t)(ra / 8))
		return RULE_HARD;
	return (uint64_t)kind | (uint64_t)(uint32_t)((uint32_t)cfa << 4) |
	       (uint64_t)(uint16_t)(bp / 8) << 32 | (uint64_t)(uint16_t)(ra / 8) << 48;
}

static bool no_memory(void *context, uint64_t address, uint64_t *value)
{
	(void)context;
	(void)address;
	(void)value;
	return false;
}

/*
 * True where the expression is register REG plus a constant. Registers are all
 * unknown but this one and the pc; two values of it must give one difference.
 */
static bool is_affine(const struct cfi_frame *f, int64_t block, unsigned reg, uint64_t pc,
		      int64_t *offset)
{
	struct cfi_machine_state state = { .pc = pc, .read = no_memory };
	uint64_t first, second;

	state.known = (uint64_t)1 << reg;
	state.reg[reg] = 0x10000000;
	if (!cfi_evaluate((const uint8_t *)block, f->end, &state, NULL, &first))
		return false;
	state.reg[reg] = 0x7123456789a8;
	if (!cfi_evaluate((const uint8_t *)block, f->end, &state, NULL, &second))
		return false;
	*offset = (int64_t)(first - 0x10000000);
	return second - 0x7123456789a8 == first - 0x10000000;
}

struct saved_cfa {
	uint64_t address;
	unsigned reads;
};

static bool note_read(void *context, uint64_t address, uint64_t *value)
{
	struct saved_cfa *saved = context;

	saved->address = address;
	saved->reads++;
	*value = 0x7fff00001000;
	return true;
}

/* True where the CFA is the word at bp + *OFFSET: how gcc keeps it in a realigned frame. */
static bool is_saved_cfa(const struct cfi_frame *f, int64_t *offset)
{
	struct saved_cfa saved = { 0 };
	struct cfi_machine_state state = { .read = note_read, .context = &saved };
	uint64_t cfa;

	state.known = (uint64_t)1 << CFI_BP;
	state.reg[CFI_BP] = 0x7ffe00000000;
	if (!cfi_evaluate((const uint8_t *)f->row.cfa_offset, f->end, &state, NULL, &cfa))
		return false;
	*offset = (int64_t)(saved.address - 0x7ffe00000000);
	return saved.reads == 1 && cfa == 0x7fff00001000;
}

/* True where the kernel's signal frame is where the ABI has it. */
static bool is_signal_frame(const struct cfi_frame *f)
{
	const struct cfi_row *row = &f->row;
	int64_t pc, bp;

	if (!f->signal || row->where[f->ra] != CFI_EXPRESSION ||
	    row->where[CFI_BP] != CFI_EXPRESSION)
		return false;
	return is_affine(f, row->value[f->ra], CFI_SP, 0, &pc) && pc == SIGNAL_PC &&
	       is_affine(f, row->value[CFI_BP], CFI_SP, 0, &bp) && bp == SIGNAL_BP;
}

/* Where bp is saved, in bytes from BASE (the CFA, or bp for RULE_SAVED); 0: unchanged. */
static bool saved_bp(const struct cfi_frame *f, enum rule_kind kind, int64_t cfa, int64_t *bp)
{
	const struct cfi_row *row = &f->row;
	unsigned base = kind == RULE_SP ? CFI_SP : CFI_BP;

	switch (row->where[CFI_BP]) {
	case CFI_SAME:
	case CFI_UNDEFINED:
		*bp = 0;
		return kind != RULE_SAVED;
	case CFI_OFFSET:
		*bp = row->value[CFI_BP];
		return kind != RULE_SAVED && *bp != 0;
	case CFI_EXPRESSION:
		if (!is_affine(f, row->value[CFI_BP], base, 0, bp))
			return false;
		if (kind == RULE_SAVED)
			return true;
		*bp -= cfa;
		return *bp != 0;
	default:
		return false;
	}
}

static uint64_t rule_from(const struct cfi_frame *f, uint64_t pc)
{
	const struct cfi_row *row = &f->row;
	int64_t cfa = row->cfa_offset, bp;
	enum rule_kind kind;

	if (row->where[f->ra] == CFI_UNDEFINED)
		return RULE_END;
	if (is_signal_frame(f))
		return RULE_SIGNAL;
	if (f->signal || row->where[f->ra] != CFI_OFFSET || row->where[CFI_SP] != CFI_SAME)
		return RULE_HARD;
#if defined(__x86_64__)
	if (row->value[f->ra] != -8)
		return RULE_HARD;
#endif
	if (row->cfa_where == CFI_REGISTER) {
		if (row->cfa_register != CFI_SP && row->cfa_register != CFI_BP)
			return RULE_HARD;
		kind = row->cfa_register == CFI_SP ? RULE_SP : RULE_BP;
	} else if (is_affine(f, row->cfa_offset, CFI_SP, pc, &cfa)) {
		kind = RULE_SP; /* procedure linkage tables */
	} else if (is_saved_cfa(f, &cfa)) {
		kind = RULE_SAVED;
	} else {
		return RULE_HARD;
	}
	if (!saved_bp(f, kind, cfa, &bp))
		return RULE_HARD;
	return make_rule(kind, cfa, bp, row->value[f->ra]);
}

/*
 * A coroutine's first function returns to the first byte of glibc's __start_context,
 * which nothing calls: one before it there is other code or none. makecontext(3) tells where
 * it is.
 */
static uint64_t coroutine_return;

static void no_coroutine(void)
{
}

static void find_coroutine_return(void)
{
	static uint64_t stack[128];
	static ucontext_t context;

	context.uc_stack.ss_sp = stack;
	context.uc_stack.ss_size = sizeof(stack);
	makecontext(&context, no_coroutine, 0);
#if defined(__x86_64__)
	coroutine_return = *(uint64_t *)context.uc_mcontext.gregs[REG_RSP];
#else
	coroutine_return = context.uc_mcontext.regs[30];
#endif
}

#if defined(__aarch64__)
/*
 * The code that a handler returns to has no unwind information in newer kernels' vdso:
 * it is known by its two instructions, as libgcc and gdb know it.
 */
bool rule_is_sigreturn(uint64_t pc)
{
	const uint32_t *code = (const uint32_t *)(pc + 1);
	struct stack_range r;

	return (pc + 1) % 4 == 0 && range_of_mapping(pc + 1, &r) && r.high - (pc + 1) >= 8 &&
	       code[0] == 0xd2801168 && code[1] == 0xd4000001; /* mov x8, #139; svc #0 */
}
#else
bool rule_is_sigreturn(uint64_t pc)
{
	(void)pc;
	return false;
}
#endif

static uint64_t rule_for(uint64_t pc)
{
	struct cfi_frame f;

	if (pc + 1 == coroutine_return)
		return RULE_END;
	if (cfi_find(pc, &f) == CFI_FOUND)
		return rule_from(&f, pc);
	if (rule_is_sigreturn(pc))
		return RULE_SIGNAL;
	return RULE_NONE | (uint64_t)__atomic_load_n(&rules.changes, __ATOMIC_RELAXED) << 32;
}

bool rule_is_signal(uint64_t pc)
{
	if (!rules.entries || pc >> RULE_PC_BITS)
		return false;
	return rule_kind(rule_of(pc, rules.tag)) == RULE_SIGNAL;
}

/* ---- the table ---- */

/*
 * The pages [FROM, TO), all at once: one by one each costs two faults, as an entry
 * is read before it is written.
 */
static void pages_make(uint64_t from, uint64_t to)
{
	const size_t page = RULE_PAGE_ENTRIES * sizeof(struct rule_entry);

	SYS3(madvise, (uint8_t *)rules.entries + from * page, (to - from) * page,
	     MADV_POPULATE_WRITE);
}

bool rule_init(void)
{
	size_t bytes = (size_t)RULE_PAGES * RULE_PAGE_ENTRIES * sizeof(struct rule_entry);
	void *p;

	if (rules.entries)
		return true;
	p = own_map(bytes);
	if (!p)
		return false;
	SYS3(madvise, p, bytes, MADV_DONTDUMP);
	/* a huge page would cost 2 MiB and its zeroing at the first rule */
	SYS3(madvise, p, bytes, MADV_NOHUGEPAGE);
	rules.entries = p;
	cfi_module_changed();
	find_coroutine_return();
	return true;
}

static struct rule_entry *probe(uint64_t home, unsigned n)
{
	uint64_t page = home & ~(uint64_t)(RULE_PAGE_ENTRIES - 1);

	return &rules.entries[page | ((home ^ n) & (RULE_PAGE_ENTRIES - 1))];
}

/* A rule that says "nothing known" is only as good as the list of modules it was made from. */
static bool is_current(uint64_t rule)
{
	return rule_kind(rule) != RULE_NONE ||
	       rule >> 32 == __atomic_load_n(&rules.changes, __ATOMIC_RELAXED);
}

static bool keep(struct rule_entry *e, uint64_t seen, uint64_t key, uint64_t rule)
{
	if (!__atomic_compare_exchange_n(&e->key, &seen, RULE_BUSY, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return false;
	__atomic_store_n(&e->rule, rule, __ATOMIC_RELEASE);
	__atomic_store_n(&e->key, key, __ATOMIC_RELEASE);
	return true;
}

/* ---- growing ---- */

/* The first free entry of KEY's page in the larger table takes RULE; it may also be lost. */
static void move(uint64_t key, uint64_t rule)
{
	uint64_t home = rule_home(key & (((uint64_t)1 << RULE_PC_BITS) - 1));

	for (unsigned n = 0; n < PROBES; n++)
		if (__atomic_load_n(&probe(home, n)->key, __ATOMIC_RELAXED) == 0 &&
		    keep(probe(home, n), 0, key, rule))
			return;
}

/*
 * One thread moves the entries, the others go on: what they look for in between is at
 * worst built again. The mask goes first, so that nothing is kept any more where it
 * would not be found.
 */
static __attribute__((noinline)) void grow(void)
{
	uint32_t holder = __atomic_load_n(&rules.growing, __ATOMIC_RELAXED);
	uint64_t old = (rules.mask + 1) / RULE_PAGE_ENTRIES;
	uint64_t pages = old ? old * 4 : RULE_PAGES_FIRST;

	/* another process holds it: a thread of the parent, which this child does not have */
	if (old >= RULE_PAGES || holder == session.pid ||
	    !__atomic_compare_exchange_n(&rules.growing, &holder, session.pid, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	pages_make(old, pages);
	__atomic_store_n(&rules.mask, pages * RULE_PAGE_ENTRIES - 1, __ATOMIC_RELEASE);
	for (uint64_t i = 0; i < old * RULE_PAGE_ENTRIES; i++) {
		struct rule_entry *e = &rules.entries[i];
		uint64_t key = __atomic_load_n(&e->key, __ATOMIC_ACQUIRE);
		uint64_t rule = __atomic_load_n(&e->rule, __ATOMIC_ACQUIRE);

		if (key == 0 || key == RULE_BUSY ||
		    rule_home(key & (((uint64_t)1 << RULE_PC_BITS) - 1)) / RULE_PAGE_ENTRIES ==
			    i / RULE_PAGE_ENTRIES)
			continue;
		if (__atomic_compare_exchange_n(&e->key, &key, 0, false, __ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED))
			move(key, rule);
	}
	__atomic_store_n(&rules.growing, 0, __ATOMIC_RELEASE);
}

/* A free entry was taken. */
static void count_kept(void)
{
	uint32_t kept = __atomic_add_fetch(&rules.kept, 1, __ATOMIC_RELAXED);

	if (kept > (rules.mask + 1) / ENTRIES_PER_KEPT)
		grow();
}

uint64_t rule_build(uint64_t pc, uint64_t tag)
{
	uint64_t home, key = pc | tag, rule, seen, victim_seen = RULE_BUSY;
	struct rule_entry *victim = NULL;

	if (pc >> RULE_PC_BITS)
		return RULE_NONE;
	/* a process that takes no stack has no table */
	if (rules.mask == 0)
		grow();
	home = rule_home(pc);
	for (unsigned n = 0; n < PROBES; n++) {
		struct rule_entry *e = probe(home, n);

		seen = __atomic_load_n(&e->key, __ATOMIC_ACQUIRE);
		if (seen == key) {
			rule = __atomic_load_n(&e->rule, __ATOMIC_ACQUIRE);
			if (__atomic_load_n(&e->key, __ATOMIC_RELAXED) == key && is_current(rule))
				return rule;
			victim = e;
			victim_seen = seen;
			break;
		}
		if (seen == 0) {
			if (!victim) {
				victim = e;
				victim_seen = seen;
			}
			break;
		}
		if (seen != RULE_BUSY && seen >> RULE_PC_BITS << RULE_PC_BITS != tag && !victim) {
			victim = e;
			victim_seen = seen;
		}
	}
	rule = rule_for(pc);
	if (!victim) {
		/* all taken: the newest is the likeliest to be wanted again */
		victim = probe(home, 0);
		victim_seen = __atomic_load_n(&victim->key, __ATOMIC_RELAXED);
	}
	if (victim_seen != RULE_BUSY && keep(victim, victim_seen, key, rule) && victim_seen == 0)
		count_kept();
	return rule;
}

void rule_modules_changed(bool added)
{
	cfi_module_changed();
	if (!added) {
		uint64_t tag = __atomic_load_n(&rules.tag, __ATOMIC_RELAXED);

		while (!__atomic_compare_exchange_n(&rules.tag, &tag,
						    tag + ((uint64_t)1 << RULE_PC_BITS), false,
						    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
			;
		/* after 65536 unloads old entries would look new */
		if (rules.entries && tag + ((uint64_t)1 << RULE_PC_BITS) == 0)
			SYS3(madvise, rules.entries, (size_t)RULE_PAGES * RULE_PAGE_ENTRIES *
			     sizeof(struct rule_entry), MADV_DONTNEED);
	}
	__atomic_fetch_add(&rules.changes, 1, __ATOMIC_RELEASE);
}
