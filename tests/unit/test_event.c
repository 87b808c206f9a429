/*
 * test_event.c - what hooks report comes out of the decoder again: every kind of
 * record, across segments, threads and losses. Stacks are off here; test_unwind.c
 * and the live tests have them.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "event.h"
#include "guard.h"
#include "record_codec.h"
#include "test.h"
#include "own_ring.h"

static const volatile uint64_t live = 1;
static const struct unwind_context ctx;

static struct decoder decoder;
static uint32_t slot;

static void begin(uint32_t soft, uint32_t slots)
{
	own_ring_make(soft, slots, WHEN_FULL_DROP, false);
	session.options.callgraph = CALLGRAPH_NO;
	session_live = &live;
	thread = (struct thread){ .countdown = UINT32_MAX };
	slot = 0;
}

/* Thread states outlive a ring: they forget it as they do in a forked child. */
static void end(void)
{
	thread = (struct thread){ .countdown = UINT32_MAX };
	tstate_fork(&thread);
	own_ring_drop();
}

/* The compiler knows what malloc gives and warns of looking before it. */
static struct block look(void *volatile p)
{
	return block_read(p);
}

static void open_slot(uint32_t index)
{
	const struct segment_header *h = (const struct segment_header *)
		(session.slots + (size_t)index * session.ring->slot_bytes);

	assert_int_equal(h->magic, SEGMENT_MAGIC);
	slot = index;
	decoder_init(&decoder, (const uint8_t *)(h + 1), h->committed, h->first_stamp, h->thread);
}

static struct record next_record(enum event_kind kind)
{
	static uint64_t last;
	struct record r;

	assert_int_equal(record_decode(&decoder, &r), 1);
	assert_int_equal(r.kind, kind);
	assert_true(r.stamp >= last || slot == 0);
	last = r.stamp;
	return r;
}

static void no_more(void)
{
	struct record r;

	assert_int_equal(record_decode(&decoder, &r), 0);
}

TEST(test_event_acquires_decode_to_what_was_called)
{
	void *a = malloc(100), *b = calloc(3, 50), *c = NULL, *d = malloc(70);
	struct record r;

	assert_int_equal(posix_memalign(&c, 256, 1000), 0);
	begin(4, 8);
	assert_true(event_begin(FUNC_MALLOC));
	event_malloc(a, 100, &ctx);
	event_calloc(b, 3, 50, &ctx);
	event_aligned(FUNC_POSIX_MEMALIGN, c, 256, 1000, &ctx);
	event_realloc_begin(a, &ctx);
	event_realloc_end(d, 0, 70, &ctx);
	event_realloc_end(a, 20, 5, &ctx);
	event_end();
	open_slot(0);
	r = next_record(EVENT_ALLOC);
	assert_int_equal(r.size, 100);
	assert_int_equal(r.addr, a);
	assert_int_equal(r.usable, look(a).usable);
	assert_int_equal(r.cls, look(a).cls);
	assert_int_equal(r.thread, 1);
	/* the segment says once that there are no stacks */
	assert_true(r.has_stack);
	assert_int_equal(r.push, 1);
	assert_int_equal(decoder.frames[0].type, FRAME_SPECIAL);
	assert_int_equal(decoder.frames[0].value, SPECIAL_NO_STACK);
	r = next_record(EVENT_CALLOC);
	assert_int_equal(r.nmemb, 3);
	assert_int_equal(r.size, 50);
	assert_int_equal(r.usable, look(b).usable);
	assert_false(r.has_stack);
	r = next_record(EVENT_ALIGNED);
	assert_int_equal(r.func, FUNC_POSIX_MEMALIGN);
	assert_int_equal(r.alignment, 256);
	assert_int_equal(r.size, 1000);
	assert_int_equal(r.addr, c);
	assert_int_equal(r.usable, look(c).usable);
	r = next_record(EVENT_REALLOC_BEGIN);
	assert_int_equal(r.addr, a);
	r = next_record(EVENT_REALLOC_END);
	assert_int_equal(r.func, FUNC_REALLOC);
	assert_int_equal(r.size, 70);
	assert_int_equal(r.addr, d);
	r = next_record(EVENT_REALLOC_END);
	assert_int_equal(r.func, FUNC_REALLOCARRAY);
	assert_int_equal(r.nmemb, 20);
	assert_int_equal(r.size, 5);
	no_more();
	end();
	free(a);
	free(b);
	free(c);
	free(d);
}

