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

/* How a stack differs from an oracle's, at the first frame from the inside that does. */
enum difference {
	DIFFERENT_FRAME, /* another frame */
	SHORTER,         /* ours is over and the oracle's goes on */
	LONGER,
	DIFFERENCES,
};

enum oracle { LIBGCC, LIBUNWIND, ORACLES };

static const struct {
	const char *name, *compared;
	const char *differs[DIFFERENCES];
} words[ORACLES] = {
	[LIBGCC] = { "libgcc", "check-stacks.libgcc-compared",
		     { "check-stacks.libgcc-frame", "check-stacks.libgcc-shorter",
		       "check-stacks.libgcc-longer" } },
	[LIBUNWIND] = { "libunwind", "check-stacks.libunwind-compared",
			{ "check-stacks.libunwind-frame", "check-stacks.libunwind-shorter",
			  "check-stacks.libunwind-longer" } },
};

static struct {
	uint32_t interval;
	uint32_t described;
	uint64_t described_end; /* outermost frame of the last one */
	bool is_open[ORACLES];
	struct counts {
		uint64_t checked, ended_early, unsafe;
		uint64_t compared[ORACLES], differs[ORACLES][DIFFERENCES];
	} n;
} check;

static uint64_t count(uint64_t *n)
{
	return __atomic_add_fetch(n, 1, __ATOMIC_RELAXED);
}

void check_init(uint32_t interval)
{
	check.interval = interval;
	check.is_open[LIBGCC] = unwind_lib_open_libgcc();
	check.is_open[LIBUNWIND] = unwind_lib_open_libunwind();
	if (!check.is_open[LIBGCC])
		meta_note("check-stacks: libgcc_s.so.1 could not be loaded");
	if (!check.is_open[LIBUNWIND])
		meta_note("check-stacks: libunwind.so.8 could not be loaded");
}

/* ---- words ---- */

struct text {
	char s[400];
	size_t n;
};

static void say(struct text *t, const char *s)
{
	while (*s && t->n < sizeof(t->s) - 1)
		t->s[t->n++] = *s++;
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

static void describe_end(const uint64_t *frames, uint32_t depth)
{
	struct text t = { .n = 0 };

	/* the same place again and again says nothing new */
	if (__atomic_exchange_n(&check.described_end, frames[depth > 1], __ATOMIC_RELAXED) ==
	    frames[depth > 1])
		return;
	if (__atomic_fetch_add(&check.described, 1, __ATOMIC_RELAXED) >= DESCRIBED_MAX)
		return;
	say(&t, "check-stacks: a stack ended early, for reason ");
	say_number(&t, frames[0], 10);
	say(&t, "; outermost frames:");
	for (uint32_t i = 1; i < depth && i < 4; i++) {
		say(&t, " ");
		say_number(&t, frames[i], 16);
	}
	meta_note(t.s);
}

static void describe(enum oracle oracle, const uint64_t *ours, uint32_t our_count,
		     const uint64_t *theirs, size_t their_count, size_t differs)
{
	struct text t = { .n = 0 };

	if (__atomic_fetch_add(&check.described, 1, __ATOMIC_RELAXED) >= DESCRIBED_MAX)
		return;
	say(&t, "check-stacks: frame ");
	say_number(&t, differs, 10);
	say(&t, " from the inside differs from ");
	say(&t, words[oracle].name);
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
static void compare(enum oracle oracle, const uint64_t *ours, uint32_t our_count, bool limited,
		    const uint64_t *theirs, size_t their_count)
{
	enum difference how = DIFFERENT_FRAME;
	size_t i = 0;

	/* the null return address of a thread's or a coroutine's first function */
	while (their_count && theirs[their_count - 1] + 1 < RULE_PC_MIN)
		their_count--;
	while (i < our_count && i < their_count && is_same(ours[our_count - 1 - i], theirs[i]))
		i++;
	count(&check.n.compared[oracle]);
	if (i == our_count && (limited || i == their_count))
		return;
	if (i == our_count)
		how = SHORTER;
	else if (i == their_count)
		how = LONGER;
	count(&check.n.differs[oracle][how]);
	describe(oracle, ours, our_count, theirs, their_count, i);
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
static size_t from_caller(const uint64_t **pcs, size_t n, uint64_t caller)
{
	size_t first = 0;

	while (first < n && (*pcs)[first] != caller)
		first++;
	*pcs += first;
	return n - first;
}

/* libunwind gives addresses only: -1 but after a signal frame. */
static void to_lookup(uint64_t *ips, size_t n)
{
	bool exact = false;

	for (size_t i = 0; i < n; i++) {
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
	uint64_t checked;
	uint32_t depth;
	bool limited = false, is_end = false;
	size_t n;

	if (max > u->capacity * sizeof(*u->fresh) / sizeof(*room))
		max = u->capacity * sizeof(*u->fresh) / sizeof(*room);
	ours = chain_written(u, &depth);
	if (depth && ours[0] < SPECIAL_COUNT) {
		limited = true;
		/* libgcc ends there too; libunwind guesses on */
		is_end = ours[0] == SPECIAL_NO_RULE;
		if (ours[0] != SPECIAL_TRUNCATED) {
			count(&check.n.ended_early);
			describe_end(ours, depth);
		}
		if (depth == 1 || !is_safe(ours[0], ours[1])) {
			count(&check.n.unsafe);
			return check.interval;
		}
		ours++;
		depth--;
	}
	checked = count(&check.n.checked);
	if (check.is_open[LIBGCC]) {
		theirs = room;
		n = from_caller(&theirs, unwind_lib_libgcc(room, max), ctx->pc - 1);
		compare(LIBGCC, ours, depth, limited && !is_end, theirs, n);
	}
	if (check.is_open[LIBUNWIND] && unwind_lib_is_safe(ours, depth)) {
		theirs = room;
		n = unwind_lib_libunwind(room, max);
		to_lookup(room, n);
		n = from_caller(&theirs, n, ctx->pc - 1);
		compare(LIBUNWIND, ours, depth, limited, theirs, n);
	}
	/* often at first: a program may end without a word */
	if (checked % REPORT_EVERY == 0 || (checked & (checked - 1)) == 0)
		check_report();
	return check.interval;
}

/* ---- report ---- */

void check_report(void)
{
	meta_setting_number("check-stacks.compared", check.n.checked);
	meta_setting_number("check-stacks.ended-early", check.n.ended_early);
	meta_setting_number("check-stacks.unsafe", check.n.unsafe);
	for (int i = 0; i < ORACLES; i++) {
		meta_setting_number(words[i].compared, check.n.compared[i]);
		for (int k = 0; k < DIFFERENCES; k++)
			meta_setting_number(words[i].differs[k], check.n.differs[i][k]);
	}
}

void check_forget(void)
{
	memset(&check.n, 0, sizeof(check.n));
	check.described = 0;
}
