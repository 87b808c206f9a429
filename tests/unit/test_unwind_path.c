/*
 * test_unwind_path.c - stacks taken by a path are those of a complete walk: calls in
 * turn from a few places, the same place reached by other ways, other code.
 */
#include "test.h"

#include "unwind_chain.h"
/* some of its ways to be called are for other tests */
#pragma GCC diagnostic ignored "-Wunused-function"
#include "unwind_probe.h"

/* No rest, whatever it costs. */
#define LUCK_ENDLESS (1 << 30)

static void never_rest(void)
{
	unwinder->path_rest = 0;
	unwinder->path_luck = LUCK_ENDLESS;
}

static void one_deeper(void);

NOINLINE static void two_deeper(void)
{
	one_deeper();
	AFTER_CALL();
}

NOINLINE static void one_deeper(void)
{
	probe();
	assert_true(session.options.depth == 0 || depth <= session.options.depth + 1);
	AFTER_CALL();
}

NOINLINE static void places_in_turn(void)
{
	one_deeper();
	two_deeper();
	through_libc(1);
	probe();
	AFTER_CALL();
}

/* The same calls with stack pointers that are BYTES lower. */
NOINLINE static void turns_at(size_t bytes)
{
	volatile char *room = __builtin_alloca(bytes + 16);

	room[0] = 0;
	unwinder->path_rest = 0;
	unwinder->path_luck = 16;
	for (unsigned i = 0; i < 200; i++) {
		seed = 3;
		places_in_turn();
	}
}

/*
 * Each path taken counts up, each walk down. Where in the table a path lies depends on addresses, so
 * two of these few may chance to share a place and drive each other out: another depth parts them.
 */
TEST(test_unwind_path_is_taken_where_calls_come_in_turn)
{
	bool is_taken = false;

	for (size_t i = 0; i < 16 && !is_taken; i++) {
		turns_at(i * 208);
		is_taken = unwinder->path_luck > 32 && unwinder->path_rest == 0;
	}
	assert_true(is_taken);
}

static uint64_t stack_pointers[2];

NOINLINE static void note_and_probe(unsigned who)
{
	stack_pointers[who] = (uint64_t)__builtin_frame_address(0);
	probe();
	AFTER_CALL();
}

NOINLINE static void by_one_way(unsigned who)
{
	note_and_probe(who);
	AFTER_CALL();
}

NOINLINE static void by_another(unsigned who)
{
	note_and_probe(who);
	AFTER_CALL();
}

/* The calls differ only in a word of the stack between the beginning and the base. */
TEST(test_unwind_path_of_another_caller_is_not_taken)
{
	never_rest();
	for (unsigned i = 0; i < 300; i++) {
		if (next_random() & 1)
			by_one_way(0);
		else
			by_another(1);
	}
	assert_true(stack_pointers[0] == stack_pointers[1]);
}

NOINLINE static void in_between(void)
{
	places_in_turn();
	AFTER_CALL();
}

NOINLINE static void from_one_side(void)
{
	in_between();
	AFTER_CALL();
}

NOINLINE static void from_the_other(void)
{
	in_between();
	AFTER_CALL();
}

/* The base stands where it stood, but was called by another function. */
TEST(test_unwind_path_to_a_base_of_another_caller_is_not_taken)
{
	never_rest();
	for (unsigned i = 0; i < 300; i++) {
		if (next_random() & 1)
			from_one_side();
		else
			from_the_other();
	}
}

static uint64_t leaf_pointers[4];

NOINLINE static void leaf_probe(unsigned k)
{
	leaf_pointers[k] = (uint64_t)__builtin_frame_address(0);
	probe();
	AFTER_CALL();
}

NOINLINE static void with_room(unsigned k)
{
	char *p = alloca(64 * (1 + k));

	USED(p);
	one_deeper();
	leaf_probe(k);
	AFTER_CALL();
}

NOINLINE static void with_less_room(unsigned k)
{
	char *p = alloca(64 * (8 - k));

	USED(p);
	with_room(k);
	AFTER_CALL();
}

/*
 * Only the frame pointer tells where the frame of with_room() is: the stack pointer is the
 * same, and what was read for the path may still lie there.
 */
TEST(test_unwind_path_with_another_frame_pointer_is_not_taken)
{
	never_rest();
	for (unsigned i = 0; i < 300; i++)
		with_less_room(i < 4 ? i : next_random() % 4);
	for (unsigned k = 1; k < 4; k++)
		assert_true(leaf_pointers[k] == leaf_pointers[0]);
}

NOINLINE static void some_of(unsigned how)
{
	if (how & 1)
		one_deeper();
	if (how & 2)
		two_deeper();
	if (how & 4)
		probe();
	AFTER_CALL();
}

/* Paths end in a frame that was entered from elsewhere: the base or what is outside of it differs. */
TEST(test_unwind_path_to_another_base_is_not_taken)
{
	never_rest();
	for (unsigned i = 0; i < 300; i++) {
		switch (next_random() % 3) {
		case 0: some_of(next_random()); break;
		case 1: some_of(next_random()); probe(); break;
		default: busy(next_random() % 3, i, 5); break;
		}
	}
}

TEST(test_unwind_path_never_changes_a_stack)
{
	compared = 0;
	for (unsigned i = 0; i < 2000; i++) {
		never_rest();
		wander(next_random() % 12);
		if (i % 16 == 0) {
			unwind_restart(unwinder);
			depth = 0;
		}
	}
	assert_true(compared > 10000);
}

/* The walk for a path ends the same whether the stack is as deep as may be written or not. */
TEST(test_unwind_path_respects_the_limit)
{
	use_limit(40);
	for (unsigned i = 0; i < 300; i++) {
		never_rest();
		recurse(20 + next_random() % 40, places_in_turn);
	}
}

TEST(test_unwind_path_of_code_that_may_be_gone_is_forgotten)
{
	uint64_t epoch;

	never_rest();
	places_in_turn();
	places_in_turn();
	epoch = unwinder->epoch;
	rule_modules_changed(false);
	places_in_turn();
	assert_true(unwinder->epoch != epoch);
	epoch = unwinder->epoch;
	unwind_reset(unwinder);
	depth = 0;
	assert_true(unwinder->epoch != epoch);
	places_in_turn();
}

TEST(test_unwind_path_rests_where_it_does_not_pay)
{
	unwinder->path_rest = 0;
	for (unsigned i = 0; i < 200; i++) {
		by_one_way(0);
		by_another(0);
	}
	assert_true(unwinder->path_rest > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STATE(test_unwind_path_is_taken_where_calls_come_in_turn),
		WITH_STATE(test_unwind_path_of_another_caller_is_not_taken),
		WITH_STATE(test_unwind_path_to_a_base_of_another_caller_is_not_taken),
		WITH_STATE(test_unwind_path_with_another_frame_pointer_is_not_taken),
		WITH_STATE(test_unwind_path_to_another_base_is_not_taken),
		WITH_STATE(test_unwind_path_never_changes_a_stack),
		WITH_STATE(test_unwind_path_respects_the_limit),
		WITH_STATE(test_unwind_path_of_code_that_may_be_gone_is_forgotten),
		WITH_STATE(test_unwind_path_rests_where_it_does_not_pay),
	};

#if !defined(__x86_64__)
	return 0; /* stacks are walked there */
#endif
	if (!open_oracles())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
