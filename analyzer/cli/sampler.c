/*
 * sampler.c - resident memory from /proc. Relies on the family for which
 * processes run; promises to stay light: one small read for each process and
 * sample, the expensive smaps only at a new height, not more than ten times a
 * second and within one percent of the time.
 */
#include "cli/sampler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "base/xmem.h"
#include "cli/preload_path.h"
#include "cli/session_clock.h"
#include "cli/snapshot_put.h"
#include "trace/meta_fields.h"
#include "trace/smaps.h"

#define SECOND 1000000000ull
#define MILLISECOND 1000000ull

#define INTERVAL_FIRST (10 * MILLISECOND)
#define INTERVAL_SOON (50 * MILLISECOND)
#define INTERVAL_LATE (100 * MILLISECOND)
/* Processes are looked at this often even where samples are wanted seldom. */
#define POLL_INTERVAL (50 * MILLISECOND)
#define PARTS_INTERVAL (100 * MILLISECOND)
/* Parts may take one part in so many of the time. */
#define PARTS_SHARE 100
/* Processes sampled at a time. */
#define PROCESSES_MAX 1024

struct height {
	pid_t pid;
	uint64_t parts_rss;   /* resident bytes when its parts were last taken */
	uint64_t last_rss, last_virtual;
	UT_hash_handle hh;
};

struct sampler {
	struct session_file *session;
	struct family *family;
	struct pack *pack;
	uint64_t fixed_interval; /* 0: the default ones */
	uint64_t started, sampled, polled;
	uint64_t parts_taken;    /* when, of any process */
	uint64_t parts_cost;     /* nanoseconds spent on them so far */
	uint64_t page_bytes;
	uint64_t peak;
	struct height *heights;
	char *text;
	size_t text_bytes, text_capacity;
};

enum part { PART_HEAP, PART_MAPPED, PART_STACK, PART_FILE, PART_SHMEM, PART_OTHER };

static bool starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool is_library(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash && starts_with(slash + 1, LIBRARY_NAME);
}

/* NAME as at the end of a line of maps, "" for none. */
static enum part part_of(const char *name, const char *ring)
{
	size_t n = strlen(ring);

	if (*ring && starts_with(name, ring) && (name[n] == '\0' || name[n] == ' '))
		return PART_OTHER;
	if (is_library(name) || strcmp(name, "[anon:allotrope]") == 0)
		return PART_OTHER;
	if (strcmp(name, "[heap]") == 0)
		return PART_HEAP;
	if (starts_with(name, "[stack"))
		return PART_STACK;
	if (*name == '\0' || starts_with(name, "[anon:"))
		return PART_MAPPED;
	if (starts_with(name, "/dev/shm/") || starts_with(name, "/memfd:") ||
	    starts_with(name, "/SYSV") || starts_with(name, "/dev/zero") ||
	    starts_with(name, "[anon_shmem:"))
		return PART_SHMEM;
	return *name == '/' ? PART_FILE : PART_OTHER;
}

void memory_parts_parse(struct memory_parts *m, const char *text, const char *ring)
{
	uint64_t *const parts[] = {
		[PART_HEAP] = &m->heap, [PART_MAPPED] = &m->mapped, [PART_STACK] = &m->stack,
		[PART_FILE] = &m->file, [PART_SHMEM] = &m->shmem, [PART_OTHER] = &m->other,
	};
	struct smaps *smaps = smaps_parse(text, strlen(text));

	*m = (struct memory_parts){ 0 };
	for (size_t i = 0; i < smaps->count; i++) {
		const struct smaps_region *r = &smaps->rows[i], *before = i ? r - 1 : NULL;
		/* behind the library's file lies its .bss */
		bool is_bss = before && !*r->name && is_library(before->name) && before->end == r->start;

		*parts[is_bss ? PART_OTHER : part_of(r->name, ring)] += r->rss;
		m->rss += r->rss;
		m->swap += r->swap;
		m->virtual_bytes += r->size;
	}
	smaps_free(smaps);
}

struct sampler *sampler_new(struct session_file *s, struct family *f, struct pack *p,
			    uint64_t interval_ns)
{
	struct sampler *sm = xcalloc(1, sizeof(*sm));

	sm->session = s;
	sm->family = f;
	sm->pack = p;
	sm->fixed_interval = interval_ns;
	sm->started = clock_ns(CLOCK_MONOTONIC);
	sm->page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	return sm;
}

void sampler_free(struct sampler *sm)
{
	struct height *h, *next;

	if (!sm)
		return;
	HASH_ITER(hh, sm->heights, h, next) {
		HASH_DEL(sm->heights, h);
		free(h);
	}
	free(sm->text);
	free(sm);
}

