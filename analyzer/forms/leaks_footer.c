/*
 * leaks_footer.c - see leaks_footer.h.
 */
#include "forms/leaks_footer.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/xmem.h"

/* Suppressions named in notes, where text has a table of them. */
#define NOTES_MAX 5

const char *leaks_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

char *leaks_amount(struct amount a)
{
	char blocks[UNITS_MAX], bytes[UNITS_MAX];

	return xasprintf("%s block%s, %s", units_count(blocks, a.blocks), leaks_plural(a.blocks),
			 units_bytes(bytes, a.bytes));
}

/* "mid (ci/known.supp:2)"; a new string. */
static char *use_text(const struct suppression *p)
{
	if (strcmp(p->file, KNOWN_LIBC) == 0)
		return xasprintf("%s (%s)", p->name, p->file);
	return xasprintf("'%s' (%s:%u)", p->name, p->file, p->line);
}

/*
 * What was used from the list's place *I on, which moves behind it: built-in ones of one
 * name are one. NULL: no more.
 */
static const struct suppression *next_used(const struct known_leaks *k, size_t *i, struct amount *sum)
{
	const struct suppression *found = NULL;

	*sum = (struct amount){ 0, 0 };
	for (; *i < k->list.count; ++*i) {
		const struct suppression *p = &k->list.items[*i];

		if (found && (strcmp(p->file, KNOWN_LIBC) != 0 || strcmp(p->name, found->name) != 0))
			break;
		if (!found && k->uses[*i].stacks == 0)
			continue;
		sum->blocks += k->uses[*i].amount.blocks;
		sum->bytes += k->uses[*i].amount.bytes;
		found = found ? found : p;
	}
	return found;
}

static void put_suppressed(struct run *run, const struct known_leaks *known)
{
	static const struct column used[] = {
		{ "bytes", "suppressed", COLUMN_BYTES, 0, false, NULL },
		{ "blocks", "blocks", COLUMN_COUNT, 0, false, NULL },
		{ "suppression", "by", COLUMN_TEXT, 0, false, NULL },
	};
	const struct suppression *p;
	struct amount sum;
	struct emit *table;
	size_t i = 0;

	putc('\n', run->out);
	table = run_table(run, used, 3);
	while ((p = next_used(known, &i, &sum)) != NULL) {
		char *place = use_text(p);

		emit_row(table, (struct cell[]){ cell_number(sum.bytes), cell_number(sum.blocks),
			cell_text(place) });
		free(place);
	}
	emit_free(table);
}

static void note_suppressed(struct run *run, const struct known_leaks *known)
{
	const struct suppression *p;
	size_t i = 0, named = 0, more = 0;
	struct amount sum;

	while ((p = next_used(known, &i, &sum)) != NULL) {
		char *amount = leaks_amount(sum), *place = use_text(p);

		if (named == NOTES_MAX)
			more++;
		else
			run_note(run, "suppressed: %s by %s", amount, place);
		named += named < NOTES_MAX;
		free(amount);
		free(place);
	}
	if (more)
		run_note(run, "%zu more suppressions were used", more);
}

void leaks_put_known(struct run *run, const struct known_leaks *known, bool has_files)
{
	size_t used;
	struct amount sum = known_leaks_sum(known, &used);
	char *amount;

	if (used == 0) {
		if (has_files)
			run_note(run, "the %zu suppression%s matched nothing", known->list.count,
				 leaks_plural(known->list.count));
		return;
	}
	if (run->format == EMIT_TEXT)
		put_suppressed(run, known);
	else
		note_suppressed(run, known);
	amount = leaks_amount(sum);
	if (used > 1)
		run_note(run, "suppressed: %s in all", amount);
	free(amount);
	for (size_t i = 0; i < known->list.count; i++) {
		if (!known->list.items[i].has_kinds || known->uses[i].stacks == 0)
			continue;
		run_note(run, "match-leak-kinds is not looked at: reachability is not known, a "
			 "suppression holds for all kinds");
		break;
	}
}
