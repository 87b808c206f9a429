/*
 * dwarf_lines.c - what stands at an address: the line by the unit's line table, the
 * inlined calls by going down the tree of the function's scopes, names with their
 * namespaces. Relies on dwarf_units.c for the unit and the function.
 *
 * Debug information may be damaged: what cannot be read is as if it were not there.
 */
#include "symbol/dwarf_lines.h"

#include <stdlib.h>
#include <string.h>

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <uthash.h>

#include "base/xmem.h"
#include "symbol/dwarf_units.h"
#include "symbol/name_pool.h"
#include "symbol/source_path.h"

struct qualified {
	void *die;               /* address of the DIE: the key */
	const char *name;
	UT_hash_handle hh;
};

struct dwarf_lines {
	Dwarf *dwarf, *shared;
	struct dwarf_units *units;
	struct qualified *qualified;
	struct name_pool *names;
};

struct dwarf_lines *dwarf_lines_new(Elf *elf, Elf *shared)
{
	struct dwarf_lines *dl;
	Dwarf *dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);

	if (!dwarf)
		return NULL;
	dl = xcalloc(1, sizeof(*dl));
	dl->dwarf = dwarf;
	if (shared)
		dl->shared = dwarf_begin_elf(shared, DWARF_C_READ, NULL);
	if (dl->shared)
		dwarf_setalt(dwarf, dl->shared);
	dl->units = dwarf_units_new(dwarf);
	dl->names = name_pool_new();
	return dl;
}

void dwarf_lines_free(struct dwarf_lines *dl)
{
	struct qualified *q, *next;

	if (!dl)
		return;
	HASH_ITER(hh, dl->qualified, q, next) {
		HASH_DEL(dl->qualified, q);
		free(q);
	}
	dwarf_units_free(dl->units);
	name_pool_free(dl->names);
	dwarf_end(dl->dwarf);
	dwarf_end(dl->shared);
	free(dl);
}

/* The declaration that DIE is a copy of: at the end of abstract_origin and specification. */
static Dwarf_Die die_origin(Dwarf_Die die)
{
	Dwarf_Attribute at;
	Dwarf_Die next;

	for (int step = 0; step < 16; step++) {
		if (!dwarf_attr(&die, DW_AT_abstract_origin, &at) &&
		    !dwarf_attr(&die, DW_AT_specification, &at))
			break;
		if (!dwarf_formref_die(&at, &next))
			break;
		die = next;
	}
	return die;
}

/* NAME with the namespaces and classes that DIE stands in: "ns::cls::name". */
static char *name_qualify(Dwarf_Die *die, const char *name)
{
	Dwarf_Die *scopes = NULL;
	int count = dwarf_getscopes_die(die, &scopes);
	char *text = xstrdup(name);

	for (int i = 1; i < count; i++) {
		const char *scope = dwarf_diename(&scopes[i]);
		char *longer;

		switch (dwarf_tag(&scopes[i])) {
		case DW_TAG_namespace:
			if (!scope)
				scope = "(anonymous namespace)";
			break;
		case DW_TAG_class_type:
		case DW_TAG_structure_type:
		case DW_TAG_union_type:
			break;
		default:
			scope = NULL;
		}
		if (!scope || strlen(text) > 4096)
			continue;
		longer = xasprintf("%s::%s", scope, text);
		free(text);
		text = longer;
	}
	free(scopes);
	return text;
}

static const char *qualified_name(struct dwarf_lines *dl, Dwarf_Die *die,
				  const char *name)
{
	Dwarf_Die origin = die_origin(*die);
	struct qualified *q;
	char *text;

	HASH_FIND_PTR(dl->qualified, &origin.addr, q);
	if (q)
		return q->name;
	q = xcalloc(1, sizeof(*q));
	q->die = origin.addr;
	text = name_qualify(&origin, name);
	q->name = name_pool_string(dl->names, text);
	free(text);
	HASH_ADD_PTR(dl->qualified, die, q);
	return q->name;
}

static bool is_mangled(const char *name)
{
	return name[0] == '_' && (name[1] == 'Z' || name[1] == 'R');
}

/* NULL where AT is no string, or an empty one: no name. */
static const char *said(Dwarf_Attribute *at)
{
	const char *text = dwarf_formstring(at);

	return text && *text ? text : NULL;
}

/*
 * In C a linkage name is a detail of the build (glibc: __GI___printf_fp_l for
 * __printf_fp_l); elsewhere it is the only full name.
 */
static void name_fill(struct dwarf_lines *dl, const struct unit *u,
		      Dwarf_Die *die, struct source_frame *frame)
{
	const char *plain = NULL, *linkage = NULL;
	Dwarf_Attribute at;

	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &at) ||
	    dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &at))
		linkage = said(&at);
	if (dwarf_attr_integrate(die, DW_AT_name, &at))
		plain = said(&at);
	frame->is_c = !u->has_namespaces;
	frame->is_linkage = linkage && (u->has_namespaces || !plain ||
					is_mangled(linkage));
	frame->name = frame->is_linkage ? linkage : plain;
	if (plain && !frame->is_linkage && u->has_namespaces)
		frame->name = qualified_name(dl, die, plain);
}

