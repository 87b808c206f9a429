/*
 * test_merge.c - all streams as one, in the order of their stamps.
 */
#include <stdio.h>
#include <string.h>

#include "fixture/mktrace.h"
#include "test.h"
#include "trace/merge.h"

/* "stamp:kind " of every event, so that an order reads as one line. */
static const char *order(struct recording *r, const struct merge_select *select)
{
	static char text[8192];
	struct stacks *stacks = stacks_new();
	struct merge *m = merge_open(r, stacks, select);
	const struct event *e;
	size_t used = 0;

	text[0] = '\0';
	while ((e = merge_next(m)) != NULL && used < sizeof(text) - 64)
		used += (size_t)sprintf(text + used, "%s%llu:%c%u", used ? " " : "",
					(unsigned long long)e->r.stamp,
					e->r.kind == EVENT_FREE ? 'f' :
					e->r.kind == EVENT_ALLOC ? 'a' : '?', e->stream);
	merge_close(m);
	stacks_free(stacks);
	return text;
}

TEST(test_merge_empty_recording_has_no_event)
{
	struct mktrace *t = mktrace_new();
	struct recording *r = mktrace_open(t);

	assert_string_equal(order(r, NULL), "");
	recording_close(r);
	mktrace_free(t);
}

TEST(test_merge_two_streams_come_in_the_order_of_their_stamps)
{
	struct mktrace *t = mktrace_new();
	mk_stream a = mk_process(t, 1, 100, "prog");
	mk_stream b = mk_thread(t, 1, 101, 5, "worker");

	mk_malloc(t, a, 10, 0x1000, 8);
	mk_malloc(t, a, 40, 0x1040, 8);
	mk_malloc(t, b, 20, 0x2000, 8);
	mk_free(t, b, 30, 0x2000);
	mk_free(t, b, 50, 0x1040);

	struct recording *r = mktrace_open(t);

	assert_string_equal(order(r, NULL), "10:a0 20:a1 30:f1 40:a0 50:f1");
	recording_close(r);
	mktrace_free(t);
}

TEST(test_merge_equal_stamps_put_the_release_first)
{
	struct mktrace *t = mktrace_new();
	mk_stream a = mk_process(t, 1, 100, "prog");
	mk_stream b = mk_thread(t, 1, 101, 5, "worker");

	mk_malloc(t, b, 10, 0x1000, 8);
	mk_malloc(t, a, 20, 0x1000, 8); /* the address that b frees at the same stamp */
	mk_free(t, b, 20, 0x1000);

	struct recording *r = mktrace_open(t);

	assert_string_equal(order(r, NULL), "10:a1 20:f1 20:a0");
	recording_close(r);
	mktrace_free(t);
}

TEST(test_merge_equal_stamps_and_kinds_put_the_lower_stream_first)
{
	struct mktrace *t = mktrace_new();
	mk_stream s[4];

	s[0] = mk_process(t, 1, 100, "prog");
	for (uint32_t i = 1; i < 4; i++)
		s[i] = mk_thread(t, 1, 100 + i, 5, "worker");
	for (int i = 3; i >= 0; i--)
		mk_malloc(t, s[i], 10, 0x1000 + (uint64_t)i * 64, 8);

	struct recording *r = mktrace_open(t);

	assert_string_equal(order(r, NULL), "10:a0 10:a1 10:a2 10:a3");
	recording_close(r);
	mktrace_free(t);
}

TEST(test_merge_order_within_a_stream_is_never_changed)
{
	struct mktrace *t = mktrace_new();
	mk_stream a = mk_process(t, 1, 100, "prog");

	mk_malloc(t, a, 10, 0x1000, 8);
	mk_free(t, a, 10, 0x1000);
	mk_malloc(t, a, 10, 0x1000, 8);
	mk_segment(t, a);
	mk_free(t, a, 10, 0x1000);

	struct recording *r = mktrace_open(t);

	assert_string_equal(order(r, NULL), "10:a0 10:f0 10:a0 10:f0");
	recording_close(r);
	mktrace_free(t);
}

