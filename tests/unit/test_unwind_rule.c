/*
 * test_unwind_rule.c - the table of rules: the same answer whether built, kept, evicted
 * or made anew, also with several threads and modules that change.
 */
#include "test.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "cfi.h"
#include "cfi_module.h"
#include "unwind_rule.h"

/* More than the table holds. */
#define PCS (3 * RULE_PAGES * RULE_PAGE_ENTRIES / 2)

static uint64_t pcs[PCS], expected[PCS];
static unsigned count;

static uint64_t now(uint64_t pc)
{
	return rule_of(pc, __atomic_load_n(&rules.tag, __ATOMIC_ACQUIRE));
}

/* Rules of code that is always there; "nothing known" changes with the list of modules. */
static int collect(void **state)
{
	uint64_t start, end;

	(void)state;
	assert_true(rule_init());
	assert_true(cfi_module_range((uint64_t)&qsort, &start, &end));
	for (uint64_t pc = start; pc < end && count < PCS; pc += 11) {
		uint64_t rule = now(pc);

		if (rule_kind(rule) == RULE_NONE)
			continue;
		pcs[count] = pc;
		expected[count++] = rule;
	}
	return count < 10000;
}

static unsigned differences(unsigned first, unsigned step)
{
	unsigned bad = 0;

	for (unsigned i = first; i < count; i += step)
		bad += now(pcs[i]) != expected[i];
	return bad;
}

TEST(test_kept_and_evicted_rules_are_what_was_built)
{
	assert_int_equal(differences(0, 1), 0);
	assert_int_equal(differences(0, 1), 0);
	assert_int_equal(differences(7, 64), 0);
	assert_int_equal(differences(7, 64), 0);
}

TEST(test_rules_after_an_unload_are_what_was_built)
{
	rule_modules_changed(false);
	assert_int_equal(differences(0, 3), 0);
	rule_modules_changed(true);
	assert_int_equal(differences(0, 3), 0);
}

TEST(test_generation_that_comes_round_again_finds_no_old_rules)
{
	differences(0, 5);
	for (unsigned i = 0; i < 65536; i++)
		rule_modules_changed(false);
	assert_int_equal(differences(0, 5), 0);
}

static volatile bool stop;

static void *look_up(void *arg)
{
	unsigned *bad = arg;

	while (!stop)
		*bad += differences(*bad, 3 + (unsigned)(uintptr_t)arg % 7);
	return NULL;
}

TEST(test_threads_get_the_right_rules_while_modules_change)
{
	pthread_t threads[3];
	unsigned bad[3] = { 0 };

	stop = false;
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, look_up, &bad[i]);
	for (int i = 0; i < 200; i++) {
		rule_modules_changed(i % 2);
		assert_int_equal(differences((unsigned)i, 997), 0);
	}
	stop = true;
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(bad[i], 0);
	}
}

TEST(test_address_that_is_no_code_has_no_rule)
{
	static int data;

	assert_int_equal(rule_kind(now((uint64_t)&data)), RULE_NONE);
	assert_int_equal(rule_kind(now(RULE_PC_MIN)), RULE_NONE);
	assert_int_equal(rule_kind(now((uint64_t)1 << 60)), RULE_NONE);
	assert_false(rule_is_signal((uint64_t)&qsort));
}

TEST(test_rule_of_a_plain_function_is_its_row)
{
	uint64_t rule = now((uint64_t)&rule_init);
	struct cfi_frame f;

	/* nothing was pushed at its first byte */
	assert_int_equal(cfi_find((uint64_t)&rule_init, &f), CFI_FOUND);
	assert_int_equal(f.start, (uint64_t)&rule_init);
#if defined(__x86_64__)
	assert_int_equal(rule_kind(rule), RULE_SP);
	assert_int_equal(rule_cfa(rule), 8);
	assert_int_equal(rule_bp(rule), 0);
#else
	/* the return address is in a register */
	assert_int_equal(rule_kind(rule), RULE_HARD);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept_and_evicted_rules_are_what_was_built),
		cmocka_unit_test(test_rules_after_an_unload_are_what_was_built),
		cmocka_unit_test(test_generation_that_comes_round_again_finds_no_old_rules),
		cmocka_unit_test(test_threads_get_the_right_rules_while_modules_change),
		cmocka_unit_test(test_address_that_is_no_code_has_no_rule),
		cmocka_unit_test(test_rule_of_a_plain_function_is_its_row),
	};

	return cmocka_run_group_tests(tests, collect, NULL);
}
