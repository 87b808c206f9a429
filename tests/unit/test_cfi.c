/*
 * test_cfi.c - call frame information: rows against elfutils' on the libraries loaded
 * here, and tables damaged at random.
 *
 * cfi.c asks cfi_module_of for tables; this file answers instead of cfi_module.c, so
 * that the tables can be copies that end at an unmapped page.
 */
#include "test.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cfi.h"
#include "cfi_expr.h"
#include "cfi_module.h"

static struct cfi_module given;
static bool have_module;

bool cfi_module_of(uint64_t pc, struct cfi_module *module)
{
	(void)pc;
	*module = given;
	return have_module;
}

/* ---- a loaded object ---- */

struct object {
	const char *name; /* part of its path */
	char path[4096];
	uint64_t bias;
	uint64_t text, text_end;
	struct cfi_module module;
};

static int note_object(struct dl_phdr_info *info, size_t bytes, void *data)
{
	struct object *o = data;

	(void)bytes;
	if (!strstr(info->dlpi_name, o->name))
		return 0;
	snprintf(o->path, sizeof(o->path), "%s", info->dlpi_name);
	o->bias = info->dlpi_addr;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const uint8_t *start = (const uint8_t *)(info->dlpi_addr + p->p_vaddr);

		if (p->p_type == PT_LOAD && (p->p_flags & PF_X)) {
			o->text = (uint64_t)start;
			o->text_end = o->text + p->p_memsz;
		}
		if (p->p_type == PT_GNU_EH_FRAME)
			o->module.header = start;
	}
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const uint8_t *start = (const uint8_t *)(info->dlpi_addr + p->p_vaddr);

		if (p->p_type == PT_LOAD && o->module.header >= start &&
		    o->module.header < start + p->p_filesz) {
			o->module.low = start;
			o->module.high = start + p->p_filesz;
		}
	}
	return 1;
}

static void find_object(const char *name, struct object *o)
{
	memset(o, 0, sizeof(*o));
	o->name = name;
	assert_int_equal(dl_iterate_phdr(note_object, o), 1);
	assert_non_null(o->module.low);
	given = o->module;
	have_module = true;
}

/* ---- elfutils' opinion ---- */

static void same_cfa(const struct cfi_frame *f, Dwarf_Frame *frame, uint64_t pc)
{
	Dwarf_Op *ops;
	size_t count;

	assert_int_equal(dwarf_frame_cfa(frame, &ops, &count), 0);
	if (count == 1 && ops[0].atom == DW_OP_bregx) {
		if (f->row.cfa_where != CFI_REGISTER || f->row.cfa_register != ops[0].number ||
		    f->row.cfa_offset != (int64_t)ops[0].number2)
			fail_msg("CFA at %#lx differs", (unsigned long)pc);
	} else if (f->row.cfa_where != CFI_VALUE_EXPRESSION) {
		fail_msg("CFA at %#lx is an expression", (unsigned long)pc);
	}
}

static void same_register(const struct cfi_frame *f, Dwarf_Frame *frame, int reg, uint64_t pc)
{
	Dwarf_Op room[3], *ops;
	int64_t offset = 0;
	size_t count;

	assert_int_equal(dwarf_frame_register(frame, reg, room, &ops, &count), 0);
	switch (f->row.where[reg]) {
	case CFI_SAME: /* elfutils knows the ABI's defaults */
		if (count > 0 && reg != CFI_SP)
			fail_msg("register %d at %#lx was saved", reg, (unsigned long)pc);
		break;
	case CFI_UNDEFINED:
		if (count != 0 || ops != room)
			fail_msg("register %d at %#lx is defined", reg, (unsigned long)pc);
		break;
	case CFI_OFFSET:
		if (count == 0 || ops[0].atom != DW_OP_call_frame_cfa)
			fail_msg("register %d at %#lx is not at the CFA", reg, (unsigned long)pc);
		if (count >= 2 && ops[1].atom == DW_OP_plus_uconst)
			offset = (int64_t)ops[1].number;
		if (offset != f->row.value[reg])
			fail_msg("register %d at %#lx: %ld, not %ld", reg, (unsigned long)pc,
				 (long)f->row.value[reg], (long)offset);
		break;
	default:
		break;
	}
}

/* At every STRIDE-th byte of the code. Returns the number of pcs with a row. */
static unsigned compare_object(const char *name, unsigned stride)
{
	struct object o;
	unsigned rows = 0;
	Dwarf_CFI *cfi;
	Elf *elf;
	int fd;

	find_object(name, &o);
	fd = open(o.path, O_RDONLY);
	assert_true(fd >= 0);
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	cfi = dwarf_getcfi_elf(elf);
	assert_non_null(cfi);
	for (uint64_t pc = o.text; pc < o.text_end; pc += stride) {
		struct cfi_frame f;
		Dwarf_Frame *frame;
		enum cfi_result result = cfi_find(pc, &f);

		assert_int_not_equal(result, CFI_DAMAGED);
		if (dwarf_cfi_addrframe(cfi, pc - o.bias, &frame) != 0) {
			assert_int_equal(result, CFI_NONE);
			continue;
		}
		assert_int_equal(result, CFI_FOUND);
		same_cfa(&f, frame, pc);
		same_register(&f, frame, CFI_BP, pc);
		same_register(&f, frame, CFI_RA, pc);
		same_register(&f, frame, 3, pc);
		same_register(&f, frame, 12, pc);
		same_register(&f, frame, 15, pc);
		free(frame);
		rows++;
	}
	dwarf_cfi_end(cfi);
	elf_end(elf);
	close(fd);
	return rows;
}

