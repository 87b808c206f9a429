/*
 * test_meta.c - appending to the metadata area.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "meta.h"
#include "ring_layout.h"
#include "session.h"
#include "test.h"

static void area_make(uint64_t bytes)
{
	struct ring_header layout, *h;

	ring_layout_fill(&layout, 1, 1, bytes);
	h = (struct ring_header *)mmap(NULL, layout.ring_bytes, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(h, MAP_FAILED);
	*h = layout;
	session = (struct session){
		.ring = h,
		.slot_words = (uint64_t *)((char *)h + h->table_offset),
		.slots = (uint8_t *)h + h->slots_offset,
		.slot_count = 1,
		.image = 9,
		.meta = (uint8_t *)h + h->meta_offset,
		.meta_mapped = h->meta_bytes,
	};
}

static void area_drop(void)
{
	munmap(session.ring, session.ring->ring_bytes);
	session.ring = NULL;
}

static void append_bytes(enum meta_kind kind, const void *bytes, size_t n)
{
	uint8_t buffer[4096];
	struct meta_builder b;

	meta_init(&b, buffer, sizeof(buffer));
	memcpy(b.p, bytes, n);
	b.p += n;
	meta_append(kind, &b);
}

TEST(test_meta_append_writes_header_payload_padding_and_checksum)
{
	const struct meta_header *h;

	area_make(1 << 16);
	append_bytes(META_NOTE, "hello", 5);
	append_bytes(META_CLOCK, "", 0);
	h = (const struct meta_header *)session.meta;
	assert_int_equal(h->magic, META_MAGIC);
	assert_int_equal(h->kind, META_NOTE);
	assert_int_equal(h->bytes, 5);
	assert_memory_equal(h + 1, "hello\0\0\0", 8);
	assert_int_equal(h->checksum, meta_checksum(META_NOTE, 5, (const uint8_t *)"hello"));
	h = (const struct meta_header *)(session.meta + META_SPAN(5));
	assert_int_equal(h->magic, META_MAGIC);
	assert_int_equal(h->kind, META_CLOCK);
	assert_int_equal(session.ring->meta_tail, META_SPAN(5) + META_SPAN(0));
	area_drop();
}

TEST(test_meta_append_to_a_full_area_is_counted_and_writes_nothing)
{
	static const uint8_t big[2000];
	uint64_t tail;

	area_make(4096);
	append_bytes(META_NOTE, big, sizeof(big));
	append_bytes(META_NOTE, big, sizeof(big));
	tail = session.ring->meta_tail;
	append_bytes(META_NOTE, big, sizeof(big));
	assert_int_equal(session.ring->losses[LOSS_META_FULL], 1);
	assert_int_equal(session.ring->meta_tail, tail);
	append_bytes(META_NOTE, big, 4096 - tail - sizeof(struct meta_header));
	assert_int_equal(session.ring->meta_tail, 4096);
	assert_int_equal(session.ring->losses[LOSS_META_FULL], 1);
	area_drop();
}

TEST(test_meta_string_that_does_not_fit_ends_the_record_without_overflow)
{
	uint8_t buffer[32], guard[16];
	struct meta_builder b;

	memset(buffer, 0xaa, sizeof(buffer));
	memset(guard, 0xaa, sizeof(guard));
	meta_init(&b, buffer, 16);
	meta_number(&b, 300);
	meta_string(&b, "much longer than the room that is left");
	meta_number(&b, 1);
	assert_true(b.overflow);
	assert_true(b.p <= buffer + 16);
	assert_memory_equal(buffer + 16, guard, 16);
	meta_init(&b, buffer, sizeof(buffer));
	meta_string(&b, NULL);
	assert_int_equal(b.p - b.start, 1);
}

TEST(test_meta_notes_from_before_the_process_record_follow_it)
{
	const struct meta_header *h;
	const uint8_t *p, *end;
	uint64_t v;

	area_make(1 << 16);
	meta_note("first");
	assert_int_equal(session.ring->meta_tail, 0);
	append_bytes(META_PROCESS, "x", 1);
	meta_notes_release();
	meta_note("second");
	h = (const struct meta_header *)(session.meta + META_SPAN(1));
	assert_int_equal(h->magic, META_MAGIC);
	assert_int_equal(h->kind, META_NOTE);
	p = (const uint8_t *)(h + 1);
	end = p + h->bytes;
	p = varint_get(p, end, &v);
	assert_int_equal(v, 9);
	p = varint_get(p, end, &v);
	p = varint_get(p, end, &v);
	assert_int_equal(v, 5);
	assert_memory_equal(p, "first", 5);
	h = (const struct meta_header *)((const uint8_t *)h + META_SPAN(h->bytes));
	assert_int_equal(h->kind, META_NOTE);
	area_drop();
}

#define RACERS 4
#define RECORDS 500

static void *race(void *arg)
{
	uint8_t bytes[64];

	memset(bytes, (int)(long)arg, sizeof(bytes));
	for (size_t i = 0; i < RECORDS; i++)
		append_bytes(META_NOTE, bytes, 1 + i % sizeof(bytes));
	return NULL;
}

TEST(test_meta_racing_threads_leave_a_chain_of_whole_records)
{
	pthread_t threads[RACERS];
	uint64_t at = 0;
	unsigned count = 0;

	area_make(1 << 20);
	for (long i = 0; i < RACERS; i++)
		pthread_create(&threads[i], NULL, race, (void *)(i + 1));
	for (int i = 0; i < RACERS; i++)
		pthread_join(threads[i], NULL);
	while (at < session.ring->meta_tail) {
		const struct meta_header *h = (const struct meta_header *)(session.meta + at);
		const uint8_t *payload = (const uint8_t *)(h + 1);

		assert_int_equal(h->magic, META_MAGIC);
		assert_int_equal(h->checksum, meta_checksum(h->kind, h->bytes, payload));
		for (uint32_t i = 1; i < h->bytes; i++)
			assert_int_equal(payload[i], payload[0]);
		at += META_SPAN(h->bytes);
		count++;
	}
	assert_int_equal(count, RACERS * RECORDS);
	area_drop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meta_append_writes_header_payload_padding_and_checksum),
		cmocka_unit_test(test_meta_append_to_a_full_area_is_counted_and_writes_nothing),
		cmocka_unit_test(test_meta_string_that_does_not_fit_ends_the_record_without_overflow),
		cmocka_unit_test(test_meta_notes_from_before_the_process_record_follow_it),
		cmocka_unit_test(test_meta_racing_threads_leave_a_chain_of_whole_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
