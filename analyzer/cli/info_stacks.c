/*
 * info_stacks.c - the lines of allotrope info about call stacks. Relies on stack_check.c
 * for the counts; text adds up the images, JSON has each.
 */
#include "cli/info_stacks.h"

#include "base/emit.h"
#include "base/units.h"
#include "cli/stack_check.h"

/* KEY before the first line only. */
static const char *put_end_text(info_put *put, const char *key, uint64_t stacks, const char *where)
{
	char n[UNITS_MAX];

	if (!stacks)
		return key;
	put(key, "%s call stack%s%s", units_count(n, stacks), stacks == 1 ? "" : "s", where);
	return "";
}

static void put_ends(const struct recording *r, info_put *put)
{
	struct stack_ends sum = { 0 }, e;
	const char *key = "truncated";

	for (size_t i = 0; i < r->image_count; i++) {
		stack_ends_read(&r->images[i], &e);
		stack_ends_add(&sum, &e);
	}
	key = put_end_text(put, key, sum.truncated, " deeper than the limit (record --depth)");
	key = put_end_text(put, key, sum.no_rule, " in code without unwind information");
	key = put_end_text(put, key, sum.hard_rule, " at an unwind rule that could not be followed");
	put_end_text(put, key, sum.bad_stack, " where the stack pointer left the known stack");
}

static void put_oracle(info_put *put, const char *name, const struct oracle_check *o)
{
	char compared[UNITS_MAX], differ[UNITS_MAX], a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];

	if (oracle_differs(o) == 0)
		put("", "%s: %s compared, none differs", name, units_count(compared, o->compared));
	else
		put("", "%s: %s compared, %s differ (%s in a frame, %s shorter, %s longer)", name,
			 units_count(compared, o->compared), units_count(differ, oracle_differs(o)),
			 units_count(a, o->frame), units_count(b, o->shorter),
			 units_count(c, o->longer));
}

static void put_check(const struct recording *r, info_put *put)
{
	char compared[UNITS_MAX], early[UNITS_MAX], unsafe[UNITS_MAX];
	struct stack_check sum = { 0 }, c;
	bool is_there = false;

	for (size_t i = 0; i < r->image_count; i++) {
		is_there |= stack_check_read(&r->images[i], &c);
		stack_check_add(&sum, &c);
	}
	if (!is_there)
		return;
	put("check", "%s call stacks compared with other unwinders, %s not; %s end early",
		 units_count(compared, sum.compared), units_count(unsafe, sum.unsafe),
		 units_count(early, sum.ended_early));
	put_oracle(put, "libgcc", &sum.libgcc);
	put_oracle(put, "libunwind", &sum.libunwind);
}

void info_stacks_text(const struct recording *r, info_put *put)
{
	put_ends(r, put);
	put_check(r, put);
}

json_t *info_stack_ends_json(const struct image *image)
{
	struct stack_ends e;

	stack_ends_read(image, &e);
	return json_pack("{s:o, s:o, s:o, s:o}", "depth_limit", json_from_number(e.truncated),
			 "no_rule", json_from_number(e.no_rule),
			 "hard_rule", json_from_number(e.hard_rule),
			 "bad_stack", json_from_number(e.bad_stack));
}

static json_t *oracle_json(const struct oracle_check *o)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "compared", json_from_number(o->compared),
			 "differ", json_from_number(oracle_differs(o)),
			 "frame", json_from_number(o->frame),
			 "shorter", json_from_number(o->shorter),
			 "longer", json_from_number(o->longer));
}

json_t *info_stack_check_json(const struct image *image)
{
	struct stack_check c;

	if (!stack_check_read(image, &c))
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o}",
			 "compared", json_from_number(c.compared),
			 "ended_early", json_from_number(c.ended_early),
			 "unsafe", json_from_number(c.unsafe),
			 "libgcc", oracle_json(&c.libgcc),
			 "libunwind", oracle_json(&c.libunwind));
}