TEST(test_merge_idle_thread_whose_segment_stands_last_in_the_file_comes_in_time)
{
	struct mktrace *t = mktrace_new();
	mk_stream a = mk_process(t, 1, 100, "prog");
	mk_stream idle = mk_thread(t, 1, 101, 5, "idle");

	for (uint64_t i = 0; i < 5; i++) {
		mk_malloc(t, a, 10 + i * 10, 0x1000 + i * 64, 8);
		mk_segment(t, a);
	}
	mk_malloc(t, idle, 15, 0x9000, 8);

	struct recording *r = mktrace_open(t);

	assert_string_equal(order(r, NULL), "10:a0 15:a1 20:a0 30:a0 40:a0 50:a0");
	recording_close(r);
	mktrace_free(t);
}

TEST(test_merge_select_image_leaves_out_the_others)
{
	struct mktrace *t = mktrace_new();
	mk_stream a = mk_process(t, 1, 100, "prog");
	mk_stream b = mk_fork(t, 2, 101, 1, 12);

	mk_malloc(t, a, 10, 0x1000, 8);
	mk_malloc(t, b, 20, 0x2000, 8);
	mk_malloc(t, a, 30, 0x3000, 8);

	struct recording *r = mktrace_open(t);

	assert_string_equal(order(r, &(struct merge_select){ .image = 2 }), "20:a1");
	assert_string_equal(order(r, &(struct merge_select){ .image = 1 }), "10:a0 30:a0");
	assert_string_equal(order(r, &(struct merge_select){ .image = 9 }), "");
	recording_close(r);
	mktrace_free(t);
}

TEST(test_merge_until_stamp_is_the_last_one_delivered)
{
	struct mktrace *t = mktrace_new();
	mk_stream a = mk_process(t, 1, 100, "prog");

	mk_malloc(t, a, 10, 0x1000, 8);
	mk_malloc(t, a, 20, 0x1040, 8);
	mk_malloc(t, a, 21, 0x1080, 8);

	struct recording *r = mktrace_open(t);

	assert_string_equal(order(r, &(struct merge_select){ .until_stamp = 20 }), "10:a0 20:a0");
	recording_close(r);
	mktrace_free(t);
}

TEST(test_merge_event_has_the_stack_in_force)
{
	struct mktrace *t = mktrace_new();
	mk_stream a = mk_process(t, 1, 100, "prog");
	struct stacks *stacks = stacks_new();
	stack_id first;

	mk_malloc(t, a, 10, 0x1000, 8, 0x30, 0x20, 0x10);
	mk_free(t, a, 11, 0x1000);
	mk_malloc(t, a, 12, 0x1000, 8, 0x31, 0x20, 0x10);
	mk_malloc(t, a, 13, 0x1040, 8);
	mk_segment(t, a);
	mk_malloc(t, a, 14, 0x1080, 8, 0x30, 0x20, 0x10);

	struct recording *r = mktrace_open(t);
	struct merge *m = merge_open(r, stacks, NULL);

	first = merge_next(m)->stack;
	assert_int_equal(stacks_node(stacks, first)->value, 0x30);
	assert_int_equal(stacks_node(stacks, first)->depth, 3);
	assert_int_equal(merge_next(m)->stack, first);
	const struct stack_node *n = stacks_node(stacks, merge_next(m)->stack);
	assert_int_equal(n->value, 0x31);
	assert_int_equal(n->parent, stacks_node(stacks, first)->parent);
	assert_int_equal(merge_next(m)->stack, STACK_NONE);
	/* a new segment begins with an empty stack and finds the same nodes */
	assert_int_equal(merge_next(m)->stack, first);
	assert_int_equal(stacks_count(stacks), 4);
	merge_close(m);
	stacks_free(stacks);
	recording_close(r);
	mktrace_free(t);
}

TEST(test_merge_without_a_stack_tree_every_event_has_the_empty_stack)
{
	struct mktrace *t = mktrace_new();
	mk_stream a = mk_process(t, 1, 100, "prog");

	mk_malloc(t, a, 10, 0x1000, 8, 0x30, 0x20, 0x10);
	mk_free(t, a, 11, 0x1000);
	mk_malloc(t, a, 12, 0x1000, 8, 0x31, 0x20, 0x10);

	struct recording *r = mktrace_open(t);
	struct merge *m = merge_open(r, NULL, NULL);
	const struct event *e;
	int count = 0;

	while ((e = merge_next(m)) != NULL) {
		assert_int_equal(e->stack, STACK_NONE);
		assert_int_equal(e->r.addr, 0x1000);
		count++;
	}
	assert_int_equal(count, 3);
	merge_close(m);
	recording_close(r);
	mktrace_free(t);
}

