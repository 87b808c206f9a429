/*
 * dwarf_lines.c - finds the unit of an address (.debug_aranges, else the ranges
 * of all units), in it the function by a sorted list made once a unit, and in
 * the function the inlined calls by going down the tree of its scopes. libdw's
 * own dwarf_getscopes walks all of the unit for each address: a millisecond
 * each in large units, measured, which is why it is not used.
 *
 * Debug information may be damaged: every walk is bounded in depth and goes
 * forward only; what cannot be read is as if it were not there.
 */
#include "symbol/dwarf_lines.h"

#include <stdlib.h>
#include <string.h>

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <uthash.h>

#include "base/xmem.h"
#include "symbol/name_pool.h"

#define SCOPE_DEPTH_MAX 256

struct function_range {
	Dwarf_Addr low, high;    /* [low, high) */
	Dwarf_Die die;
};

struct unit {
	Dwarf_Off offset;        /* of its DIE: the key */
	Dwarf_Die die;           /* has the lines */
	Dwarf_Die tree;          /* has the functions: another one in split DWARF */
	struct function_range *functions;
	size_t count, capacity;
	bool is_listed, is_deep; /* functions inside classes and functions are listed too */
	bool has_namespaces;     /* language: names are qualified */
	UT_hash_handle hh;
};

struct unit_range {
	Dwarf_Addr low, high;
	Dwarf_Off offset;
};

struct qualified {
	void *die;               /* address of the DIE: the key */
	const char *name;
	UT_hash_handle hh;
};

struct dwarf_lines {
	Dwarf *dwarf;
	struct unit *units;
	struct unit_range *ranges;   /* of all units, by address */
	size_t range_count, range_capacity;
	bool has_ranges;
	struct qualified *qualified;
	struct name_pool *names;
};

/* Take "DIR/.." out of PATH, which has no "/./". DIR is a name. */
static void parents_fold(char *path)
{
	char *at = path;

	while ((at = strstr(at, "/../"))) {
		char *dir = at;

		while (dir > path && dir[-1] != '/')
			dir--;
		if (dir == at || strncmp(dir, "./", 2) == 0 ||
		    strncmp(dir, "../", 3) == 0) {
			at++;
			continue;
		}
		memmove(dir, at + 4, strlen(at + 4) + 1);
		at = dir > path ? dir - 1 : path;
	}
}

char *source_path(const char *folder, const char *path)
{
	const char *twice;
	char *clean, *to;

	if (path[0] == '/' || !folder)
		clean = xstrdup(path);
	else
		clean = xasprintf("%s/%s", folder, path);
	if (strncmp(clean, "./", 2) == 0)
		while ((twice = strstr(clean + 1, "/./")))
			memmove(clean, twice + 1, strlen(twice));
	to = clean;
	for (const char *p = clean; *p;) {
		if (strncmp(p, "/./", 3) == 0)
			p += 2;
		else if (p[0] == '/' && p[1] == '/')
			p++;
		else
			*to++ = *p++;
	}
	*to = '\0';
	parents_fold(clean);
	return clean;
}

struct dwarf_lines *dwarf_lines_new(Elf *elf)
{
	struct dwarf_lines *dl;
	Dwarf *dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);

	if (!dwarf)
		return NULL;
	dl = xcalloc(1, sizeof(*dl));
	dl->dwarf = dwarf;
	dl->names = name_pool_new();
	return dl;
}

void dwarf_lines_free(struct dwarf_lines *dl)
{
	struct unit *u, *next;
	struct qualified *q, *next_q;

	if (!dl)
		return;
	HASH_ITER(hh, dl->units, u, next) {
		HASH_DEL(dl->units, u);
		free(u->functions);
		free(u);
	}
	HASH_ITER(hh, dl->qualified, q, next_q) {
		HASH_DEL(dl->qualified, q);
		free(q);
	}
	free(dl->ranges);
	name_pool_free(dl->names);
	dwarf_end(dl->dwarf);
	free(dl);
}

/* ---- functions of a unit ---- */

static bool language_has_namespaces(Dwarf_Die *unit)
{
	switch (dwarf_srclang(unit)) {
	case DW_LANG_C_plus_plus:
	case DW_LANG_C_plus_plus_03:
	case DW_LANG_C_plus_plus_11:
	case DW_LANG_C_plus_plus_14:
	case DW_LANG_Rust:
	case DW_LANG_D:
		return true;
	default: /* DW_LANG_C_plus_plus_17, _20: newer than this libdw's header */
		return dwarf_srclang(unit) == 0x2a || dwarf_srclang(unit) == 0x2b;
	}
}

static void function_add(struct unit *u, Dwarf_Die *die)
{
	Dwarf_Addr base, low, high;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(die, at, &base, &low, &high)) > 0) {
		if (high <= low)
			continue;
		xgrow(&u->functions, &u->capacity, u->count,
		      sizeof(*u->functions));
		u->functions[u->count++] =
			(struct function_range){ low, high, *die };
	}
}

/* Scopes that may have functions in them, without and with DEEP. */
static bool has_functions(int tag, bool deep)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
		return true;
	case DW_TAG_subprogram:
	case DW_TAG_lexical_block:
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_interface_type:
		return deep;
	default:
		return false;
	}
}

/* The next DIE on the same level, into DIE; false at the end, or where it is not further on. */
static bool die_next(Dwarf_Die *die)
{
	const void *here = die->addr;

	return dwarf_siblingof(die, die) == 0 && (char *)die->addr > (char *)here;
}

