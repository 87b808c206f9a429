/*
 * unwind_check.c - comparison of captured stacks with two independent unwinders.
 *
 * Relies on unwind_lib.c for both; they may take the loader's lock and be slow, so
 * this is for tests. Promises that a stack which ended early (and says so) is counted
 * as that and not as a difference, and that the first differences are described in the
 * recording.
 */
#include "unwind_check.h"

#include <string.h>

#include "clock.h"
#include "meta.h"
#include "session.h"
#include "unwind_chain.h"
#include "unwind_lib.h"
#include "unwind_rule.h"

/* Frames of this library and of the oracles' own that come first. */
#define OWN_FRAMES 24
/* Differences that are described. */
#define DESCRIBED_MAX 20
/* Comparisons between two reports. */
#define REPORT_EVERY 20000

static struct {
	uint32_t interval;
	bool libgcc, libunwind;
	uint64_t compared, libgcc_differs, libunwind_differs, ended_early;
	uint32_t described;
} check;

void check_init(uint32_t interval)
{
	check.interval = interval;
	check.libgcc = unwind_lib_open_libgcc();
	check.libunwind = unwind_lib_open_libunwind();
	if (!check.libgcc)
		meta_note("check-stacks: libgcc_s.so.1 could not be loaded");
	if (!check.libunwind)
		meta_note("check-stacks: libunwind.so.8 could not be loaded");
}

/* ---- words ---- */

struct text {
	char s[400];
	size_t n;
};

static void say(struct text *t, const char *words)
{
	while (*words && t->n < sizeof(t->s) - 1)
		t->s[t->n++] = *words++;
	t->s[t->n] = 0;
}

