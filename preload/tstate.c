/*
 * tstate.c - makes, lends and recycles thread states. Relies on a pthread key
 * whose destructor runs in each round of a thread's end; the state is given back
 * in the last one. What the thread does after that (libc frees its own
 * thread-local buffers) borrows a state for each call. All lists are lock-free,
 * and no thread waits for another.
 */
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>

#include "clock.h"
#include "meta.h"
#include "own_memory.h"
#include "sample.h"
#include "session.h"
#include "sys.h"
#include "tstate.h"

#define STATE_BYTES 4096u
#define STATES_MADE 8
/* More than libc makes when a thread ends (19 in glibc 2.36). */
#define LENT_CALLS 64
#define META_BUFFER 128

_Static_assert(sizeof(struct tstate) <= STATE_BYTES, "state fits its page");

__thread struct thread thread;

static struct tstate *all_states;
static uint32_t next_stream, next_number;
static pthread_key_t end_key;
static bool has_key;

/*
 * Free states, last in first out. A link word is the address of a state, whose
 * low 12 bits are zero, with a counter in those and in the top 16 bits: a pop
 * that was overtaken by a pop and a push of the same state must fail.
 */
static uint64_t free_head;

#define LINK_ADDRESS 0x0000fffffffff000ull

static struct tstate *link_state(uint64_t link)
{
	return (struct tstate *)(link & LINK_ADDRESS);
}

static uint64_t link_next(uint64_t link, const struct tstate *s)
{
	uint64_t count = ((link >> 48) << 12 | (link & 0xfff)) + 1;

	return (uint64_t)s | (count & 0xfff) | (count >> 12) << 48;
}

