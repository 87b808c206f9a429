/*
 * stack_ends.c - the totals of stacks that ended early. Relies on its callers for the
 * threads' own counts; promises to write few records however many stacks there are.
 */
#include "stack_ends.h"

#include "meta.h"

static const char *const keys[SPECIAL_COUNT] = {
	[SPECIAL_TRUNCATED] = "stacks.truncated",
	[SPECIAL_NO_RULE] = "stacks.no-rule",
	[SPECIAL_HARD_RULE] = "stacks.hard-rule",
	[SPECIAL_BAD_STACK] = "stacks.bad-stack",
};

static uint64_t totals[SPECIAL_COUNT], written[SPECIAL_COUNT];

void stack_ends_collect(uint64_t ended[SPECIAL_COUNT])
{
	for (int i = 0; i < SPECIAL_COUNT; i++) {
		if (__atomic_load_n(&ended[i], __ATOMIC_RELAXED) == 0)
			continue;
		__atomic_fetch_add(&totals[i], __atomic_exchange_n(&ended[i], 0, __ATOMIC_RELAXED),
				   __ATOMIC_RELAXED);
	}
}

static void write_from(int factor)
{
	for (int i = 0; i < SPECIAL_COUNT; i++) {
		uint64_t total = __atomic_load_n(&totals[i], __ATOMIC_RELAXED);
		uint64_t before = __atomic_load_n(&written[i], __ATOMIC_RELAXED);

		if (!keys[i] || total == before || total / (uint64_t)factor < before)
			continue;
		__atomic_store_n(&written[i], total, __ATOMIC_RELAXED);
		meta_setting_number(keys[i], total);
	}
}

void stack_ends_note(void)
{
	write_from(2);
}

void stack_ends_report(void)
{
	write_from(1);
}

void stack_ends_forget(void)
{
	for (int i = 0; i < SPECIAL_COUNT; i++)
		totals[i] = written[i] = 0;
}
