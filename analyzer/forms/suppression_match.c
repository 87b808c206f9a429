/*
 * suppression_match.c - the two ways to compare a call stack. What matches was found out with
 * valgrind 3.19 and LeakSanitizer of LLVM 14 and GCC 12, and is compared with them in
 * tests/oracle.
 */
#include "forms/suppressions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"

/* For LeakSanitizer, which has them as they are called. */
static const char *const allocator_names[] = {
#define ROW(name, text) text,
	ALLOC_FUNCS(ROW)
#undef ROW
	[ALLOCATOR_REALLOC_NULL] = "realloc",
};

/*
 * The innermost frames that valgrind's own allocator has, a row for each way it was seen to
 * call them (3.19; newer ones have aligned_alloc). realloc(NULL, n) is malloc there.
 */
static const struct { int func; const char *names[2]; } valgrind_frames[] = {
	{ FUNC_MALLOC, { "malloc", NULL } },
	{ FUNC_CALLOC, { "calloc", NULL } },
	{ FUNC_REALLOC, { "realloc", NULL } },
	{ FUNC_REALLOCARRAY, { "realloc", "reallocarray" } },
	{ FUNC_REALLOCARRAY, { "realloc", NULL } },
	{ ALLOCATOR_REALLOC_NULL, { "malloc", NULL } },
	{ FUNC_POSIX_MEMALIGN, { "memalign", "posix_memalign" } },
	{ FUNC_POSIX_MEMALIGN, { "posix_memalign", NULL } },
	{ FUNC_ALIGNED_ALLOC, { "memalign", NULL } },
	{ FUNC_ALIGNED_ALLOC, { "aligned_alloc", NULL } },
	{ FUNC_MEMALIGN, { "memalign", NULL } },
	{ FUNC_VALLOC, { "memalign", NULL } },
	{ FUNC_VALLOC, { "valloc", NULL } },
	{ FUNC_PVALLOC, { "pvalloc", NULL } },
};

/* What valgrind has in place of the allocator, for "obj:" of these frames. */
#define VALGRIND_OBJECT "/usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so"

/* ---- LeakSanitizer's comparison ---- */

/*
 * Each literal piece is taken where it is found first, and never further behind: "a$" does
 * not match "aa", as in LeakSanitizer.
 */
static bool has_template(const char *text, const char *pattern)
{
	bool tied = *pattern == '^', after_star = false;

	if (!text || !*text)
		return false;
	for (pattern += tied; *pattern; ) {
		size_t bytes = strcspn(pattern, "*$");
		const char *found;

		if (*pattern == '*') {
			tied = false;
			after_star = true;
			pattern++;
			continue;
		}
		if (*pattern == '$')
			return !*text || after_star;
		found = memmem(text, strlen(text), pattern, bytes);
		if (!found || (tied && found != text))
			return false;
		text = found + bytes;
		pattern += bytes;
		tied = after_star = false;
	}
	return true;
}

static bool matches_leak_line(const struct suppression *p, const struct suppression_stack *stack)
{
	for (int i = 0; i <= ALLOCATOR_REALLOC_NULL; i++)
		if (stack->allocators & 1u << i && has_template(allocator_names[i], p->name))
			return true;
	for (size_t i = 0; i < stack->count; i++) {
		const struct suppression_frame *f = &stack->frames[i];

		if (has_template(f->function, p->name) || has_template(f->file, p->name) ||
		    has_template(f->module, p->name) || has_template(f->real_module, p->name))
			return true;
	}
	return false;
}

/* ---- valgrind's comparison ---- */

/* '*' and '?' in PATTERN; all of TEXT. */
static bool is_glob(const char *pattern, const char *text)
{
	const char *star = NULL, *from = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			from = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++from;
		} else {
			return false;
		}
	}
	return !pattern[strspn(pattern, "*")];
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/*
 * What valgrind calls the function of SYMBOL: what starts a program is "(below main)" there, and
 * threads begin in clone, as there is no clone3.
 */
static const char *valgrind_name(const char *symbol)
{
	if (!symbol)
		return "???";
	if (strncmp(symbol, "__libc_start_", 13) == 0 || strcmp(symbol, "generic_start_main") == 0)
		return "(below main)";
	if (strcmp(symbol, "clone3") == 0 || strcmp(symbol, "__clone3") == 0)
		return "clone";
	return symbol;
}

static bool is_source(const struct suppression_frame *f, const char *pattern)
{
	char *place;
	bool found;

	if (!f->file)
		return false;
	if (is_glob(pattern, base_name(f->file)))
		return true;
	place = xasprintf("%s:%d", base_name(f->file), f->line);
	found = f->line > 0 && is_glob(pattern, place);
	free(place);
	return found;
}

/*
 * "allocate" of "void std::x<int>::allocate<char>(int)": where its bytes begin, and how many
 * they are. Without return type, scopes, template arguments, parameters.
 */
