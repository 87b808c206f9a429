/*
 * snapshot.c - takes snapshots. Relies on memory_sample.c to read smaps, and on raw system calls
 * only. One at a time: a second caller goes without.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>

#include "clock.h"
#include "memory_sample.h"
#include "meta.h"
#include "own_memory.h"
#include "page_scan.h"
#include "process_record.h"
#include "session.h"
#include "snapshot.h"
#include "sys.h"
#include "tstate.h"

/* Text of one record; the kernel gives a page of it at a time. */
#define PART_BYTES (16u * 1024)
#define LABEL_BYTES 255

/* Records of page runs in one snapshot: about a million runs. */
#define SNAPSHOT_RUN_RECORDS 128

/* Marks beyond the first MARKS_FREE may cost one part in MARKS_SHARE of the process's life. */
#define MARKS_FREE 64
#define MARKS_SHARE 20

static uint32_t is_busy;

/* Of the snapshot under way. */
static struct {
	uint64_t stamp;
	enum memory_moment moment;
	char label[LABEL_BYTES + 1];
	uint64_t part;
	struct meta_builder runs;
	uint64_t next_page;       /* end of the last run in the record */
	uint64_t run_records;
	bool is_cut;
} now;

static void put_text(const char *text, size_t bytes, bool is_last)
{
	/* any thread may set a mark, and some have very small stacks */
	static uint8_t buffer[PART_BYTES + LABEL_BYTES + 8 * VARINT_MAX];
	struct meta_builder b;

	meta_init(&b, buffer, sizeof(buffer));
	meta_number(&b, session.pid);
	meta_number(&b, now.stamp);
	meta_number(&b, now.moment);
	meta_string(&b, now.label);
	meta_number(&b, now.part++);
	meta_number(&b, is_last);
	meta_bytes(&b, text, bytes);
	meta_append(META_SMAPS, &b);
}

static void hear_text(const char *text, size_t bytes)
{
	while (bytes > 0) {
		size_t n = bytes < PART_BYTES ? bytes : PART_BYTES;

		put_text(text, n, false);
		text += n;
		bytes -= n;
	}
}

static void runs_begin(void)
{
	static uint8_t buffer[PART_BYTES];

	meta_init(&now.runs, buffer, sizeof(buffer));
	meta_number(&now.runs, session.pid);
	meta_number(&now.runs, now.stamp);
	meta_number(&now.runs, getauxval(AT_PAGESZ));
	meta_number(&now.runs, now.is_cut ? PAGES_CUT : 0);
	now.next_page = 0;
}

static void runs_end(void)
{
	if (now.next_page || now.is_cut)
		meta_append(META_PAGES, &now.runs);
	now.run_records++;
}

static void add_run(uint64_t start, uint64_t end)
{
	uint64_t page = getauxval(AT_PAGESZ);

	/* the last record there may be says that more would follow */
	if (now.is_cut)
		return;
	if ((size_t)(now.runs.end - now.runs.p) < 2 * VARINT_MAX) {
		runs_end();
		now.is_cut = now.run_records >= SNAPSHOT_RUN_RECORDS;
		runs_begin();
		if (now.is_cut)
			return;
	}
	meta_number(&now.runs, start / page - now.next_page);
	meta_number(&now.runs, (end - start) / page);
	now.next_page = end / page;
}

static void hear_anonymous(uint64_t start, uint64_t end)
{
	page_scan(start, end, add_run);
}

static void put_own(uint64_t start, uint64_t bytes, void *ctx)
{
	struct meta_builder *b = ctx;

	if ((size_t)(b->end - b->p) >= 2 * VARINT_MAX) {
		meta_number(b, start);
		meta_number(b, bytes);
	}
}

static void record_own_memory(void)
{
	static uint8_t buffer[PART_BYTES];
	struct meta_builder b;

	meta_init(&b, buffer, sizeof(buffer));
	meta_number(&b, session.pid);
	meta_number(&b, now.stamp);
	own_memory_each(put_own, &b);
	meta_append(META_OWN_MEMORY, &b);
}

static void take(enum memory_moment moment, const char *label, uint64_t budget_ns)
{
	static const struct memory_listener listener = { hear_text, hear_anonymous };
	size_t n = strnlen(label, LABEL_BYTES);

	memset(&now, 0, sizeof(now));
	now.stamp = clock_stamp();
	now.moment = moment;
	memcpy(now.label, label, n);
	runs_begin();
	page_scan_begin();
	if (memory_sample_record(moment, budget_ns, &listener)) {
		runs_end();
		record_own_memory();
		/* the last part tells a reader that all of it is there */
		put_text("", 0, true);
	}
	page_scan_end();
}

static bool begin_alone(void)
{
	return !__atomic_exchange_n(&is_busy, 1, __ATOMIC_ACQUIRE);
}

static void end_alone(void)
{
	__atomic_store_n(&is_busy, 0, __ATOMIC_RELEASE);
}

void snapshot_at_exit(uint64_t budget_ns, bool is_whole)
{
	if (is_whole && begin_alone()) {
		take(MEMORY_AT_EXIT, "", budget_ns);
		end_alone();
	} else {
		memory_sample_record(MEMORY_AT_EXIT, budget_ns, NULL);
	}
}

void snapshot_at_mark(const char *label)
{
	static uint64_t marks, spent_ns;
	struct thread *t = &thread;
	int saved = errno;
	uint64_t begun, guard;
	uint8_t phase;

	/* a mark that was nested in a call, or set in a forked child before it had a name */
	if (!session.recording || t->guard_sp || session_is_forked() || !begin_alone())
		return;
	begun = clock_monotonic_ns();
	guard = t->guard_sp;
	phase = t->phase;
	t->guard_sp = (uint64_t)__builtin_frame_address(0);
	t->phase = PHASE_OWN;
	if (marks < MARKS_FREE ||
	    spent_ns * MARKS_SHARE <= begun - process_record_started_ns())
		take(MEMORY_AT_MARK, label, UINT64_MAX);
	marks++;
	spent_ns += clock_monotonic_ns() - begun;
	t->phase = phase;
	t->guard_sp = guard;
	end_alone();
	errno = saved;
}
