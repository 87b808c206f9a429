/*
 * unwind_full.c - an unwinder with a whole register file, after DWARF 5 section 6.4.3.
 *
 * Relies on cfi.c for rows and on the unwind tables of this library for its own frames:
 * it begins with its own registers and walks out through the hook into the target. Promises
 * to read stack words only inside known ranges, and to end.
 */
#include "unwind_full.h"

#include <stddef.h>
#include <string.h>

#include "cfi.h"
#include "cfi_expr.h"
#include "cfi_module.h"
#include "unwind_rule.h"

/* Frames walked before giving up: the deepest stack that is written, twice. */
#define WALK_MAX 8192

struct walk {
	struct cfi_machine_state now;
	struct stack_ranges *ranges;
	struct stack_range stack; /* that sp is in */
	bool exact;               /* now.pc was interrupted, not called from */
};

/*
 * The stack that sp is in. Of the one that this function runs on only what lies at or above HERE: below
 * it the first thread's may not be mapped yet, and grows where it is read, or ends the process.
 */
static bool find_stack(struct walk *w, uint64_t here)
{
	uint64_t sp = w->now.reg[CFI_SP];
	bool own;

	if (range_holds(&w->stack, sp))
		return true;
	if (!range_find(w->ranges, sp, &w->stack, &own))
		return false;
	if (range_holds(&w->stack, here))
		w->stack.low = here & ~(uint64_t)7;
	return range_holds(&w->stack, sp);
}

static bool read_stack(void *context, uint64_t address, uint64_t *value)
{
	const struct walk *w = context;

	if (address & 7 || !range_holds(&w->stack, address))
		return false;
	*value = *(const uint64_t *)address;
	return true;
}

static bool is_known(const struct walk *w, uint64_t reg)
{
	return reg < CFI_REGS && (w->now.known >> reg & 1);
}

/* The caller's value of register REG. */
static bool recover(struct walk *w, const struct cfi_frame *f, unsigned reg, uint64_t cfa,
		    uint64_t *value)
{
	uint64_t from = (uint64_t)f->row.value[reg], address;

	switch (f->row.where[reg]) {
	case CFI_SAME:
		*value = w->now.reg[reg];
		return is_known(w, reg);
	case CFI_OFFSET:
		return read_stack(w, cfa + from, value);
	case CFI_VALUE_OFFSET:
		*value = cfa + from;
		return true;
	case CFI_REGISTER:
		*value = is_known(w, from) ? w->now.reg[from] : 0;
		return is_known(w, from);
	case CFI_EXPRESSION:
		return cfi_evaluate((const uint8_t *)from, f->end, &w->now, &cfa, &address) &&
		       read_stack(w, address, value);
	case CFI_VALUE_EXPRESSION:
		return cfi_evaluate((const uint8_t *)from, f->end, &w->now, &cfa, value);
	default:
		return false;
	}
}

static bool find_cfa(const struct walk *w, const struct cfi_frame *f, uint64_t *cfa)
{
	const struct cfi_row *row = &f->row;

	if (row->cfa_where == CFI_VALUE_EXPRESSION)
		return cfi_evaluate((const uint8_t *)row->cfa_offset, f->end, &w->now, NULL, cfa);
	*cfa = w->now.reg[row->cfa_register] + (uint64_t)row->cfa_offset;
	return is_known(w, row->cfa_register);
}

/* To the caller's state, by the rules of frame F. */
static bool step_out(struct walk *w, const struct cfi_frame *f)
{
	struct cfi_machine_state next = w->now;
	uint64_t cfa, pc;

	if (!find_cfa(w, f, &cfa))
		return false;
	next.known = 0;
	for (unsigned reg = 0; reg < CFI_REGS; reg++) {
		if (reg != CFI_SP && recover(w, f, reg, cfa, &next.reg[reg]))
			next.known |= (uint64_t)1 << reg;
	}
	next.reg[CFI_SP] = cfa;
	if (f->row.where[CFI_SP] != CFI_SAME &&
	    !recover(w, f, CFI_SP, cfa, &next.reg[CFI_SP]))
		return false;
	next.known |= (uint64_t)1 << CFI_SP;
	if (f->signal) {
#if defined(__x86_64__)
		pc = next.reg[CFI_RA];
#else
		/* the pc has no register number of its own there */
		if (!read_stack(w, w->now.reg[CFI_SP] + SIGNAL_PC, &pc))
			return false;
#endif
	} else {
		if (!(next.known >> f->ra & 1))
			return false;
		pc = next.reg[f->ra];
	}
	pc = rule_strip(pc);
	w->exact = f->signal;
	next.pc = w->exact ? pc : pc - 1;
	w->now = next;
	return pc >= RULE_PC_MIN;
}