static const char *bare_name(const char *function, size_t *bytes)
{
	const char *start = function, *end = NULL;
	int depth = 0;

	for (const char *p = function; ; p++) {
		if (p == start && strncmp(p, "operator", 8) == 0) {
			*bytes = 8 + strcspn(p + 8, "(") + (strncmp(p + 8, "()", 2) == 0 ? 2 : 0);
			return p;
		}
		if (depth == 0 && (!*p || *p == '<' || *p == '[' || *p == '(') && !end)
			end = p;
		if (!*p || (depth == 0 && *p == '(' && strncmp(p, "(anonymous", 10) != 0))
			break;
		depth += *p == '<' || *p == '(';
		depth -= (*p == '>' || *p == ')') && depth > 0;
		if (depth == 0 && (*p == ' ' || (*p == ':' && p[1] == ':'))) {
			p += *p == ':';
			start = p + 1;
			end = NULL;
		}
	}
	*bytes = (size_t)(end - start);
	return start;
}

/*
 * Inlined functions have the name of the debug information there, "push_back" or "f<int>". How
 * template arguments are written differs: they are not compared.
 */
static bool is_inlined_name(const struct suppression_frame *f, const char *pattern)
{
	size_t bytes;
	const char *start;
	char *name, *cut;
	bool found;

	if (!f->is_inlined || !f->function)
		return false;
	start = bare_name(f->function, &bytes);
	name = xstrndup(start, bytes);
	cut = strncmp(pattern, "operator", 8) == 0 ? xstrdup(pattern) :
	      xstrndup(pattern, strcspn(pattern, "<"));
	found = is_glob(cut, name);
	free(name);
	free(cut);
	return found;
}

/* operator new[] of libstdc++ jumps to operator new: there is no other frame of it. */
static bool is_array_new(const struct suppression_frame *f, const char *pattern)
{
	char name[32];

	if (!f->symbol || strncmp(f->symbol, "_Znw", 4) != 0)
		return false;
	snprintf(name, sizeof(name), "_Zna%s", f->symbol + 4);
	return is_glob(pattern, name);
}

static bool is_location(const struct suppression_location *l, const struct suppression_frame *f)
{
	switch (l->kind) {
	case LOCATION_FUNCTION:
		return is_glob(l->pattern, valgrind_name(f->symbol)) ||
		       (f->symbol && is_glob(l->pattern, f->symbol)) ||
		       is_inlined_name(f, l->pattern) || is_array_new(f, l->pattern);
	case LOCATION_OBJECT:
		return is_glob(l->pattern, f->module ? f->module : "???") ||
		       (f->real_module && is_glob(l->pattern, f->real_module));
	case LOCATION_SOURCE:
		return is_source(f, l->pattern);
	default:
		return true;
	}
}

/* A frame of valgrind's allocator. */
static bool is_allocator(const struct suppression_location *l, const char *name)
{
	if (l->kind == LOCATION_OBJECT)
		return is_glob(l->pattern, VALGRIND_OBJECT);
	return l->kind == LOCATION_FUNCTION && is_glob(l->pattern, name);
}

/*
 * The locations of P are those of the frames from the innermost on: as a pattern with '*' is
 * compared, a frame for a letter, but the frames' end is free. NAMES are COUNT frames before
 * the first.
 */
static bool matches_frames(const struct suppression *p, const struct suppression_stack *stack,
			   const char *const names[], size_t count)
{
	size_t l = 0, f = 0, after_any = 0, from = 0;
	bool has_any = false;

	while (l < p->location_count) {
		const struct suppression_location *location = &p->locations[l];

		if (location->kind == LOCATION_ANY) {
			has_any = true;
			after_any = ++l;
			from = f;
		} else if (f < count + stack->count &&
			   (f < count ? is_allocator(location, names[f]) :
					is_location(location, &stack->frames[f - count]))) {
			l++;
			f++;
		} else if (has_any && from < count + stack->count) {
			l = after_any;
			f = ++from;
		} else {
			return false;
		}
	}
	return true;
}

static bool matches_block(const struct suppression *p, const struct suppression_stack *stack)
{
	const char *first = stack->count ? stack->frames[0].symbol : NULL;

	/* operator new is the allocator itself for valgrind, a frame like others for us */
	if (!stack->allocators || (first && (!strncmp(first, "_Znw", 4) || !strncmp(first, "_Zna", 4))))
		return matches_frames(p, stack, NULL, 0);
	for (size_t i = 0; i < sizeof(valgrind_frames) / sizeof(valgrind_frames[0]); i++) {
		const char *const *names = valgrind_frames[i].names;

		if (stack->allocators & 1u << valgrind_frames[i].func &&
		    matches_frames(p, stack, names, names[1] ? 2 : 1))
			return true;
	}
	return false;
}

int64_t suppressions_find(const struct suppressions *s, const struct suppression_stack *stack)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct suppression *p = &s->items[i];

		if (p->is_valgrind ? matches_block(p, stack) : matches_leak_line(p, stack))
			return (int64_t)i;
	}
	return -1;
}
