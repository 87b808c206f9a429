/*
 * stack_check.c - reads the totals, which the library writes as settings now and then while
 * the program runs: the last one of each counts.
 */
#include "cli/stack_check.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* A setting's name behind its prefix, and the place of its value in a structure. */
struct total { const char *name; size_t offset; };

#define IN_ENDS(member) offsetof(struct stack_ends, member)
#define IN_CHECK(member) offsetof(struct stack_check, member)

static const struct total ends[] = {
	{ "truncated", IN_ENDS(truncated) },
	{ "no-rule", IN_ENDS(no_rule) },
	{ "hard-rule", IN_ENDS(hard_rule) },
	{ "bad-stack", IN_ENDS(bad_stack) },
	{ NULL, 0 },
};

static const struct total checks[] = {
	{ "compared", IN_CHECK(compared) },
	{ "ended-early", IN_CHECK(ended_early) },
	{ "unsafe", IN_CHECK(unsafe) },
	{ "libgcc-compared", IN_CHECK(libgcc.compared) },
	{ "libgcc-frame", IN_CHECK(libgcc.frame) },
	{ "libgcc-shorter", IN_CHECK(libgcc.shorter) },
	{ "libgcc-longer", IN_CHECK(libgcc.longer) },
	{ "libunwind-compared", IN_CHECK(libunwind.compared) },
	{ "libunwind-frame", IN_CHECK(libunwind.frame) },
	{ "libunwind-shorter", IN_CHECK(libunwind.shorter) },
	{ "libunwind-longer", IN_CHECK(libunwind.longer) },
	{ NULL, 0 },
};

/* Settings of IMAGE whose names begin with PREFIX into BASE. False: there are none. */
static bool read_totals(const struct image *image, const char *prefix, const struct total *totals,
			void *base)
{
	size_t n = strlen(prefix);
	bool is_there = false;

	for (size_t i = 0; i < image->setting_count; i++) {
		const struct setting *s = &image->settings[i];

		if (strncmp(s->key, prefix, n) != 0)
			continue;
		is_there = true;
		for (const struct total *t = totals; t->name; t++)
			if (strcmp(s->key + n, t->name) == 0)
				*(uint64_t *)((char *)base + t->offset) = strtoull(s->value, NULL, 10);
	}
	return is_there;
}

static void add_totals(void *sum, const void *from, const struct total *totals)
{
	for (const struct total *t = totals; t->name; t++)
		*(uint64_t *)((char *)sum + t->offset) +=
			*(const uint64_t *)((const char *)from + t->offset);
}

void stack_ends_read(const struct image *image, struct stack_ends *e)
{
	*e = (struct stack_ends){ 0 };
	read_totals(image, "stacks.", ends, e);
}

bool stack_check_read(const struct image *image, struct stack_check *c)
{
	*c = (struct stack_check){ 0 };
	return read_totals(image, "check-stacks.", checks, c);
}

void stack_ends_add(struct stack_ends *sum, const struct stack_ends *from)
{
	add_totals(sum, from, ends);
}

void stack_check_add(struct stack_check *sum, const struct stack_check *from)
{
	add_totals(sum, from, checks);
}

uint64_t oracle_differs(const struct oracle_check *o)
{
	return o->frame + o->shorter + o->longer;
}