#if defined(__aarch64__)
/* Out of a signal frame that has no unwind information: SIGNAL_PC and what stands before it. */
static bool leave_handler(struct walk *w)
{
	const uint64_t at = w->now.reg[CFI_SP] + SIGNAL_SP - CFI_SP * sizeof(uint64_t);
	struct cfi_machine_state next = w->now;

	if (!rule_is_sigreturn(w->now.pc))
		return false;
	for (unsigned reg = 0; reg <= CFI_SP; reg++)
		if (!read_stack(w, at + reg * sizeof(uint64_t), &next.reg[reg]))
			return false;
	if (!read_stack(w, w->now.reg[CFI_SP] + SIGNAL_PC, &next.pc))
		return false;
	next.known = ((uint64_t)2 << CFI_SP) - 1;
	w->exact = true;
	w->now = next;
	return true;
}
#else
static bool leave_handler(struct walk *w)
{
	(void)w;
	return false;
}
#endif

/* The same by whatever there is. SIGNAL: the frame left was the kernel's for a handler. */
static bool step(struct walk *w, bool *signal)
{
	struct cfi_frame f;

	*signal = true;
	if (cfi_find(w->now.pc, &f) != CFI_FOUND)
		return leave_handler(w);
	*signal = f.signal;
	return step_out(w, &f);
}

#if defined(__x86_64__)
#define REGISTER_NOW(number, name) do { \
	__asm__ volatile("mov %%" name ", %0" : "=r"(w->now.reg[number])); \
	w->now.known |= (uint64_t)1 << (number); \
} while (0)
#else
#define REGISTER_NOW(number, name) do { \
	__asm__ volatile("mov %0, " name : "=r"(w->now.reg[number])); \
	w->now.known |= (uint64_t)1 << (number); \
} while (0)
#endif

/* The caller's registers, as they are inside it: this must be inlined. */
static inline __attribute__((always_inline)) void registers_here(struct walk *w)
{
	w->now.known = 0;
#if defined(__x86_64__)
	REGISTER_NOW(3, "rbx");
	REGISTER_NOW(6, "rbp");
	REGISTER_NOW(7, "rsp");
	REGISTER_NOW(12, "r12");
	REGISTER_NOW(13, "r13");
	REGISTER_NOW(14, "r14");
	REGISTER_NOW(15, "r15");
	__asm__ volatile("lea 0(%%rip), %0" : "=r"(w->now.pc));
#else
	REGISTER_NOW(19, "x19");
	REGISTER_NOW(20, "x20");
	REGISTER_NOW(21, "x21");
	REGISTER_NOW(22, "x22");
	REGISTER_NOW(23, "x23");
	REGISTER_NOW(24, "x24");
	REGISTER_NOW(25, "x25");
	REGISTER_NOW(26, "x26");
	REGISTER_NOW(27, "x27");
	REGISTER_NOW(28, "x28");
	REGISTER_NOW(29, "x29");
	REGISTER_NOW(31, "sp");
	__asm__ volatile("adr %0, ." : "=r"(w->now.pc));
#endif
}

__attribute__((noinline))
bool full_step_out(struct stack_ranges *ranges, uint64_t pc, uint64_t sp,
		   struct full_step *next)
{
	struct walk walk, *w = &walk;
	uint64_t here;
	bool signal;

	w->now.read = read_stack;
	w->now.context = w;
	w->ranges = ranges;
	w->exact = true;
	w->stack = (struct stack_range){ 0, 0 };
	registers_here(w);
	here = w->now.reg[CFI_SP];
	for (unsigned i = 0; i < WALK_MAX; i++) {
		bool there = w->now.pc == pc && w->now.reg[CFI_SP] == sp;

		if (!find_stack(w, here))
			return false;
		if (!step(w, &signal))
			return false;
		if (there) {
			next->pc = w->now.pc;
			next->sp = w->now.reg[CFI_SP];
			next->bp = w->now.reg[CFI_BP];
			return true;
		}
	}
	return false;
}

__attribute__((noinline))
enum full_meeting full_meet(uint64_t frame)
{
	struct stack_ranges ranges;
	struct walk walk, *w = &walk;
	uint64_t start, end, here;
	bool interrupted = false, signal;

	if (!cfi_module_range((uint64_t)full_meet, &start, &end))
		return FULL_UNKNOWN;
	memset(&ranges, 0, sizeof(ranges));
	w->now.read = read_stack;
	w->now.context = w;
	w->ranges = &ranges;
	w->exact = true;
	w->stack = (struct stack_range){ 0, 0 };
	registers_here(w);
	here = w->now.reg[CFI_SP];
	for (unsigned i = 0; i < WALK_MAX; i++) {
		uint64_t sp = w->now.reg[CFI_SP];

		/* a handler's frames may have the register as it was in the hook */
		if (is_known(w, CFI_BP) && w->now.reg[CFI_BP] == frame &&
		    w->now.pc - start < end - start)
			return interrupted ? FULL_MET_INTERRUPTED : FULL_MET;
		if (!find_stack(w, here))
			return FULL_UNKNOWN;
		if (range_holds(&w->stack, frame) && sp > frame)
			return FULL_PASSED;
		if (!step(w, &signal))
			return FULL_UNKNOWN;
		interrupted |= signal;
	}
	return FULL_UNKNOWN;
}