static void say_number(struct text *t, uint64_t v, unsigned base)
{
	char digits[24];
	int i = sizeof(digits) - 1;

	digits[i] = 0;
	do {
		digits[--i] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	say(t, digits + i);
}

static void describe_end(const uint64_t *frames, uint32_t count)
{
	struct text t = { .n = 0 };

	if (__atomic_fetch_add(&check.described, 1, __ATOMIC_RELAXED) >= DESCRIBED_MAX)
		return;
	say(&t, "check-stacks: a stack ended early, for reason ");
	say_number(&t, frames[0], 10);
	say(&t, "; outermost frames:");
	for (uint32_t i = 1; i < count && i < 4; i++) {
		say(&t, " ");
		say_number(&t, frames[i], 16);
	}
	meta_note(t.s);
}

static void describe(const char *oracle, const uint64_t *ours, uint32_t our_count,
		     const uint64_t *theirs, size_t their_count, size_t differs)
{
	struct text t = { .n = 0 };

	if (__atomic_fetch_add(&check.described, 1, __ATOMIC_RELAXED) >= DESCRIBED_MAX)
		return;
	say(&t, "check-stacks: frame ");
	say_number(&t, differs, 10);
	say(&t, " from the inside differs from ");
	say(&t, oracle);
	say(&t, "; ours (");
	say_number(&t, our_count, 10);
	say(&t, "):");
	for (size_t i = differs ? differs - 1 : 0; i < our_count && i < differs + 3; i++) {
		say(&t, " ");
		say_number(&t, ours[our_count - 1 - i], 16);
	}
	say(&t, "; theirs (");
	say_number(&t, their_count, 10);
	say(&t, "):");
	for (size_t i = differs ? differs - 1 : 0; i < their_count && i < differs + 3; i++) {
		say(&t, " ");
		say_number(&t, theirs[i], 16);
	}
	meta_note(t.s);
}

/* ---- comparison ---- */

static bool is_same(uint64_t ours, uint64_t theirs)
{
	return ours == theirs || (ours == theirs + 1 && rule_is_signal(theirs));
}

/*
 * OURS outermost first, without special frames; THEIRS innermost first. LIMITED: frames of
 * ours may be missing at the outer end.
 */
static bool compare(const char *oracle, const uint64_t *ours, uint32_t our_count, bool limited,
		    const uint64_t *theirs, size_t their_count)
{
	size_t i = 0;

	/* the null return address of a thread's or a coroutine's first function */
	while (their_count && theirs[their_count - 1] + 1 < RULE_PC_MIN)
		their_count--;
	while (i < our_count && i < their_count && is_same(ours[our_count - 1 - i], theirs[i]))
		i++;
	if (i == our_count && (limited || i == their_count))
		return true;
	describe(oracle, ours, our_count, theirs, their_count, i);
	return false;
}

/*
 * libgcc reads the code that the outermost frame points to, wherever that is: it
 * crashes on damaged stacks and in code whose unwind information is wrong (glibc's
 * __mpn_submul_1, swapcontext between two of its instructions).
 */
static bool is_safe(uint64_t special, uint64_t outermost)
{
	struct stack_range r;

	if (special == SPECIAL_TRUNCATED)
		return true;
	return special == SPECIAL_NO_RULE && range_of_mapping(outermost, &r) &&
	       r.high - outermost > 16;
}

/* The part of PCS from the caller's frame on. */
static size_t from_caller(const uint64_t **pcs, size_t count, uint64_t caller)
{
	size_t first = 0;

	while (first < count && (*pcs)[first] != caller)
		first++;
	*pcs += first;
	return count - first;
}

/* libunwind gives addresses only: -1 but after a signal frame. */
static void to_lookup(uint64_t *ips, size_t count)
{
	bool exact = false;

	for (size_t i = 0; i < count; i++) {
		bool signal = !exact && rule_is_signal(ips[i] - 1);

		ips[i] -= !exact;
		exact = signal;
	}
}

uint32_t check_stack(const struct unwind_state *u, const struct unwind_context *ctx)
{
	uint64_t *room = (uint64_t *)u->fresh;
	size_t max = u->limit + OWN_FRAMES;
	const uint64_t *ours, *theirs;
	uint64_t compared;
	uint32_t count;
	bool limited = false;
	size_t n;

	if (max > u->capacity * sizeof(*u->fresh) / sizeof(*room))
		max = u->capacity * sizeof(*u->fresh) / sizeof(*room);
	ours = chain_written(u, &count);
	if (count && ours[0] < SPECIAL_COUNT) {
		limited = true;
		if (ours[0] != SPECIAL_TRUNCATED) {
			__atomic_fetch_add(&check.ended_early, 1, __ATOMIC_RELAXED);
			describe_end(ours, count);
		}
		if (count == 1 || !is_safe(ours[0], ours[1]))
			return check.interval;
		ours++;
		count--;
	}
	compared = __atomic_add_fetch(&check.compared, 1, __ATOMIC_RELAXED);
	if (check.libgcc) {
		theirs = room;
		n = from_caller(&theirs, unwind_lib_libgcc(room, max), ctx->pc - 1);
		if (!compare("libgcc", ours, count, limited, theirs, n))
			__atomic_fetch_add(&check.libgcc_differs, 1, __ATOMIC_RELAXED);
	}
	if (check.libunwind && unwind_lib_is_safe(ours, count)) {
		theirs = room;
		n = unwind_lib_libunwind(room, max);
		to_lookup(room, n);
		n = from_caller(&theirs, n, ctx->pc - 1);
		if (!compare("libunwind", ours, count, limited, theirs, n))
			__atomic_fetch_add(&check.libunwind_differs, 1, __ATOMIC_RELAXED);
	}
	/* often at first: a program may end without a word */
	if (compared % REPORT_EVERY == 0 || (compared & (compared - 1)) == 0)
		check_report();
	return check.interval;
}

/* ---- report ---- */

static void report(const char *key, uint64_t value)
{
	uint8_t room[128];
	struct text t = { .n = 0 };
	struct meta_builder b;

	say_number(&t, value, 10);
	meta_init(&b, room, sizeof(room));
	meta_number(&b, session.image);
	meta_number(&b, clock_stamp());
	meta_string(&b, key);
	meta_string(&b, t.s);
	meta_append(META_SETTING, &b);
}

void check_report(void)
{
	report("check-stacks.compared", check.compared);
	report("check-stacks.libgcc-differs", check.libgcc_differs);
	report("check-stacks.libunwind-differs", check.libunwind_differs);
	report("check-stacks.ended-early", check.ended_early);
}
