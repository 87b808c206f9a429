/*
 * test_record_codec.c - each record kind to bytes and back; bytes that are no
 * record are refused, whatever they are.
 */
#include <stdio.h>
#include <stdlib.h>

#include "record_codec.h"
#include "test.h"

struct writer {
	uint8_t bytes[70000];
	uint8_t *p;
	struct codec_base base;
};

static struct writer w;
static struct decoder d;
static struct record r;

static int begin_writing(void **state)
{
	(void)state;
	w.p = w.bytes;
	w.base = (struct codec_base){ .stamp = 1000 };
	return 0;
}

static void begin_reading(void)
{
	decoder_init(&d, w.bytes, (size_t)(w.p - w.bytes), 1000, 7);
}

TEST(test_record_worked_example_of_the_header_has_these_bytes)
{
	static const uint8_t expected[] = { 0x31, 0x03, 0x11, 0x80, 0x01, 0x20,
					    0xd4, 0xa8, 0xd1, 0xc0, 0xa1, 0xd7, 0x02 };
	const uint64_t addr = 0x55d0c0a2a2a0;

	w.base.frame = 0x400000;
	w.p = put_head(w.p, &w.base, EVENT_ALLOC | TAG_STACK | addr_flag(&w.base, addr), 1003);
	w.p = put_stack_head(w.p, 1, 1);
	w.p = put_frame_native(w.p, &w.base, 0x400010);
	w.p = varint_put(w.p, 32);
	w.p = put_addr(w.p, &w.base, addr);
	assert_int_equal(w.p - w.bytes, sizeof(expected));
	assert_memory_equal(w.bytes, expected, sizeof(expected));
}

TEST(test_record_alloc_comes_back_with_stack_class_and_usable)
{
	w.p = put_head(w.p, &w.base, EVENT_ALLOC | TAG_STACK | TAG_CLASS | TAG_USABLE, 1010);
	w.p = put_stack_head(w.p, 0, 2);
	w.p = put_frame_native(w.p, &w.base, 0x401000);
	w.p = put_frame(w.p, FRAME_SPECIAL, SPECIAL_TRUNCATED);
	*w.p++ = CLASS_ARENA;
	w.p = varint_put(w.p, 100);
	w.p = put_addr(w.p, &w.base, 0x7f0000001238);
	w.p = varint_put(w.p, zigzag(-4));
	begin_reading();
	assert_int_equal(record_decode(&d, &r), 1);
	assert_int_equal(r.kind, EVENT_ALLOC);
	assert_int_equal(r.func, FUNC_MALLOC);
	assert_int_equal(r.stamp, 1010);
	assert_int_equal(r.size, 100);
	assert_int_equal(r.nmemb, 1);
	assert_int_equal(r.addr, 0x7f0000001238);
	assert_int_equal(r.cls, CLASS_ARENA);
	assert_int_equal(r.usable, usable_rule(100, CLASS_ARENA) - 4);
	assert_int_equal(r.thread, 7);
	assert_true(r.has_stack);
	assert_int_equal(r.push, 2);
	assert_int_equal(d.frames[0].value, 0x401000);
	assert_int_equal(d.frames[1].type, FRAME_SPECIAL);
	assert_int_equal(record_decode(&d, &r), 0);
}

TEST(test_record_class_stays_in_force_until_changed)
{
	for (int i = 0; i < 2; i++) {
		w.p = put_head(w.p, &w.base, EVENT_ALLOC | (i ? 0 : TAG_CLASS), 1000);
		if (i == 0)
			*w.p++ = CLASS_MAPPED;
		w.p = varint_put(w.p, 200000);
		w.p = put_addr(w.p, &w.base, 0x7f0000000018 + (uint64_t)i * 8);
	}
	begin_reading();
	assert_int_equal(record_decode(&d, &r), 1);
	assert_int_equal(record_decode(&d, &r), 1);
	assert_int_equal(r.cls, CLASS_MAPPED);
	assert_int_equal(r.usable, 200704 - 16);
}