TEST(test_event_class_of_a_large_block_holds_until_it_changes)
{
	void *small = malloc(100), *large = malloc(40u << 20), *again = malloc(24);
	struct record r;

	begin(4, 8);
	assert_true(event_begin(FUNC_MALLOC));
	event_malloc(large, 40u << 20, &ctx);
	event_malloc(small, 100, &ctx);
	event_malloc(again, 24, &ctx);
	event_end();
	open_slot(0);
	r = next_record(EVENT_ALLOC);
	assert_int_equal(r.cls, look(large).cls);
	assert_int_equal(r.usable, look(large).usable);
	r = next_record(EVENT_ALLOC);
	assert_int_equal(r.cls, look(small).cls);
	r = next_record(EVENT_ALLOC);
	assert_int_equal(r.cls, look(again).cls);
	assert_int_equal(r.usable, look(again).usable);
	no_more();
	end();
	free(small);
	free(large);
	free(again);
}

TEST(test_event_releases_and_failures_decode_to_what_was_called)
{
	struct record r;

	begin(4, 8);
	assert_true(event_begin(FUNC_FREE));
	event_free(FUNC_FREE, (void *)0x7f0012345678, &ctx);
	event_free(FUNC_FREE_SIZED, (void *)0x10, &ctx);
	event_null_call(FUNC_FREE, &ctx);
	event_null_call(FUNC_REALLOC, &ctx);
	event_failed(FUNC_CALLOC, ENOMEM, SIZE_MAX, 7, &ctx);
	errno = ENOMEM;
	event_malloc(NULL, SIZE_MAX, &ctx);
	assert_int_equal(errno, ENOMEM);
	event_end();
	open_slot(0);
	r = next_record(EVENT_FREE);
	assert_true(r.addr == 0x7f0012345678);
	assert_int_equal(r.func, FUNC_FREE);
	r = next_record(EVENT_FREE);
	assert_int_equal(r.addr, 0x10);
	assert_int_equal(r.func, FUNC_FREE_SIZED);
	assert_int_equal(next_record(EVENT_NULL_CALL).func, FUNC_FREE);
	assert_int_equal(next_record(EVENT_NULL_CALL).func, FUNC_REALLOC);
	r = next_record(EVENT_FAILED);
	assert_int_equal(r.func, FUNC_CALLOC);
	assert_int_equal(r.error, ENOMEM);
	assert_true(r.args[0] == SIZE_MAX);
	assert_int_equal(r.size, 7);
	r = next_record(EVENT_FAILED);
	assert_int_equal(r.func, FUNC_MALLOC);
	assert_true(r.size == SIZE_MAX);
	no_more();
	end();
}

TEST(test_event_nested_call_is_not_recorded_and_interruption_is_counted)
{
	begin(4, 8);
	block_is_glibc = true;
	assert_true(event_begin(FUNC_REALLOCARRAY));
	assert_true(event_is_inside());
	assert_false(event_begin(FUNC_REALLOC));
	assert_int_equal(session.ring->losses[LOSS_NESTED], 0);
	event_end();
	assert_false(event_is_inside());
	assert_true(event_begin(FUNC_MALLOC));
	assert_false(event_begin(FUNC_MALLOC));
	assert_int_equal(session.ring->losses[LOSS_NESTED], 1);
	thread.phase = PHASE_RECORD;
	assert_false(event_begin(FUNC_MALLOC));
	assert_int_equal(session.ring->losses[LOSS_NESTED], 2);
	thread.phase = PHASE_OWN;
	assert_false(event_begin(FUNC_MALLOC));
	assert_int_equal(session.ring->losses[LOSS_NESTED], 2);
	event_end();
	block_init();
	end();
}