/* Read all of /proc/PID/NAME into sm->text; false: it is gone, or too long. */
static bool read_proc(struct sampler *sm, pid_t pid, const char *name)
{
	sm->text_bytes = proc_text(pid, name, &sm->text, &sm->text_capacity);
	return sm->text_bytes > 0;
}

static void write_sample(struct sampler *sm, pid_t pid, const struct memory_parts *m)
{
	struct meta_fields f = { 0 };
	const uint64_t fields[] = {
		(uint64_t)pid, session_stamp(&sm->session->fixed), MEMORY_PERIODIC,
		m->rss, m->heap, m->mapped, m->stack, m->file, m->shmem, m->other,
		m->virtual_bytes, m->swap,
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		meta_fields_number(&f, fields[i]);
	pack_meta(sm->pack, META_MEMORY, f.bytes, f.count);
	meta_fields_release(&f);
}

static void put_record(void *ctx, enum meta_kind kind, const uint8_t *bytes, size_t count)
{
	struct sampler *sm = ctx;

	pack_meta(sm->pack, kind, bytes, count);
}

/*
 * Parts are due: a height 5 % above the last one, in time, and within the budget; or whenever
 * the user said how often.
 */
static bool wants_parts(const struct sampler *sm, const struct height *h, uint64_t rss,
			uint64_t now)
{
	if (sm->fixed_interval)
		return true;
	return rss > h->parts_rss + h->parts_rss / 20 &&
	       now - sm->parts_taken >= PARTS_INTERVAL &&
	       sm->parts_cost * PARTS_SHARE <= now - sm->started;
}

static void take_parts(struct sampler *sm, struct height *h, uint64_t now)
{
	struct memory_parts m;

	sm->parts_taken = now;
	if (read_proc(sm, h->pid, "smaps")) {
		memory_parts_parse(&m, sm->text, sm->session->path);
		/* an empty one is of a process that ended in between */
		if (m.rss) {
			h->parts_rss = m.rss;
			write_sample(sm, h->pid, &m);
			snapshot_put(h->pid, session_stamp(&sm->session->fixed), MEMORY_PERIODIC,
				     "", sm->text, sm->text_bytes, put_record, sm);
		}
	}
	sm->parts_cost += clock_ns(CLOCK_MONOTONIC) - now;
}

static struct height *height_of(struct sampler *sm, pid_t pid)
{
	struct height *h;

	HASH_FIND_INT(sm->heights, &pid, h);
	if (!h) {
		h = xcalloc(1, sizeof(*h));
		h->pid = pid;
		HASH_ADD_INT(sm->heights, pid, h);
	}
	return h;
}

static void sample(struct sampler *sm, pid_t pid, uint64_t now)
{
	unsigned long long virtual_pages, rss_pages;
	struct memory_parts m = { 0 };
	struct height *h;

	if (!read_proc(sm, pid, "statm") ||
	    sscanf(sm->text, "%llu %llu", &virtual_pages, &rss_pages) != 2 || !rss_pages)
		return;
	m.rss = rss_pages * sm->page_bytes;
	m.virtual_bytes = virtual_pages * sm->page_bytes;
	if (m.rss > sm->peak)
		sm->peak = m.rss;
	h = height_of(sm, pid);
	/* a program that sleeps need not fill the recording */
	if (m.rss != h->last_rss || m.virtual_bytes != h->last_virtual)
		write_sample(sm, pid, &m);
	h->last_rss = m.rss;
	h->last_virtual = m.virtual_bytes;
	if (wants_parts(sm, h, m.rss, now))
		take_parts(sm, h, clock_ns(CLOCK_MONOTONIC));
}

static uint64_t interval(const struct sampler *sm, uint64_t now)
{
	uint64_t age = now - sm->started;

	if (sm->fixed_interval)
		return sm->fixed_interval;
	return age < SECOND ? INTERVAL_FIRST : age < 10 * SECOND ? INTERVAL_SOON : INTERVAL_LATE;
}

uint64_t sampler_tick(struct sampler *sm)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), pause = interval(sm, now), next;
	pid_t pids[PROCESSES_MAX];
	size_t count;

	if (now - sm->polled >= POLL_INTERVAL) {
		family_poll(sm->family);
		sm->polled = now;
	}
	if (now - sm->sampled >= pause) {
		count = family_running(sm->family, pids, PROCESSES_MAX);
		for (size_t i = 0; i < count && i < PROCESSES_MAX; i++)
			sample(sm, pids[i], now);
		sm->sampled = now;
	}
	next = sm->sampled + pause;
	if (next > sm->polled + POLL_INTERVAL)
		next = sm->polled + POLL_INTERVAL;
	now = clock_ns(CLOCK_MONOTONIC);
	/* a tick that takes long must not be followed by the next at once */
	return next > now + MILLISECOND ? next - now : MILLISECOND;
}

uint64_t sampler_peak(const struct sampler *sm)
{
	return sm->peak;
}
