/*
 * test_snapshots.c - which moments are kept, and which go.
 */
#include "test.h"

#include <stdlib.h>

#include "model/snapshots.h"

static void add(struct snapshots *s, uint64_t time, enum snapshot_kind kind)
{
	struct snapshot snapshot = { .time = time, .kind = kind };

	if (kind != SNAPSHOT_NORMAL) {
		snapshot.stacks = calloc(1, sizeof(*snapshot.stacks));
		snapshot.stack_count = 1;
	}
	snapshots_add(s, &snapshot);
}

static void assert_times(const struct snapshots *s, const uint64_t *times, size_t count)
{
	assert_int_equal(s->count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(s->items[i].time, times[i]);
}

TEST(test_all_are_kept_while_there_is_room)
{
	struct snapshots s;

	snapshots_init(&s, 10, 10);
	for (uint64_t i = 0; i < 9; i++) {
		assert_true(snapshots_is_due(&s, i));
		add(&s, i, SNAPSHOT_NORMAL);
	}
	assert_times(&s, (const uint64_t[]){ 0, 1, 2, 3, 4, 5, 6, 7, 8 }, 9);
	snapshots_release(&s);
}

TEST(test_half_of_them_go_where_they_stand_closest)
{
	struct snapshots s;

	snapshots_init(&s, 10, 10);
	/* pairs: each second one is 1 behind the first */
	for (uint64_t i = 0; i < 5; i++) {
		add(&s, i * 100, SNAPSHOT_NORMAL);
		add(&s, i * 100 + 1, SNAPSHOT_NORMAL);
	}
	/* spans are 100 or, over the ends of pairs, 100 too: the first of equal ones goes, again and again */
	assert_int_equal(s.count, 5);
	assert_int_equal(s.items[0].time, 0);
	assert_int_equal(s.items[4].time, 401);
	assert_true(s.gap > 1);
	assert_false(snapshots_is_due(&s, 401 + s.gap - 1));
	assert_true(snapshots_is_due(&s, 401 + s.gap));
	snapshots_release(&s);
}

TEST(test_first_and_peak_never_go)
{
	struct snapshots s;

	snapshots_init(&s, 10, 100);
	add(&s, 0, SNAPSHOT_NORMAL);
	add(&s, 1, SNAPSHOT_PEAK);
	for (uint64_t i = 2; i < 1000; i++)
		add(&s, i * i, SNAPSHOT_NORMAL);
	assert_int_equal(s.items[0].time, 0);
	assert_int_equal(s.items[1].time, 1);
	assert_int_equal(s.items[1].kind, SNAPSHOT_PEAK);
	assert_true(s.count < 10);
	/* the gap of 1 between the two that stay does not count */
	assert_true(s.gap > 1);
	snapshots_release(&s);
}

TEST(test_a_higher_peak_makes_the_old_one_a_detailed_one)
{
	struct snapshots s;

	snapshots_init(&s, 10, 100);
	add(&s, 0, SNAPSHOT_NORMAL);
	add(&s, 1, SNAPSHOT_PEAK);
	add(&s, 2, SNAPSHOT_PEAK);
	assert_int_equal(s.items[1].kind, SNAPSHOT_DETAILED);
	assert_int_equal(s.items[2].kind, SNAPSHOT_PEAK);
	snapshots_release(&s);
}

TEST(test_every_nth_wants_detail_and_a_peak_begins_the_count_anew)
{
	struct snapshots s;

	snapshots_init(&s, 100, 3);
	add(&s, 0, SNAPSHOT_NORMAL);
	assert_false(snapshots_wants_detail(&s));
	add(&s, 1, SNAPSHOT_NORMAL);
	assert_true(snapshots_wants_detail(&s));
	add(&s, 2, SNAPSHOT_DETAILED);
	assert_false(snapshots_wants_detail(&s));
	add(&s, 3, SNAPSHOT_NORMAL);
	add(&s, 4, SNAPSHOT_PEAK);
	add(&s, 5, SNAPSHOT_NORMAL);
	assert_false(snapshots_wants_detail(&s));
	snapshots_release(&s);
}

TEST(test_a_peak_found_afterwards_stands_where_it_was)
{
	struct snapshot peak = { .time = 20, .kind = SNAPSHOT_PEAK, .heap_bytes = 7 };
	struct snapshots s;

	snapshots_init(&s, 10, 100);
	add(&s, 0, SNAPSHOT_NORMAL);
	add(&s, 20, SNAPSHOT_NORMAL);
	add(&s, 30, SNAPSHOT_NORMAL);
	snapshots_insert_peak(&s, &peak);
	assert_times(&s, (const uint64_t[]){ 0, 20, 20, 30 }, 4);
	assert_int_equal(s.items[2].heap_bytes, 7);
	snapshots_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_are_kept_while_there_is_room),
		cmocka_unit_test(test_half_of_them_go_where_they_stand_closest),
		cmocka_unit_test(test_first_and_peak_never_go),
		cmocka_unit_test(test_a_higher_peak_makes_the_old_one_a_detailed_one),
		cmocka_unit_test(test_every_nth_wants_detail_and_a_peak_begins_the_count_anew),
		cmocka_unit_test(test_a_peak_found_afterwards_stands_where_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
