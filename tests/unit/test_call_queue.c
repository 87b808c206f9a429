/*
 * test_call_queue.c - lines that wait come out in order, and none waits for ever.
 */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "forms/call_queue.h"

static char text[1 << 20];
static size_t used;

static void put(const struct call_line *line, const struct call_line *inner, size_t count, void *ctx)
{
	(void)inner;
	(void)ctx;
	if (used < sizeof(text) - 64)
		used += (size_t)sprintf(text + used, "%s%llu%s%s ",
					line->kind == LINE_SYSCALL ? "s" : "",
					(unsigned long long)line->stamp, count ? "+" : "",
					line->has_duration ? "t" : "");
}

static struct call_queue *start(void)
{
	used = 0;
	text[0] = '\0';
	return call_queue_new(put, NULL);
}

static struct call_line call(uint64_t stamp, enum alloc_func func)
{
	return (struct call_line){ .kind = LINE_CALL, .stamp = stamp, .call = { .func = func } };
}

static struct call_line syscall_line(uint64_t stamp)
{
	return (struct call_line){ .kind = LINE_SYSCALL, .stamp = stamp };
}

static void add(struct call_queue *q, uint32_t stream, uint64_t stamp, enum alloc_func func)
{
	struct call_line line = call(stamp, func);

	call_queue_call(q, stream, &line);
}

TEST(test_line_waits_for_its_time_and_keeps_its_place)
{
	struct call_queue *q = start();

	add(q, 0, 1, FUNC_MALLOC);
	add(q, 1, 2, FUNC_MALLOC);
	assert_string_equal(text, "");
	call_queue_duration(q, 1, 5);
	assert_string_equal(text, "");
	call_queue_duration(q, 0, 5);
	assert_string_equal(text, "1t 2t ");
	call_queue_free(q);
}

TEST(test_next_call_of_a_stream_completes_the_last)
{
	struct call_queue *q = start();

	add(q, 0, 1, FUNC_MALLOC);
	add(q, 0, 2, FUNC_MALLOC);
	assert_string_equal(text, "1 ");
	call_queue_free(q);
	assert_string_equal(text, "1 2 ");
}

TEST(test_system_calls_join_the_call_they_were_made_in)
{
	struct call_queue *q = start();
	struct call_line s = syscall_line(1);

	call_queue_syscall(q, 0, FUNC_MALLOC, &s);  /* before malloc completes */
	add(q, 0, 2, FUNC_MALLOC);
	add(q, 0, 3, FUNC_FREE);
	s.stamp = 4;
	call_queue_syscall(q, 0, FUNC_FREE, &s);    /* after free was noted */
	s.stamp = 5;
	call_queue_syscall(q, 0, FUNC_COUNT, &s);   /* the program's own */
	assert_string_equal(text, "2+ 3+ s5 ");
	call_queue_free(q);
}

TEST(test_system_calls_of_a_call_that_is_not_shown_are_lines)
{
	struct call_queue *q = start();
	struct call_line s = syscall_line(1);

	call_queue_syscall(q, 0, FUNC_MALLOC, &s);
	call_queue_skip(q, 0);
	assert_string_equal(text, "s1 ");
	call_queue_free(q);
}

TEST(test_thread_that_does_nothing_more_holds_up_a_bounded_number)
{
	struct call_queue *q = start();

	add(q, 0, 1, FUNC_MALLOC);
	for (uint64_t i = 0; i < QUEUE_MAX + 10; i++) {
		add(q, 1, 2 + i, FUNC_MALLOC);
		call_queue_done(q, 1);
	}
	assert_int_equal(strncmp(text, "1 2 ", 4), 0);
	/* its stream may go on all the same */
	call_queue_duration(q, 0, 5);
	add(q, 0, 99999, FUNC_FREE);
	call_queue_free(q);
	assert_non_null(strstr(text, " 99999 "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_waits_for_its_time_and_keeps_its_place),
		cmocka_unit_test(test_next_call_of_a_stream_completes_the_last),
		cmocka_unit_test(test_system_calls_join_the_call_they_were_made_in),
		cmocka_unit_test(test_system_calls_of_a_call_that_is_not_shown_are_lines),
		cmocka_unit_test(test_thread_that_does_nothing_more_holds_up_a_bounded_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