TEST(test_rows_of_loaded_libraries_equal_elfutils)
{
	assert_true(compare_object("libc.so", 97) > 5000);
	assert_true(compare_object("libdw", 53) > 3000);
	assert_true(compare_object("ld-linux", 13) > 3000);
}

TEST(test_row_of_the_running_function_gives_its_cfa)
{
	uint64_t pc, cfa, bp, sp;
	struct cfi_frame f;
	struct object o;

	find_object("", &o);
#if defined(__x86_64__)
	__asm__ volatile("lea 0(%%rip), %0\n\tmov %%rbp, %1\n\tmov %%rsp, %2"
			 : "=r"(pc), "=r"(bp), "=r"(sp));
#else
	__asm__ volatile("adr %0, .\n\tmov %1, x29\n\tmov %2, sp"
			 : "=r"(pc), "=r"(bp), "=r"(sp));
#endif
	assert_int_equal(cfi_find(pc, &f), CFI_FOUND);
	assert_int_equal(f.row.cfa_where, CFI_REGISTER);
	cfa = (f.row.cfa_register == CFI_SP ? sp : bp) + (uint64_t)f.row.cfa_offset;
	assert_int_equal(cfa, (uint64_t)__builtin_dwarf_cfa());
	assert_true(f.start <= pc);
	assert_false(f.signal);
}

TEST(test_pc_outside_the_table_has_no_row)
{
	struct cfi_frame f;
	struct object o;

	find_object("libc.so", &o);
	assert_int_equal(cfi_find(o.text_end + (1u << 20), &f), CFI_NONE);
	assert_int_equal(cfi_find(4096, &f), CFI_NONE);
	have_module = false;
	assert_int_equal(cfi_find(o.text, &f), CFI_NONE);
}

/* ---- damage ---- */

static uint32_t seed = 1;

static uint32_t next_random(void)
{
	seed = seed * 1664525u + 1013904223u;
	return seed >> 8;
}

/* A copy of O's tables that ends right before an unmapped page. */
static uint8_t *copy_tables(const struct object *o, size_t *bytes, uint64_t *moved)
{
	size_t size = (size_t)(o->module.high - o->module.low);
	size_t room = (size + 4095) & ~(size_t)4095;
	uint8_t *map = mmap(NULL, room + 8192, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *copy = map + 4096 + room - size;

	assert_true(map != MAP_FAILED);
	assert_int_equal(mprotect(map, 4096, PROT_NONE), 0);
	assert_int_equal(mprotect(map + 4096 + room, 4096, PROT_NONE), 0);
	memcpy(copy, o->module.low, size);
	given.low = copy;
	given.high = copy + size;
	given.header = copy + (o->module.header - o->module.low);
	*bytes = size;
	*moved = (uint64_t)copy - (uint64_t)o->module.low;
	return copy;
}

TEST(test_damaged_tables_are_never_read_outside_their_bounds)
{
	struct object o;
	struct cfi_frame f;
	size_t bytes, header;
	uint64_t moved, span;
	uint8_t *copy;
	unsigned found = 0;

	find_object("ld-linux", &o);
	copy = copy_tables(&o, &bytes, &moved);
	header = (size_t)(given.header - copy);
	span = o.text_end - o.text;
	for (unsigned i = 0; i < 300000; i++) {
		/* often in the header's first bytes, else anywhere */
		size_t at = i % 4 ? next_random() % bytes : header + next_random() % 64;
		uint8_t old = copy[at];

		copy[at] = (uint8_t)next_random();
		for (unsigned k = 0; k < 4; k++)
			found += cfi_find(o.text + moved + next_random() % span, &f) == CFI_FOUND;
		if (i % 4 == 0 || i % 50)
			copy[at] = old;
	}
	assert_true(found > 100000);
}

TEST(test_tables_cut_anywhere_are_never_read_outside_their_bounds)
{
	struct object o;
	struct cfi_frame f;
	size_t bytes;
	uint64_t moved, span;
	uint8_t *copy;

	find_object("ld-linux", &o);
	copy = copy_tables(&o, &bytes, &moved);
	span = o.text_end - o.text;
	for (unsigned i = 0; i < 20000; i++) {
		/* moved to the end, so that what was cut off is unmapped */
		size_t cut = next_random() % bytes;
		uint64_t pc = o.text + moved + next_random() % span;

		given.high = copy + bytes - cut;
		cfi_find(pc, &f);
		given.low = copy + cut < given.header ? copy + cut : given.header;
		given.high = copy + bytes;
		cfi_find(pc, &f);
		given.low = copy;
	}
}

/* ---- expressions ---- */

static bool read_word(void *context, uint64_t address, uint64_t *value)
{
	const uint64_t *base = context;

	if (address != 0x1000)
		return false;
	*value = *base;
	return true;
}

static bool evaluate(const uint8_t *bytes, size_t count, uint64_t *result)
{
	static uint64_t word = 0x1122334455667788;
	struct cfi_machine_state state = {
		.reg = { [CFI_BP] = 100, [CFI_SP] = 0x1000 },
		.known = (uint64_t)1 << CFI_BP | (uint64_t)1 << CFI_SP,
		.pc = 0x401009,
		.read = read_word,
		.context = &word,
	};
	uint8_t block[64];

	block[0] = (uint8_t)count;
	memcpy(block + 1, bytes, count);
	return cfi_evaluate(block, block + 1 + count, &state, NULL, result);
}

#define EVALUATE(result, ...) \
	evaluate((const uint8_t[]){ __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ }), result)