TEST(test_record_calloc_aligned_and_reallocarray_keep_their_arguments)
{
	w.p = put_head(w.p, &w.base, EVENT_CALLOC, 1000);
	w.p = varint_put(w.p, 10);
	w.p = varint_put(w.p, 24);
	w.p = put_addr(w.p, &w.base, 0x501);
	w.p = put_head(w.p, &w.base, EVENT_ALIGNED, 1000);
	*w.p++ = FUNC_MEMALIGN;
	w.p = varint_put(w.p, 4096);
	w.p = varint_put(w.p, 100);
	w.p = put_addr(w.p, &w.base, 0x1003);
	w.p = put_head(w.p, &w.base, EVENT_REALLOC_END, 1000);
	w.p = varint_put(w.p, 8 << 1 | 1);
	w.p = varint_put(w.p, 3);
	w.p = put_addr(w.p, &w.base, 0x2001);
	begin_reading();
	assert_int_equal(record_decode(&d, &r), 1);
	assert_int_equal(record_bytes(&r), 240);
	assert_int_equal(r.func, FUNC_CALLOC);
	assert_int_equal(record_decode(&d, &r), 1);
	assert_int_equal(r.alignment, 4096);
	assert_int_equal(r.func, FUNC_MEMALIGN);
	assert_int_equal(r.addr, 0x1003);
	assert_int_equal(record_decode(&d, &r), 1);
	assert_true(r.is_array);
	assert_int_equal(r.func, FUNC_REALLOCARRAY);
	assert_int_equal(record_bytes(&r), 24);
}

TEST(test_record_addresses_in_both_directions_and_widths)
{
	static const uint64_t addrs[] = { 0x10, 0x7fffffffe000, 0x18, 0x8, UINT64_MAX, 0 };

	for (size_t i = 0; i < 6; i++) {
		w.p = put_head(w.p, &w.base, EVENT_FREE | addr_flag(&w.base, addrs[i]), 1000);
		w.p = put_addr(w.p, &w.base, addrs[i]);
	}
	begin_reading();
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(record_decode(&d, &r), 1);
		assert_true(r.addr == addrs[i]);
		assert_int_equal(r.func, FUNC_FREE);
	}
}

TEST(test_record_system_calls_keep_number_arguments_and_result)
{
	for (unsigned number = 0; number < SYS_MEM_COUNT; number++) {
		w.p = put_head(w.p, &w.base, EVENT_SYSCALL_BEGIN, 1000);
		*w.p++ = (uint8_t)number;
		*w.p++ = SYSCALL_IN_ALLOCATOR;
		*w.p++ = FUNC_CALLOC;
		for (unsigned i = 0; i < syscall_argc(number); i++)
			w.p = varint_put(w.p, UINT64_MAX - i);
		w.p = put_head(w.p, &w.base, EVENT_SYSCALL_END, 1001);
		*w.p++ = (uint8_t)number;
		w.p = varint_put(w.p, zigzag(-12));
	}
	begin_reading();
	for (unsigned number = 0; number < SYS_MEM_COUNT; number++) {
		assert_int_equal(record_decode(&d, &r), 1);
		assert_int_equal(r.number, number);
		assert_int_equal(r.flags, SYSCALL_IN_ALLOCATOR);
		assert_int_equal(r.func, FUNC_CALLOC);
		for (unsigned i = 0; i < syscall_argc(number); i++)
			assert_true(r.args[i] == UINT64_MAX - i);
		assert_int_equal(record_decode(&d, &r), 1);
		assert_int_equal(r.result, -12);
	}
	assert_int_equal(record_decode(&d, &r), 0);
}