static void free_push(struct tstate *s)
{
	uint64_t head = __atomic_load_n(&free_head, __ATOMIC_RELAXED);

	do {
		__atomic_store_n(&s->next_free, head, __ATOMIC_RELAXED);
	} while (!__atomic_compare_exchange_n(&free_head, &head, link_next(head, s), true,
					      __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

static struct tstate *free_pop(void)
{
	uint64_t head = __atomic_load_n(&free_head, __ATOMIC_ACQUIRE);

	while (link_state(head)) {
		struct tstate *s = link_state(head);
		uint64_t below = __atomic_load_n(&s->next_free, __ATOMIC_RELAXED);

		if (__atomic_compare_exchange_n(&free_head, &head,
						link_next(head, link_state(below)), true,
						__ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE))
			return s;
	}
	return NULL;
}

static struct tstate *state_init(uint8_t *at)
{
	struct tstate *s = (struct tstate *)at;

	s->unwind = (struct unwind_state *)(at + STATE_BYTES);
	s->claimant.stream = __atomic_add_fetch(&next_stream, 1, __ATOMIC_RELAXED);
	s->random = s->claimant.stream * 2654435761u;
	s->next_all = __atomic_load_n(&all_states, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&all_states, &s->next_all, s, true,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	return s;
}

/* One for the caller and some for the threads to come; touched when used. */
static struct tstate *state_make(void)
{
	size_t bytes = STATE_BYTES + unwind_state_bytes();
	/* the first thread is often the only one */
	size_t count = __atomic_load_n(&all_states, __ATOMIC_RELAXED) ? STATES_MADE : 1;
	uint8_t *chunk = (uint8_t *)own_map(count * bytes);

	if (!chunk && count > 1) {
		count = 1;
		chunk = (uint8_t *)own_map(bytes);
	}
	if (!chunk)
		return NULL;
	for (size_t i = 1; i < count; i++)
		free_push(state_init(chunk + i * bytes));
	return state_init(chunk);
}

static void name_read(char name[16])
{
	memset(name, 0, 16);
	if (!session.sandboxed)
		SYS2(prctl, PR_GET_NAME, name);
	name[15] = '\0';
}

static void thread_start_record(struct thread *t)
{
	uint8_t buffer[META_BUFFER];
	struct meta_builder b;

	t->number = __atomic_add_fetch(&next_number, 1, __ATOMIC_RELAXED);
	name_read(t->state->name);
	meta_init(&b, buffer, sizeof(buffer));
	meta_number(&b, session.image);
	meta_number(&b, t->number);
	meta_number(&b, (uint64_t)SYS0(gettid));
	meta_number(&b, clock_stamp());
	meta_string(&b, t->state->name);
	meta_append(META_THREAD_START, &b);
}

static void thread_end_record(const struct thread *t)
{
	uint8_t buffer[META_BUFFER];
	struct meta_builder b;

	meta_init(&b, buffer, sizeof(buffer));
	meta_number(&b, session.image);
	meta_number(&b, t->number);
	meta_number(&b, clock_stamp());
	meta_append(META_THREAD_END, &b);
}

void tstate_check_name(struct thread *t)
{
	uint8_t buffer[META_BUFFER];
	struct meta_builder b;
	char name[16];

	if (session.sandboxed)
		return;
	name_read(name);
	if (memcmp(name, t->state->name, sizeof(name)) == 0)
		return;
	memcpy(t->state->name, name, sizeof(name));
	meta_init(&b, buffer, sizeof(buffer));
	meta_number(&b, session.image);
	meta_number(&b, t->number);
	meta_number(&b, clock_stamp());
	meta_string(&b, name);
	meta_append(META_THREAD_NAME, &b);
}

static bool is_lent(struct thread *t)
{
	if (t->retired)
		return true;
	if (t->func < FUNC_FREE || t->lent >= LENT_CALLS)
		return false;
	t->lent++;
	return true;
}

void tstate_reset_unwind(struct tstate *s)
{
	unwind_reset(s->unwind);
	if (s->inner)
		unwind_reset(s->inner);
}

bool tstate_attach(struct thread *t)
{
	uint8_t phase = t->phase;
	struct tstate *s;

	/* pthread_setspecific may allocate */
	t->phase = PHASE_OWN;
	s = free_pop();
	if (!s)
		s = state_make();
	if (!s) {
		t->phase = phase;
		return false;
	}
	tstate_reset_unwind(s);
	t->state = s;
	t->unwind = s->unwind;
	t->ring = s->ring;
	ring_forget(&s->ring);
	t->stacks = session.options.callgraph != CALLGRAPH_NO ? STACKS_CAPTURED :
		    t->ring.depth ? STACKS_NONE : STACKS_NONE_PENDING;
	t->pop = t->stacks == STACKS_CAPTURED ? t->ring.depth : 0;
	if (!t->number)
		thread_start_record(t);
	s->claimant.thread = t->number;
	if (!s->looks.begun)
		looks_begin(&s->looks, clock_stamp());
	if (is_lent(t) || !has_key || pthread_setspecific(end_key, t) != 0)
		t->leave |= LEAVE_RETURN;
	t->phase = phase;
	return true;
}

void tstate_return(struct thread *t)
{
	struct tstate *s = t->state;

	if (!s)
		return;
	t->state = NULL;
	t->unwind = NULL;
	s->ring = t->ring;
	ring_forget(&t->ring);
	free_push(s);
}

/*
 * Destructors of other keys may run after this one and allocate; so it asks to be
 * called again until the last round.
 */
static void thread_end(void *arg)
{
	struct thread *t = &thread;

	(void)arg;
	if (!*session_live || !t->state)
		return;
	if (++t->rounds < PTHREAD_DESTRUCTOR_ITERATIONS) {
		pthread_setspecific(end_key, t);
		return;
	}
	/* a thread that ended inside a signal handler left half a record */
	if (t->guard_sp && t->phase == PHASE_RECORD)
		ring_close(&t->ring);
	t->guard_sp = (uint64_t)__builtin_frame_address(0);
	t->phase = PHASE_OWN;
	tstate_check_name(t);
	thread_end_record(t);
	t->retired = 1;
	t->leave = 0;
	tstate_return(t);
	t->guard_sp = 0;
}

void tstate_init(void)
{
	has_key = pthread_key_create(&end_key, thread_end) == 0;
}

void tstate_collect(void)
{
	for (struct tstate *s = __atomic_load_n(&all_states, __ATOMIC_ACQUIRE); s; s = s->next_all)
		unwind_collect(s->unwind);
}

void tstate_fork(struct thread *t)
{
	free_head = 0;
	next_stream = 0;
	next_number = 0;
	ring_forget(&t->ring);
	t->number = 0;
	t->leave = 0;
	t->pop = 0;
	sample_fork(t);
	for (struct tstate *s = all_states; s; s = s->next_all) {
		ring_forget(&s->ring);
		s->claimant = (struct ring_claimant){ .stream = ++next_stream };
		s->gap = 0;
		s->number = 0;
		looks_begin(&s->looks, clock_stamp());
		if (s != t->state)
			free_push(s);
	}
	if (!t->state)
		return;
	tstate_reset_unwind(t->state);
	thread_start_record(t);
	t->state->claimant.thread = t->number;
}