TEST(test_event_guard_left_by_longjmp_is_found_stale)
{
	begin(4, 8);
	assert_true(event_begin(FUNC_MALLOC));
	/* the guarded frame was deeper: a call from here shows that it is gone */
	thread.guard_sp = (uint64_t)__builtin_frame_address(0) - 4096;
	assert_true(event_begin(FUNC_MALLOC));
	event_end();
	assert_int_equal(session.ring->losses[LOSS_NESTED], 0);
	end();
}

TEST(test_event_system_call_inside_the_allocator_names_the_function)
{
	const long args[6] = { 0x1000, 0x2000 };
	struct record r;

	begin(4, 8);
	assert_true(event_begin(FUNC_FREE));
	event_free(FUNC_FREE, (void *)0x5000, &ctx);
	assert_true(event_syscall_begin(SYS_MEM_munmap, args, 0, &ctx));
	/* the same call, seen a second time at libc's own site */
	assert_false(event_syscall_begin(SYS_MEM_munmap, args, 0, &ctx));
	event_syscall_end(SYS_MEM_munmap, 0);
	event_end();
	assert_true(event_syscall_begin(SYS_MEM_brk, args, SYSCALL_BY_HOOK, &ctx));
	event_syscall_end(SYS_MEM_brk, -ENOMEM);
	assert_false(event_is_inside());
	open_slot(0);
	next_record(EVENT_FREE);
	r = next_record(EVENT_SYSCALL_BEGIN);
	assert_int_equal(r.number, SYS_MEM_munmap);
	assert_int_equal(r.flags, SYSCALL_IN_ALLOCATOR);
	assert_int_equal(r.func, FUNC_FREE);
	assert_int_equal(r.args[0], 0x1000);
	assert_int_equal(r.args[1], 0x2000);
	assert_int_equal(next_record(EVENT_SYSCALL_END).result, 0);
	r = next_record(EVENT_SYSCALL_BEGIN);
	assert_int_equal(r.number, SYS_MEM_brk);
	assert_int_equal(r.flags, SYSCALL_BY_HOOK);
	assert_int_equal(r.func, FUNC_OTHER);
	assert_int_equal(next_record(EVENT_SYSCALL_END).result, -ENOMEM);
	no_more();
	end();
}

TEST(test_event_mark_is_cut_at_its_longest_name)
{
	char name[400];
	struct record r;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	begin(4, 8);
	event_mark("phase two");
	event_mark(name);
	open_slot(0);
	r = next_record(EVENT_MARK);
	assert_int_equal(r.name_bytes, 9);
	assert_memory_equal(r.name, "phase two", 9);
	assert_int_equal(next_record(EVENT_MARK).name_bytes, MARK_NAME_MAX);
	no_more();
	end();
}

TEST(test_event_full_segment_goes_on_in_the_next_without_loss)
{
	enum { EVENTS = 40000 };
	unsigned found = 0;
	struct record r;

	begin(8, 16);
	for (long i = 0; i < EVENTS; i++) {
		assert_true(event_begin(FUNC_FREE));
		event_free(FUNC_FREE, (void *)(i * 7919 % 100003 * 16 + 16), &ctx);
		event_end();
	}
	for (uint32_t s = 0; s < 16 && slot_word_state(session.slot_words[s]); s++) {
		open_slot(s);
		while (record_decode(&decoder, &r) == 1) {
			assert_true(r.addr == (uint64_t)found * 7919 % 100003 * 16 + 16);
			found++;
		}
		no_more();
	}
	assert_int_equal(found, EVENTS);
	assert_true(session.ring->full_slots > 1);
	end();
}