TEST(test_record_information_kinds_come_back)
{
	w.p = put_head(w.p, &w.base, EVENT_NULL_CALL, 1000);
	*w.p++ = FUNC_FREE;
	w.p = put_head(w.p, &w.base, EVENT_FAILED, 1000);
	*w.p++ = FUNC_CALLOC;
	*w.p++ = 12;
	w.p = varint_put(w.p, 5);
	w.p = varint_put(w.p, 6);
	w.p = put_head(w.p, &w.base, EVENT_TIMING, 1000);
	w.p = varint_put(w.p, 77);
	w.p = put_head(w.p, &w.base, EVENT_THREAD, 1000);
	w.p = varint_put(w.p, 9);
	w.p = put_head(w.p, &w.base, EVENT_MARK, 1000);
	w.p = varint_put(w.p, 3);
	memcpy(w.p, "abc", 3);
	w.p += 3;
	w.p = put_head(w.p, &w.base, EVENT_LOSS, 1000);
	*w.p++ = LOSS_NESTED;
	w.p = varint_put(w.p, 4);
	w.p = put_head(w.p, &w.base, EVENT_FREE | TAG_CLASS, 1000);
	*w.p++ = FUNC_FREE_SIZED;
	w.p = put_addr(w.p, &w.base, 0x11);
	begin_reading();
	assert_int_equal(record_decode(&d, &r), 1);
	assert_int_equal(r.func, FUNC_FREE);
	assert_int_equal(record_decode(&d, &r), 1);
	assert_int_equal(r.error, 12);
	assert_int_equal(r.args[0], 5);
	assert_int_equal(r.size, 6);
	assert_int_equal(record_decode(&d, &r), 1);
	assert_int_equal(r.duration, 77);
	assert_int_equal(r.thread, 7);
	assert_int_equal(record_decode(&d, &r), 1);
	assert_int_equal(r.thread, 9);
	assert_int_equal(record_decode(&d, &r), 1);
	assert_int_equal(r.name_bytes, 3);
	assert_memory_equal(r.name, "abc", 3);
	assert_int_equal(record_decode(&d, &r), 1);
	assert_int_equal(r.number, LOSS_NESTED);
	assert_int_equal(r.count, 4);
	assert_int_equal(record_decode(&d, &r), 1);
	assert_int_equal(r.func, FUNC_FREE_SIZED);
	assert_int_equal(r.thread, 9);
}

TEST(test_record_unknown_extended_kind_is_skipped_by_its_length)
{
	w.p = put_head(w.p, &w.base, EVENT_EXTENDED, 1000);
	w.p = varint_put(w.p, 4711);
	w.p = varint_put(w.p, 5);
	memset(w.p, 0xee, 5);
	w.p += 5;
	w.p = put_head(w.p, &w.base, EVENT_TIMING, 1002);
	w.p = varint_put(w.p, 1);
	begin_reading();
	assert_int_equal(record_decode(&d, &r), 1);
	assert_int_equal(r.kind, EVENT_EXTENDED);
	assert_int_equal(r.args[0], 4711);
	assert_int_equal(record_decode(&d, &r), 1);
	assert_int_equal(r.kind, EVENT_TIMING);
}

TEST(test_record_stamp_before_the_last_is_written_as_the_last)
{
	w.p = put_head(w.p, &w.base, EVENT_TIMING, 1005);
	w.p = varint_put(w.p, 1);
	w.p = put_head(w.p, &w.base, EVENT_TIMING, 1001);
	w.p = varint_put(w.p, 1);
	begin_reading();
	record_decode(&d, &r);
	record_decode(&d, &r);
	assert_int_equal(r.stamp, 1005);
}

TEST(test_record_deep_stack_differences_use_long_counts)
{
	w.p = put_head(w.p, &w.base, EVENT_NULL_CALL | TAG_STACK, 1000);
	w.p = put_stack_head(w.p, 0, DEPTH_MAX);
	for (uint64_t i = 0; i < DEPTH_MAX; i++)
		w.p = put_frame_native(w.p, &w.base, 0x400000 + i * 3);
	*w.p++ = FUNC_FREE;
	w.p = put_head(w.p, &w.base, EVENT_NULL_CALL | TAG_STACK, 1000);
	w.p = put_stack_head(w.p, 4000, 15);
	for (uint64_t i = 0; i < 15; i++)
		w.p = put_frame_native(w.p, &w.base, i);
	*w.p++ = FUNC_FREE;
	begin_reading();
	assert_int_equal(record_decode(&d, &r), 1);
	assert_int_equal(r.push, DEPTH_MAX);
	assert_int_equal(d.frames[DEPTH_MAX - 1].value, 0x400000 + (DEPTH_MAX - 1) * 3);
	assert_int_equal(record_decode(&d, &r), 1);
	assert_int_equal(r.pop, 4000);
	assert_int_equal(d.depth, DEPTH_MAX - 4000 + 15);
}