static void functions_walk(struct unit *u, Dwarf_Die *parent, bool deep,
			   unsigned depth)
{
	Dwarf_Die die;

	if (depth > SCOPE_DEPTH_MAX || dwarf_child(parent, &die) != 0)
		return;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_subprogram)
			function_add(u, &die);
		if (has_functions(tag, deep))
			functions_walk(u, &die, deep, depth + 1);
	} while (die_next(&die));
}

static int function_compare(const void *pa, const void *pb)
{
	const struct function_range *a = pa, *b = pb;

	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	return (a->high > b->high) - (a->high < b->high);
}

static void functions_list(struct unit *u, bool deep)
{
	u->count = 0;
	u->is_listed = true;
	u->is_deep = deep;
	functions_walk(u, &u->tree, deep, 0);
	if (u->count)
		qsort(u->functions, u->count, sizeof(*u->functions),
		      function_compare);
}

static struct function_range *function_search(struct unit *u, Dwarf_Addr address)
{
	size_t low = 0, high = u->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (u->functions[mid].low <= address)
			low = mid + 1;
		else
			high = mid;
	}
	/* ranges of functions do not overlap, but folded copies are equal */
	if (low > 0 && address < u->functions[low - 1].high)
		return &u->functions[low - 1];
	return NULL;
}

static struct function_range *function_find(struct unit *u, Dwarf_Addr address)
{
	struct function_range *f;

	if (!u->is_listed)
		functions_list(u, false);
	f = function_search(u, address);
	if (!f && !u->is_deep) {
		functions_list(u, true);
		f = function_search(u, address);
	}
	return f;
}

/* ---- unit of an address ---- */

static struct unit *unit_of(struct dwarf_lines *dl, Dwarf_Die *die)
{
	Dwarf_Off offset = dwarf_dieoffset(die);
	struct unit *u;
	Dwarf_Die split;
	uint8_t type;

	HASH_FIND(hh, dl->units, &offset, sizeof(offset), u);
	if (u)
		return u;
	u = xcalloc(1, sizeof(*u));
	u->offset = offset;
	u->die = u->tree = *die;
	if (dwarf_cu_info(die->cu, NULL, &type, NULL, &split, NULL, NULL, NULL) == 0 &&
	    type == DW_UT_skeleton && split.addr)
		u->tree = split;
	u->has_namespaces = language_has_namespaces(&u->tree);
	HASH_ADD(hh, dl->units, offset, sizeof(u->offset), u);
	return u;
}

static int range_compare(const void *pa, const void *pb)
{
	const struct unit_range *a = pa, *b = pb;

	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

/* clang writes no .debug_aranges: the units tell their ranges themselves. */
static void ranges_list(struct dwarf_lines *dl)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;
	uint8_t type;

	dl->has_ranges = true;
	while (dwarf_get_units(dl->dwarf, cu, &cu, NULL, &type, &die, NULL) == 0) {
		Dwarf_Addr base, low, high;
		ptrdiff_t at = 0;

		if (type != DW_UT_compile && type != DW_UT_skeleton)
			continue;
		while ((at = dwarf_ranges(&die, at, &base, &low, &high)) > 0) {
			if (high <= low)
				continue;
			xgrow(&dl->ranges, &dl->range_capacity, dl->range_count,
			      sizeof(*dl->ranges));
			dl->ranges[dl->range_count++] = (struct unit_range){
				low, high, dwarf_dieoffset(&die) };
		}
	}
	if (dl->range_count)
		qsort(dl->ranges, dl->range_count, sizeof(*dl->ranges),
		      range_compare);
}

static struct unit *unit_by_ranges(struct dwarf_lines *dl, Dwarf_Addr address)
{
	size_t low = 0, high;
	Dwarf_Die die;

	if (!dl->has_ranges)
		ranges_list(dl);
	high = dl->range_count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (dl->ranges[mid].low <= address)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0 || address >= dl->ranges[low - 1].high ||
	    !dwarf_offdie(dl->dwarf, dl->ranges[low - 1].offset, &die))
		return NULL;
	return unit_of(dl, &die);
}

/* ---- names and places ---- */

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

static void name_fill(struct dwarf_lines *dl, const struct unit *u,
		      Dwarf_Die *die, struct source_frame *frame)
{
	Dwarf_Attribute at;

	frame->name = NULL;
	frame->is_c = !u->has_namespaces;
	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &at) ||
	    dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &at))
		frame->name = dwarf_formstring(&at);
	frame->is_linkage = frame->name != NULL;
	if (frame->name)
		return;
	if (dwarf_attr_integrate(die, DW_AT_name, &at))
		frame->name = dwarf_formstring(&at);
	if (frame->name && u->has_namespaces)
		frame->name = qualified_name(dl, die, frame->name);
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
			  uint64_t *entry)
{
	struct function_range *f = NULL;
	struct unit *u = NULL, *other;
	Dwarf_Die die;

	*entry = 0;
	if (dwarf_addrdie(dl->dwarf, address, &die)) {
		u = unit_of(dl, &die);
		f = function_find(u, address);
	}
	if (!f) {
		/* .debug_aranges may cover a part of the units only */
		other = unit_by_ranges(dl, address);
		if (other && other != u) {
			f = function_find(other, address);
			if (f || !u)
				u = other;
		}
	}
	if (!u)
		return 0;
	if (f) {
		if (dwarf_lowpc(&f->die, entry) != 0 &&
		    dwarf_entrypc(&f->die, entry) != 0)
			*entry = f->low;
		return frames_fill(dl, u, f, address, frames);
	}
	frames[0] = (struct source_frame){ 0 };
	line_fill(dl, u, address, &frames[0]);
	return frames[0].file ? 1 : 0;
}