TEST(test_expression_operations_follow_dwarf)
{
	uint64_t v;

	assert_true(EVALUATE(&v, DW_OP_lit3, DW_OP_lit5, DW_OP_minus));
	assert_int_equal((int64_t)v, -2);
	assert_true(EVALUATE(&v, DW_OP_const2s, 0xff, 0xff, DW_OP_lit1, DW_OP_shra));
	assert_int_equal((int64_t)v, -1);
	assert_true(EVALUATE(&v, DW_OP_lit1, DW_OP_lit2, DW_OP_lit3, DW_OP_rot));
	assert_int_equal(v, 2);
	assert_true(EVALUATE(&v, DW_OP_lit7, DW_OP_lit9, DW_OP_swap, DW_OP_over, DW_OP_plus));
	assert_int_equal(v, 16);
	assert_true(EVALUATE(&v, DW_OP_breg0 + CFI_BP, 0x7c));
	assert_int_equal(v, 96);
	assert_true(EVALUATE(&v, DW_OP_lit0, DW_OP_bra, 1, 0, DW_OP_lit4, DW_OP_lit2));
	assert_int_equal(v, 2);
	assert_true(EVALUATE(&v, DW_OP_lit1, DW_OP_lit1, DW_OP_bra, 1, 0, DW_OP_lit4));
	assert_int_equal(v, 1);
	assert_true(EVALUATE(&v, DW_OP_const2u, 0, 0x10, DW_OP_deref));
	assert_int_equal(v, 0x1122334455667788);
	assert_true(EVALUATE(&v, DW_OP_const2u, 0, 0x10, DW_OP_deref_size, 2));
	assert_int_equal(v, 0x7788);
#if defined(__x86_64__)
	/* a procedure linkage table's CFA, in its second half and in its first */
	assert_true(EVALUATE(&v, DW_OP_breg7, 8, DW_OP_breg16, 0, DW_OP_lit15, DW_OP_and,
			     DW_OP_lit11, DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus));
	assert_int_equal(v, 0x1008);
	assert_true(EVALUATE(&v, DW_OP_breg7, 8, DW_OP_breg16, 2, DW_OP_lit15, DW_OP_and,
			     DW_OP_lit11, DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus));
	assert_int_equal(v, 0x1010);
#endif
}

TEST(test_expression_that_cannot_be_evaluated_is_refused)
{
	static const uint8_t cut[] = { 9, DW_OP_lit1 };
	uint64_t v;

	assert_false(EVALUATE(&v, DW_OP_plus));
	assert_false(EVALUATE(&v, DW_OP_lit1, DW_OP_lit0, DW_OP_div));
	assert_false(EVALUATE(&v, DW_OP_lit8, DW_OP_deref));
	assert_false(EVALUATE(&v, DW_OP_breg1, 0));
	assert_false(EVALUATE(&v, DW_OP_skip, 0xfd, 0xff));
	assert_false(EVALUATE(&v, DW_OP_skip, 0x10, 0));
	assert_false(EVALUATE(&v, DW_OP_const8u, 1, 2));
	assert_false(EVALUATE(&v, 0xff));
	/* a length that goes past the tables */
	assert_false(cfi_evaluate(cut, cut + sizeof(cut), NULL, NULL, &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_of_loaded_libraries_equal_elfutils),
		cmocka_unit_test(test_row_of_the_running_function_gives_its_cfa),
		cmocka_unit_test(test_pc_outside_the_table_has_no_row),
		cmocka_unit_test(test_damaged_tables_are_never_read_outside_their_bounds),
		cmocka_unit_test(test_tables_cut_anywhere_are_never_read_outside_their_bounds),
		cmocka_unit_test(test_expression_operations_follow_dwarf),
		cmocka_unit_test(test_expression_that_cannot_be_evaluated_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