TEST(test_merge_stacks_of_interleaved_streams_do_not_mix)
{
	struct mktrace *t = mktrace_new();
	mk_stream a = mk_process(t, 1, 100, "prog");
	mk_stream b = mk_thread(t, 1, 101, 5, "worker");
	struct stacks *stacks = stacks_new();
	const struct event *e;

	for (uint64_t i = 0; i < 100; i++) {
		mk_malloc(t, a, 10 + 2 * i, 0x1000 + 64 * i, 8, 0xa000 + i, 0xa0);
		mk_malloc(t, b, 11 + 2 * i, 0x8000 + 64 * i, 8, 0xb000 + i, 0xb1, 0xb0);
	}

	struct recording *r = mktrace_open(t);
	struct merge *m = merge_open(r, stacks, NULL);

	for (uint64_t i = 0; i < 200; i++) {
		e = merge_next(m);
		const struct stack_node *n = stacks_node(stacks, e->stack);

		assert_int_equal(e->stream, i % 2);
		assert_int_equal(n->value, (i % 2 ? 0xb000 : 0xa000) + i / 2);
		assert_int_equal(n->depth, i % 2 ? 3 : 2);
	}
	assert_null(merge_next(m));
	assert_null(merge_next(m));
	merge_close(m);
	stacks_free(stacks);
	recording_close(r);
	mktrace_free(t);
}

TEST(test_merge_many_segments_of_many_streams_lose_and_add_nothing)
{
	enum { STREAMS = 9, EVENTS = 20000 };
	struct mktrace *t = mktrace_new();
	struct stacks *stacks = stacks_new();
	mk_stream s[STREAMS];
	const struct event *e;
	uint64_t count = 0, last = 0, sum = 0, expected = 0;

	s[0] = mk_process(t, 1, 100, "prog");
	for (uint32_t i = 1; i < STREAMS; i++)
		s[i] = mk_thread(t, 1, 100 + i, 5, "worker");
	for (uint64_t i = 0; i < EVENTS; i++) {
		mk_malloc(t, s[i * i % STREAMS], 10 + i / 3, 0x1000 + i * 16, i, i % 7, 0x10);
		expected += i;
		if (i % 97 == 0)
			mk_segment(t, s[i % STREAMS]);
	}

	struct recording *r = mktrace_open(t);
	struct merge *m = merge_open(r, stacks, NULL);

	while ((e = merge_next(m)) != NULL) {
		assert_true(e->r.stamp >= last);
		last = e->r.stamp;
		sum += e->r.size;
		count++;
	}
	assert_int_equal(count, EVENTS);
	assert_int_equal(sum, expected);
	assert_int_equal(r->damaged_segments, 0);
	merge_close(m);
	stacks_free(stacks);
	recording_close(r);
	mktrace_free(t);
}

TEST(test_merge_stream_whose_clock_goes_back_between_segments_is_kept_in_order)
{
	struct mktrace *t = mktrace_new();
	mk_stream a = mk_process(t, 1, 100, "prog");
	struct segment_header h = { .kind = SEGMENT_EVENTS, .image = 1, .pid = 100, .tid = 100,
				    .sequence = 1, .thread = 1, .first_stamp = 5 };
	struct codec_base base = { .stamp = 5 };
	uint8_t payload[32], *p;

	mk_malloc(t, a, 10, 0x1000, 8);
	p = put_head(payload, &base, EVENT_FREE, 7);
	p = put_addr(p, &base, 0x1001);
	h.committed = (uint64_t)(p - payload);
	mk_raw(t, &h, payload);

	struct recording *r = mktrace_open(t);

	assert_string_equal(order(r, NULL), "10:a0 10:f0");
	recording_close(r);
	mktrace_free(t);
}