TEST(test_record_popping_more_than_there_is_is_refused)
{
	w.p = put_head(w.p, &w.base, EVENT_NULL_CALL | TAG_STACK, 1000);
	w.p = put_stack_head(w.p, 1, 0);
	*w.p++ = FUNC_FREE;
	begin_reading();
	assert_int_equal(record_decode(&d, &r), -1);
}

TEST(test_record_pushing_beyond_the_limit_is_refused)
{
	w.p = put_head(w.p, &w.base, EVENT_NULL_CALL | TAG_STACK, 1000);
	w.p = put_stack_head(w.p, 0, (uint64_t)1 << 40);
	begin_reading();
	assert_int_equal(record_decode(&d, &r), -1);
}

TEST(test_record_numbers_out_of_their_range_are_refused)
{
	static const uint8_t bad[][4] = {
		{ 0, 0 },                                /* no such kind */
		{ EVENT_NULL_CALL, 0, FUNC_COUNT },
		{ EVENT_FREE | TAG_CLASS, 0, FUNC_COUNT, 0 },
		{ EVENT_ALLOC | TAG_CLASS, 0, CLASS_COUNT, 1 },
		{ EVENT_SYSCALL_END, 0, SYS_MEM_COUNT, 0 },
		{ EVENT_SYSCALL_BEGIN, 0, SYS_MEM_COUNT, 0 },
		{ EVENT_ALIGNED, 0, FUNC_COUNT, 0 },
		{ EVENT_MARK, 0, 9, 'x' },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		decoder_init(&d, bad[i], 4, 0, 1);
		assert_int_equal(record_decode(&d, &r), -1);
		/* and where it stands is told */
		assert_ptr_equal(d.p, bad[i]);
	}
}

TEST(test_record_any_bytes_end_without_reading_beyond)
{
	uint64_t seed = 2463534242u;

	for (int round = 0; round < 20000; round++) {
		size_t bytes = (size_t)(round % 97) + 1;
		/* its own block: the sanitizer sees a step beyond it */
		uint8_t *block = malloc(bytes);

		for (size_t i = 0; i < bytes; i++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			block[i] = (uint8_t)(seed >> 24);
		}
		decoder_init(&d, block, bytes, seed, 1);
		while (record_decode(&d, &r) > 0)
			assert_true(d.depth <= DEPTH_MAX + 1);
		free(block);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup(name, begin_writing)
		ROW(test_record_worked_example_of_the_header_has_these_bytes),
		ROW(test_record_alloc_comes_back_with_stack_class_and_usable),
		ROW(test_record_class_stays_in_force_until_changed),
		ROW(test_record_calloc_aligned_and_reallocarray_keep_their_arguments),
		ROW(test_record_addresses_in_both_directions_and_widths),
		ROW(test_record_system_calls_keep_number_arguments_and_result),
		ROW(test_record_information_kinds_come_back),
		ROW(test_record_unknown_extended_kind_is_skipped_by_its_length),
		ROW(test_record_stamp_before_the_last_is_written_as_the_last),
		ROW(test_record_deep_stack_differences_use_long_counts),
		ROW(test_record_popping_more_than_there_is_is_refused),
		ROW(test_record_pushing_beyond_the_limit_is_refused),
		ROW(test_record_numbers_out_of_their_range_are_refused),
		ROW(test_record_any_bytes_end_without_reading_beyond),
#undef ROW
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
