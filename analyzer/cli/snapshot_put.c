/*
 * snapshot_put.c - looks at a process from outside, while it runs: what it changes meanwhile may be
 * seen or not. Touched pages are asked of the kernel by PAGEMAP_SCAN (Linux 6.7), else read from
 * /proc/PID/pagemap; where neither can be had the snapshot has none. Source:
 * pagemap_scan.h.
 */
#include "cli/snapshot_put.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xmem.h"
#include "pagemap_scan.h"
#include "trace/meta_fields.h"
#include "trace/smaps.h"

/* A text longer than this is not read: it would take too long. */
#define TEXT_MAX (64u << 20)

/* Text of one record. */
#define PART_BYTES (64u << 10)

/* Bytes of runs in one record, and such records in one snapshot. */
#define RUNS_BYTES (64u << 10)
#define RUNS_MAX   32

size_t proc_text(pid_t pid, const char *name, char **text, size_t *capacity)
{
	char path[64];
	size_t used = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	do {
		xgrow(text, capacity, used + 65536, 1);
		n = read(fd, *text + used, *capacity - used - 1);
		if (n > 0)
			used += (size_t)n;
	} while (n > 0 && used < TEXT_MAX);
	close(fd);
	(*text)[used] = '\0';
	return n == 0 ? used : 0;
}

/* Runs of touched pages on their way into records. */
struct runs {
	struct meta_fields fields;
	uint64_t next_page, page_bytes;
	uint64_t start, end;      /* the run being joined */
	unsigned records;
	pid_t pid;
	uint64_t stamp;
	snapshot_sink *sink;
	void *ctx;
};

static void runs_begin(struct runs *r, uint64_t flags)
{
	r->fields.count = 0;
	r->next_page = 0;
	meta_fields_number(&r->fields, (uint64_t)r->pid);
	meta_fields_number(&r->fields, r->stamp);
	meta_fields_number(&r->fields, r->page_bytes);
	meta_fields_number(&r->fields, flags);
}

static void runs_flush(struct runs *r)
{
	if (r->end > r->start && r->records < RUNS_MAX) {
		meta_fields_number(&r->fields, r->start / r->page_bytes - r->next_page);
		meta_fields_number(&r->fields, (r->end - r->start) / r->page_bytes);
		r->next_page = r->end / r->page_bytes;
	}
	r->start = r->end = 0;
	if (r->fields.count < RUNS_BYTES || r->records >= RUNS_MAX)
		return;
	r->sink(r->ctx, META_PAGES, r->fields.bytes, r->fields.count);
	r->records++;
	runs_begin(r, r->records == RUNS_MAX ? PAGES_CUT : 0);
}

static void add_run(struct runs *r, uint64_t start, uint64_t end)
{
	if (r->end == start && r->end > r->start) {
		r->end = end;
		return;
	}
	runs_flush(r);
	r->start = start;
	r->end = end;
}

/* False: this kernel cannot, or the process is gone. */
static bool scan_by_ioctl(int fd, uint64_t start, uint64_t end, struct runs *r)
{
	struct pagemap_region regions[PAGEMAP_REGIONS];

	while (start < end) {
		struct pagemap_scan_arg arg;
		int n;

		pagemap_scan_init(&arg, start, end, regions);
		n = ioctl(fd, PAGEMAP_SCAN_IOCTL, &arg);
		if (n < 0)
			return false;
		for (int i = 0; i < n; i++)
			add_run(r, regions[i].start, regions[i].end);
		if (arg.walk_end <= start)
			break;
		start = arg.walk_end;
	}
	return true;
}

static bool scan_by_entries(int fd, uint64_t start, uint64_t end, struct runs *r)
{
	uint64_t entries[1024];

	while (start < end) {
		uint64_t pages = (end - start) / r->page_bytes;
		ssize_t n = pread(fd, entries, (pages < 1024 ? pages : 1024) * sizeof(*entries),
				  (off_t)(start / r->page_bytes * sizeof(*entries)));

		if (n < (ssize_t)sizeof(*entries))
			return false;
		for (size_t i = 0; i < (size_t)n / sizeof(*entries); i++, start += r->page_bytes)
			if (entries[i] & PAGEMAP_ENTRY_TOUCHED)
				add_run(r, start, start + r->page_bytes);
	}
	return true;
}

static void put_pages(pid_t pid, uint64_t stamp, const struct smaps *s, snapshot_sink *sink,
		      void *ctx)
{
	struct runs r = {
		.page_bytes = (uint64_t)sysconf(_SC_PAGESIZE), .pid = pid, .stamp = stamp,
		.sink = sink, .ctx = ctx,
	};
	char path[64];
	bool is_good = true;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	runs_begin(&r, 0);
	for (size_t i = 0; i < s->count && is_good; i++) {
		const struct smaps_region *m = &s->rows[i];

		if (!m->is_shared && m->anonymous > 0)
			is_good = scan_by_ioctl(fd, m->start, m->end, &r) ||
				  scan_by_entries(fd, m->start, m->end, &r);
	}
	close(fd);
	runs_flush(&r);
	if (is_good)
		sink(ctx, META_PAGES, r.fields.bytes, r.fields.count);
	meta_fields_release(&r.fields);
}

static void put_part(pid_t pid, uint64_t stamp, enum memory_moment moment, const char *label,
		     uint64_t part, bool is_last, const char *text, size_t bytes,
		     snapshot_sink *sink, void *ctx)
{
	struct meta_fields f = { 0 };

	meta_fields_number(&f, (uint64_t)pid);
	meta_fields_number(&f, stamp);
	meta_fields_number(&f, moment);
	meta_fields_text(&f, label);
	meta_fields_number(&f, part);
	meta_fields_number(&f, is_last);
	meta_fields_string(&f, text, bytes);
	sink(ctx, META_SMAPS, f.bytes, f.count);
	meta_fields_release(&f);
}

void snapshot_put(pid_t pid, uint64_t stamp, enum memory_moment moment, const char *label,
		  const char *smaps, size_t bytes, snapshot_sink *sink, void *ctx)
{
	struct smaps *rows = smaps_parse(smaps, bytes);
	uint64_t part = 0;

	put_pages(pid, stamp, rows, sink, ctx);
	smaps_free(rows);
	do {
		size_t n = bytes < PART_BYTES ? bytes : PART_BYTES;

		put_part(pid, stamp, moment, label, part++, n == bytes, smaps, n, sink, ctx);
		smaps += n;
		bytes -= n;
	} while (bytes > 0);
}
