/*
 * test_event.c - what hooks report comes out of the decoder again: every kind of
 * record, across segments, threads and losses. Stacks are off here; test_unwind.c
 * and the live tests have them.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "event.h"
#include "guard.h"
#include "record_codec.h"
#include "test.h"
#include "own_ring.h"

/* as the hooks are compiled: the guard is a frame address */
#pragma GCC optimize("no-omit-frame-pointer")

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
	assert_true(guard_enter(FUNC_MALLOC));
	event_malloc(a, 100, &ctx);
	event_calloc(b, 3, 50, &ctx);
	event_aligned(FUNC_POSIX_MEMALIGN, c, 256, 1000, &ctx);
	event_realloc_begin(a, 64, &ctx);
	event_realloc_end(d, 0, 70, &ctx);
	event_realloc_end(a, 20, 5, &ctx);
	guard_leave();
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
	assert_true(guard_enter(FUNC_MALLOC));
	event_malloc(large, 40u << 20, &ctx);
	event_malloc(small, 100, &ctx);
	event_malloc(again, 24, &ctx);
	guard_leave();
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
	assert_true(guard_enter(FUNC_FREE));
	event_free(FUNC_FREE, (void *)0x7f0012345678, &ctx);
	event_free(FUNC_FREE_SIZED, (void *)0x10, &ctx);
	event_null_call(FUNC_FREE, &ctx);
	event_null_call(FUNC_REALLOC, &ctx);
	event_failed(FUNC_CALLOC, ENOMEM, SIZE_MAX, 7, &ctx);
	errno = ENOMEM;
	event_malloc(NULL, SIZE_MAX, &ctx);
	assert_int_equal(errno, ENOMEM);
	guard_leave();
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

/* A hook's own call, or what it was interrupted by: from a frame of its own. */
static __attribute__((noinline)) bool enter_deeper(enum alloc_func func)
{
	bool entered = guard_enter(func);

	if (entered)
		guard_leave();
	return entered;
}

static volatile bool entered_in_handler;

static void on_signal(int number)
{
	(void)number;
	entered_in_handler = enter_deeper(FUNC_MALLOC);
}

static uint64_t nested(void)
{
	return session.ring->losses[LOSS_NESTED];
}

TEST(test_event_nested_call_is_not_recorded_and_interruption_is_counted)
{
	static const uint8_t phases[] = { PHASE_CALL, PHASE_RECORD, PHASE_OWN, PHASE_SYSCALL };

	begin(4, 8);
	signal(SIGUSR1, on_signal);
	assert_true(guard_enter(FUNC_REALLOCARRAY));
	assert_true(event_is_inside());
	assert_false(enter_deeper(FUNC_REALLOC));
	for (unsigned i = 0; i < sizeof(phases); i++) {
		thread.phase = phases[i];
		/* an allocator's own call */
		assert_false(enter_deeper(FUNC_MALLOC));
		assert_int_equal(nested(), i);
		entered_in_handler = true;
		raise(SIGUSR1);
		assert_false(entered_in_handler);
		assert_int_equal(nested(), i + 1);
	}
	guard_leave();
	assert_false(event_is_inside());
	signal(SIGUSR1, SIG_DFL);
	end();
}

/* Enters and leaves as longjmp does. */
static __attribute__((noinline)) void enter_and_vanish(int depth)
{
	if (depth)
		enter_and_vanish(depth - 1);
	else
		assert_true(guard_enter(FUNC_MALLOC));
	__asm__ volatile("" ::: "memory");
}

/* The program's functions may have no frame where a hook has had one. */
static __attribute__((noinline, optimize("omit-frame-pointer"))) bool enter_at(int depth)
{
	bool entered = depth ? enter_at(depth - 1) : enter_deeper(FUNC_FREE);

	__asm__ volatile("" ::: "memory");
	return entered;
}

TEST(test_event_guard_left_by_longjmp_is_found_stale_from_any_depth)
{
	begin(4, 8);
	for (int gone = 0; gone < 20; gone++) {
		for (int next = 0; next < 20; next++) {
			enter_and_vanish(gone);
			assert_true(event_is_inside());
			assert_true(enter_at(next));
			assert_false(event_is_inside());
		}
	}
	assert_int_equal(nested(), 0);
	end();
}

/* A hook that comes to libc's own site of its system call. */
static __attribute__((noinline)) bool begin_deeper(const long args[6])
{
	struct unwind_context here = { .sp = (uint64_t)__builtin_frame_address(0) };
	bool begun = event_syscall_begin(SYS_MEM_munmap, args, 0, &here);

	__asm__ volatile("" ::: "memory");
	return begun;
}

TEST(test_event_system_call_inside_the_allocator_names_the_function)
{
	const long args[6] = { 0x1000, 0x2000 };
	struct record r;

	begin(4, 8);
	assert_true(guard_enter(FUNC_FREE));
	event_free(FUNC_FREE, (void *)0x5000, &ctx);
	assert_true(begin_deeper(args));
	/* the same call, seen a second time at libc's own site */
	assert_false(begin_deeper(args));
	event_syscall_end(SYS_MEM_munmap, 0);
	guard_leave();
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
		assert_true(guard_enter(FUNC_FREE));
		event_free(FUNC_FREE, (void *)(i * 7919 % 100003 * 16 + 16), &ctx);
		guard_leave();
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
		assert_true(guard_enter(FUNC_FREE));
		event_free(FUNC_FREE, (void *)0x100, &ctx);
		guard_leave();
	}
	lost = session.ring->losses[LOSS_NO_SLOT];
	/* drained */
	session.slot_words[0] = slot_word(SLOT_FREE, 0, 0);
	session.ring->full_slots = 0;
	assert_true(guard_enter(FUNC_FREE));
	event_free(FUNC_FREE, (void *)0x200, &ctx);
	guard_leave();
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
		assert_true(guard_enter(FUNC_MALLOC));
		event_malloc(p, 10, &ctx);
		guard_leave();
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
	if (guard_enter(FUNC_MALLOC)) {
		event_malloc(p, 10, &ctx);
		guard_leave();
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
		cmocka_unit_test(test_event_guard_left_by_longjmp_is_found_stale_from_any_depth),
		cmocka_unit_test(test_event_system_call_inside_the_allocator_names_the_function),
		cmocka_unit_test(test_event_mark_is_cut_at_its_longest_name),
		cmocka_unit_test(test_event_full_segment_goes_on_in_the_next_without_loss),
		cmocka_unit_test(test_event_gap_is_counted_and_told_when_there_is_room_again),
		cmocka_unit_test(test_event_measured_call_is_followed_by_its_duration),
		cmocka_unit_test(test_event_threads_one_after_another_share_a_slot),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