TEST(test_merge_loss_records_are_summed_into_the_recording)
{
	struct mktrace *t = mktrace_new();
	mk_stream a = mk_process(t, 1, 100, "prog");

	mk_loss(t, a, 10, LOSS_NO_SLOT, 5);
	mk_loss(t, a, 20, LOSS_NO_SLOT, 7);

	struct recording *r = mktrace_open(t);

	order(r, NULL);
	order(r, NULL);
	assert_int_equal(r->losses[LOSS_NO_SLOT], 12);
	recording_close(r);
	mktrace_free(t);
}

TEST(test_merge_segment_that_is_no_records_is_counted_and_the_rest_delivered)
{
	struct mktrace *t = mktrace_new();
	mk_stream a = mk_process(t, 1, 100, "prog");
	struct segment_header h = { .kind = SEGMENT_EVENTS, .image = 1, .pid = 100, .tid = 100,
				    .sequence = 1, .thread = 1, .first_stamp = 20,
				    .last_stamp = 30, .committed = 8 };

	mk_malloc(t, a, 10, 0x1000, 8);
	mk_lose_segments(t, a, 1);
	mk_raw(t, &h, "\0\0\0\0\0\0\0");
	mk_free(t, a, 40, 0x1000);

	struct recording *r = mktrace_open(t);

	assert_string_equal(order(r, NULL), "10:a0 40:f0");
	assert_string_equal(order(r, NULL), "10:a0 40:f0");
	/* two passes count it once */
	assert_int_equal(r->damaged_segments, 1);
	assert_int_equal(r->damaged_bytes, 8);
	assert_int_equal(r->losses[LOSS_DAMAGED], 1);
	assert_non_null(strstr(r->damage, "no records from its byte 0"));
	recording_close(r);
	mktrace_free(t);
}

/* Found by fuzz_packed: the place in the order came from the damaged segment's header. */
TEST(test_merge_damaged_first_segment_with_a_late_stamp_does_not_turn_time_back)
{
	struct mktrace *t = mktrace_new();
	mk_stream a = mk_process(t, 1, 100, "prog");
	mk_stream b = mk_thread(t, 1, 101, 5, "worker");
	const struct segment_header h = {
		.kind = SEGMENT_EVENTS, .image = 1, .pid = 100, .tid = 101, .stream = 1,
		.sequence = 0, .thread = 101, .first_stamp = 45, .last_stamp = 50, .committed = 8,
	};

	mk_malloc(t, a, 10, 0x1000, 8);
	mk_free(t, a, 40, 0x1000);
	mk_raw(t, &h, "\0\0\0\0\0\0\0");
	mk_lose_segments(t, b, 1); /* number 0 is the one above */
	mk_malloc(t, b, 20, 0x2000, 8);
	mk_free(t, b, 60, 0x2000);

	struct recording *r = mktrace_open(t);

	assert_string_equal(order(r, NULL), "10:a0 40:f0 45:a1 60:f1");
	assert_int_equal(r->damaged_segments, 1);
	recording_close(r);
	mktrace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merge_empty_recording_has_no_event),
		cmocka_unit_test(test_merge_two_streams_come_in_the_order_of_their_stamps),
		cmocka_unit_test(test_merge_equal_stamps_put_the_release_first),
		cmocka_unit_test(test_merge_equal_stamps_and_kinds_put_the_lower_stream_first),
		cmocka_unit_test(test_merge_order_within_a_stream_is_never_changed),
		cmocka_unit_test(test_merge_idle_thread_whose_segment_stands_last_in_the_file_comes_in_time),
		cmocka_unit_test(test_merge_select_image_leaves_out_the_others),
		cmocka_unit_test(test_merge_until_stamp_is_the_last_one_delivered),
		cmocka_unit_test(test_merge_event_has_the_stack_in_force),
		cmocka_unit_test(test_merge_without_a_stack_tree_every_event_has_the_empty_stack),
		cmocka_unit_test(test_merge_stacks_of_interleaved_streams_do_not_mix),
		cmocka_unit_test(test_merge_many_segments_of_many_streams_lose_and_add_nothing),
		cmocka_unit_test(test_merge_stream_whose_clock_goes_back_between_segments_is_kept_in_order),
		cmocka_unit_test(test_merge_loss_records_are_summed_into_the_recording),
		cmocka_unit_test(test_merge_segment_that_is_no_records_is_counted_and_the_rest_delivered),
		cmocka_unit_test(test_merge_damaged_first_segment_with_a_late_stamp_does_not_turn_time_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