static const char *file_name(struct dwarf_lines *dl, struct unit *u,
			     const char *path)
{
	const char *name = NULL;
	Dwarf_Attribute at;

	if (path && *path && strcmp(path, "???") != 0) {
		const char *folder = path[0] == '/' ? NULL :
			dwarf_formstring(dwarf_attr(&u->die, DW_AT_comp_dir, &at));
		char *clean = source_path(folder, path);

		name = name_pool_string(dl->names, clean);
		free(clean);
	}
	return name;
}

/* Where the inlined call DIE stands in its caller. */
static void call_place(struct dwarf_lines *dl, struct unit *u, Dwarf_Die *die,
		       struct source_frame *caller)
{
	Dwarf_Attribute at;
	Dwarf_Word value;
	Dwarf_Files *files;
	size_t count;

	if (dwarf_attr(die, DW_AT_call_line, &at) &&
	    dwarf_formudata(&at, &value) == 0 && value <= INT32_MAX)
		caller->line = (int)value;
	if (dwarf_attr(die, DW_AT_call_file, &at) &&
	    dwarf_formudata(&at, &value) == 0 &&
	    dwarf_getsrcfiles(&u->tree, &files, &count) == 0 && value < count)
		caller->file = file_name(dl, u, dwarf_filesrc(files, value, NULL, NULL));
}

/*
 * The functions around ADDRESS in FUNCTION into CHAIN, outermost first; returns
 * their number, at most SOURCE_FRAMES_MAX.
 */
static unsigned scopes_descend(Dwarf_Die function, Dwarf_Addr address,
			       Dwarf_Die chain[SOURCE_FRAMES_MAX])
{
	unsigned count = 0;
	Dwarf_Die scope = function, die;

	chain[count++] = function;
	for (unsigned depth = 0; depth < SCOPE_DEPTH_MAX; depth++) {
		bool found = false;

		if (dwarf_child(&scope, &die) != 0)
			break;
		do {
			int tag = dwarf_tag(&die);

			if (tag != DW_TAG_inlined_subroutine &&
			    tag != DW_TAG_lexical_block &&
			    tag != DW_TAG_try_block &&
			    tag != DW_TAG_catch_block)
				continue;
			if (dwarf_haspc(&die, address) <= 0)
				continue;
			if (tag == DW_TAG_inlined_subroutine) {
				if (count == SOURCE_FRAMES_MAX)
					return count;
				chain[count++] = die;
			}
			scope = die;
			found = true;
			break;
		} while (die_next(&die));
		if (!found)
			break;
	}
	return count;
}

static void line_fill(struct dwarf_lines *dl, struct unit *u,
		      Dwarf_Addr address, struct source_frame *frame)
{
	Dwarf_Line *line = dwarf_getsrc_die(&u->die, address);

	frame->file = NULL;
	frame->line = 0;
	if (!line)
		return;
	frame->file = file_name(dl, u, dwarf_linesrc(line, NULL, NULL));
	if (dwarf_lineno(line, &frame->line) != 0 || frame->line < 0)
		frame->line = 0;
}

static unsigned frames_fill(struct dwarf_lines *dl, struct unit *u,
			    struct function_range *f, Dwarf_Addr address,
			    struct source_frame *frames)
{
	Dwarf_Die chain[SOURCE_FRAMES_MAX];
	unsigned count = scopes_descend(f->die, address, chain);

	line_fill(dl, u, address, &frames[0]);
	for (unsigned i = 0; i < count; i++) {
		Dwarf_Die *die = &chain[count - 1 - i];

		if (i > 0) {
			frames[i].file = NULL;
			frames[i].line = 0;
			call_place(dl, u, &chain[count - i], &frames[i]);
		}
		name_fill(dl, u, die, &frames[i]);
	}
	return count;
}

unsigned dwarf_lines_find(struct dwarf_lines *dl, uint64_t address,
			  struct source_frame frames[SOURCE_FRAMES_MAX],
			  uint64_t *entry, uint64_t *start)
{
	struct function_range *f;
	struct unit *u = dwarf_units_find(dl->units, address, &f);

	*entry = *start = 0;
	if (!u)
		return 0;
	if (!f) {
		frames[0] = (struct source_frame){ 0 };
		line_fill(dl, u, address, &frames[0]);
		return frames[0].file ? 1 : 0;
	}
	if (dwarf_lowpc(&f->die, entry) != 0 &&
	    dwarf_entrypc(&f->die, entry) != 0)
		*entry = f->low;
	*start = f->low;
	return frames_fill(dl, u, f, address, frames);
}