TEST(test_event_gap_is_counted_and_told_when_there_is_room_again)
{
	uint64_t lost;
	struct record r;

	begin(1, 1);
	while (session.ring->losses[LOSS_NO_SLOT] < 5) {
		assert_true(event_begin(FUNC_FREE));
		event_free(FUNC_FREE, (void *)0x100, &ctx);
		event_end();
	}
	lost = session.ring->losses[LOSS_NO_SLOT];
	/* drained */
	session.slot_words[0] = slot_word(SLOT_FREE, 0, 0);
	session.ring->full_slots = 0;
	assert_true(event_begin(FUNC_FREE));
	event_free(FUNC_FREE, (void *)0x200, &ctx);
	event_end();
	assert_int_equal(((struct segment_header *)session.slots)->lost, lost);
	open_slot(0);
	r = next_record(EVENT_LOSS);
	assert_int_equal(r.number, LOSS_NO_SLOT);
	assert_int_equal(r.count, lost);
	assert_int_equal(next_record(EVENT_FREE).addr, 0x200);
	no_more();
	end();
}

TEST(test_event_measured_call_is_followed_by_its_duration)
{
	void *p = malloc(10);
	struct record r;

	begin(4, 8);
	session.options.timing_all = 1;
	thread.countdown = 0;
	for (int i = 0; i < 2; i++) {
		assert_true(event_begin(FUNC_MALLOC));
		event_malloc(p, 10, &ctx);
		event_end();
	}
	open_slot(0);
	for (int i = 0; i < 2; i++) {
		uint64_t stamp = next_record(EVENT_ALLOC).stamp;

		r = next_record(EVENT_TIMING);
		assert_true(r.stamp == stamp);
		assert_true(r.duration < 1000000000u);
	}
	no_more();
	end();
	free(p);
}

static void *short_thread(void *p)
{
	if (event_begin(FUNC_MALLOC)) {
		event_malloc(p, 10, &ctx);
		event_end();
	}
	return NULL;
}

TEST(test_event_threads_one_after_another_share_a_slot)
{
	enum { THREADS = 50 };
	void *p = malloc(10);
	pthread_t t;

	begin(4, 8);
	for (int i = 0; i < THREADS; i++) {
		pthread_create(&t, NULL, short_thread, p);
		pthread_join(t, NULL);
	}
	assert_int_equal(slot_word_state(session.slot_words[1]), SLOT_FREE);
	open_slot(0);
	for (int i = 0; i < THREADS; i++) {
		struct record r = { 0 };
		uint32_t last = decoder.thread;

		if (i > 0) {
			r = next_record(EVENT_THREAD);
			assert_int_equal(r.thread, last + 1);
		}
		assert_int_equal(next_record(EVENT_ALLOC).thread, i > 0 ? last + 1 : last);
	}
	no_more();
	end();
	free(p);
}

static int prepare(void **state)
{
	(void)state;
	real_resolve();
	block_init();
	tstate_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_event_acquires_decode_to_what_was_called),
		cmocka_unit_test(test_event_class_of_a_large_block_holds_until_it_changes),
		cmocka_unit_test(test_event_releases_and_failures_decode_to_what_was_called),
		cmocka_unit_test(test_event_nested_call_is_not_recorded_and_interruption_is_counted),
		cmocka_unit_test(test_event_guard_left_by_longjmp_is_found_stale),
		cmocka_unit_test(test_event_system_call_inside_the_allocator_names_the_function),
		cmocka_unit_test(test_event_mark_is_cut_at_its_longest_name),
		cmocka_unit_test(test_event_full_segment_goes_on_in_the_next_without_loss),
		cmocka_unit_test(test_event_gap_is_counted_and_told_when_there_is_room_again),
		cmocka_unit_test(test_event_measured_call_is_followed_by_its_duration),
		cmocka_unit_test(test_event_threads_one_after_another_share_a_slot),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
