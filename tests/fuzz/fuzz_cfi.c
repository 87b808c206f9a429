/*
 * fuzz_cfi.c - target: unwind tables of a damaged module, from a row to the walk out of a real
 * frame. Answers instead of cfi_module.c: whatever pc is asked for, these are the tables.
 *
 * The first 8 bytes: where the header stands in the tables (2), which pc is asked for (4, from
 * the header), what the process holds (2).
 */
#include <string.h>

#include "cfi.h"
#include "cfi_expr.h"
#include "cfi_module.h"
#include "fuzz/fuzz.h"
#include "unwind_full.h"
#include "unwind_rule.h"

#define HEAD_BYTES 8
/* A walk asks for thousands of rows, and each may be looked for from the beginning. */
#define WALKED_BYTES_MAX 2048

static struct cfi_module module;
static bool is_walked;

bool cfi_module_of(uint64_t pc, struct cfi_module *found)
{
	(void)pc;
	*found = module;
	return true;
}

bool cfi_module_range(uint64_t address, uint64_t *start, uint64_t *end)
{
	*start = address - 1;
	*end = address + 4096;
	return is_walked;
}

void cfi_module_changed(void)
{
}

/* Every other word can be read. */
static bool read_word(void *context, uint64_t address, uint64_t *value)
{
	*value = address * 0x9e3779b97f4a7c15u + *(const uint16_t *)context;
	return address % 16 == 0;
}

static void check_expression(const struct cfi_frame *f, int64_t value, uint16_t seed, bool initial)
{
	const uint8_t *block = (const uint8_t *)value;
	struct cfi_machine_state state = { .pc = 0x401009, .read = read_word, .context = &seed };
	const uint64_t cfa = 0x7ffe00000000;
	uint64_t result;

	FUZZ_CHECK(block >= module.low && block <= module.high);
	for (unsigned i = 0; i < CFI_REGS; i++)
		state.reg[i] = (uint64_t)seed << i;
	state.known = (uint64_t)seed << 3 | seed;
	cfi_evaluate(block, f->end, &state, initial ? &cfa : NULL, &result);
}

static void check_frame(const struct cfi_frame *f, uint16_t seed)
{
	const struct cfi_row *row = &f->row;

	FUZZ_CHECK(f->ra < CFI_REGS && f->end > module.low && f->end <= module.high);
	FUZZ_CHECK(row->cfa_where == CFI_REGISTER || row->cfa_where == CFI_VALUE_EXPRESSION);
	if (row->cfa_where == CFI_REGISTER)
		FUZZ_CHECK(row->cfa_register < CFI_REGS);
	else
		check_expression(f, row->cfa_offset, seed, false);
	for (unsigned i = 0; i < CFI_REGS; i++) {
		FUZZ_CHECK(row->where[i] <= CFI_VALUE_EXPRESSION);
		if (row->where[i] == CFI_EXPRESSION || row->where[i] == CFI_VALUE_EXPRESSION)
			check_expression(f, row->value[i], seed, true);
	}
}

/* The rule for PC, as a thread finds it that sees it for the first time. */
static void check_rule(uint64_t pc)
{
	uint64_t rule;

	FUZZ_CHECK(rule_init());
	rule_modules_changed(false);
	rule = rule_of(pc, rules.tag);
	FUZZ_CHECK(rule_kind(rule) >= RULE_SP && rule_kind(rule) <= RULE_HARD);
	FUZZ_CHECK(rule_kind(rule) == RULE_NONE || rule_of(pc, rules.tag) == rule);
	rule_is_signal(pc);
}

/* Out of this function by tables that are not its own: it ends, and reads stacks only. */
static void check_walk(uint64_t pc, uint16_t seed)
{
	static struct stack_ranges ranges;
	struct full_step next;

	is_walked = true;
	full_step_out(&ranges, pc, (uint64_t)__builtin_frame_address(0) + seed * 8u, &next);
	full_meet((uint64_t)__builtin_frame_address(0) + seed * 8u);
	is_walked = false;
}

int fuzz_cfi(const uint8_t *data, size_t size)
{
	struct cfi_frame f;
	uint16_t header, seed;
	int32_t distance;
	uint8_t *tables;
	uint64_t pc;

	if (size <= HEAD_BYTES)
		return 0;
	memcpy(&header, data, 2);
	memcpy(&distance, data + 2, 4);
	memcpy(&seed, data + 6, 2);
	size -= HEAD_BYTES;
	tables = malloc(size);
	FUZZ_CHECK(tables != NULL);
	memcpy(tables, data + HEAD_BYTES, size);
	module = (struct cfi_module){ tables + header % size, tables, tables + size };
	pc = ((uint64_t)module.header + (uint64_t)(int64_t)distance) &
	     (((uint64_t)1 << RULE_PC_BITS) - 1);
	if (cfi_find(pc, &f) == CFI_FOUND)
		check_frame(&f, seed);
	check_rule(pc);
	if (size <= WALKED_BYTES_MAX)
		check_walk(pc, seed % 512);
	free(tables);
	return 0;
}
