/*
 * memory_sample.c - adds up /proc/self/smaps. Relies on raw system calls, and on
 * being called by one thread at a time. It costs the kernel's walk over the page
 * tables, so the caller says what it may cost.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>

#include "clock.h"
#include "memory_sample.h"
#include "meta.h"
#include "own_memory.h"
#include "session.h"
#include "sys.h"
#include "sysfile.h"

#define TEXT_BYTES (16u * 1024)
#define COST_FIXED_NS 150000ull
#define COST_PAGE_NS 130ull

static bool starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

enum memory_kind memory_kind_of(const char *name)
{
	if (!*name || starts_with(name, "[anon:") || starts_with(name, "/anon_hugepage"))
		return MEMORY_MAPPED;
	if (strcmp(name, "[heap]") == 0)
		return MEMORY_HEAP;
	if (starts_with(name, "[stack"))
		return MEMORY_STACK;
	if (starts_with(name, "/dev/shm/") || starts_with(name, "/memfd:") ||
	    starts_with(name, "/SYSV") || starts_with(name, "/dev/zero") ||
	    starts_with(name, "[anon_shmem:"))
		return MEMORY_SHMEM;
	return *name == '/' ? MEMORY_FILE : MEMORY_OTHER;
}

static uint64_t parse_hex(const char **p)
{
	uint64_t v = 0;

	for (;; ++*p) {
		char c = **p;

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint64_t)(c - 'a' + 10);
		else
			return v;
	}
}

/* The mapping whose fields are being read. */
struct region {
	uint64_t start, end;
	bool is_private;
	bool is_library;      /* a part of this library's file */
	enum memory_kind kind;
};

/* What the program has only because of us: the library, its .bss behind it, and the ring. */
static bool is_own(const struct region *region, const struct region *before, const char *name)
{
	return region->is_library || strcmp(name, "[anon:allotrope]") == 0 ||
	       (!*name && before->is_library && before->end == region->start) ||
	       (session.ring && session_maps(region->start));
}

/* "START-END perms offset dev inode   name"; false: another kind of line. */
static bool parse_region(const char *line, struct region *region, const char **name)
{
	const char *p = line;

	region->start = parse_hex(&p);
	if (p == line || *p != '-')
		return false;
	p++;
	region->end = parse_hex(&p);
	/* " rw-p": always four letters */
	region->is_private = strnlen(p, 5) == 5 && p[4] == 'p';
	for (unsigned field = 0; field < 5; field++) {
		p = strchr(p, ' ');
		if (!p)
			return false;
		while (*p == ' ')
			p++;
	}
	*name = p;
	return true;
}

/* "Key:   123 kB" */
static bool parse_kib(const char *line, const char *key, uint64_t *bytes)
{
	uint64_t v = 0;

	if (!starts_with(line, key))
		return false;
	for (line += strlen(key); *line == ' '; line++)
		;
	for (; *line >= '0' && *line <= '9'; line++)
		v = v * 10 + (uint64_t)(*line - '0');
	*bytes = v * 1024;
	return true;
}

static void line_add(struct memory_sample *m, const char *line, struct region *region,
		     const struct memory_listener *listener)
{
	uint64_t *const places[] = {
		[MEMORY_HEAP] = &m->heap, [MEMORY_MAPPED] = &m->mapped,
		[MEMORY_STACK] = &m->stack, [MEMORY_FILE] = &m->file,
		[MEMORY_SHMEM] = &m->shmem, [MEMORY_OTHER] = &m->other,
	};
	struct region next;
	const char *name;
	uint64_t bytes;

	if (parse_kib(line, "Rss:", &bytes)) {
		*places[region->kind] += bytes;
		m->rss += bytes;
	} else if (parse_kib(line, "Size:", &bytes)) {
		m->virtual_bytes += bytes;
	} else if (parse_kib(line, "Swap:", &bytes)) {
		m->swap += bytes;
	} else if (parse_kib(line, "Anonymous:", &bytes)) {
		if (bytes && region->is_private && listener && listener->anonymous)
			listener->anonymous(region->start, region->end);
	} else if (parse_region(line, &next, &name)) {
		next.is_library = strstr(name, "/liballotrope.so") != NULL;
		next.kind = is_own(&next, region, name) ? MEMORY_OTHER : memory_kind_of(name);
		*region = next;
	}
}

void memory_sample_read(struct memory_sample *m, long fd, const struct memory_listener *listener)
{
	/* not on the stack: any thread may call exit, and some have very small ones */
	static char text[TEXT_BYTES];
	struct region region = { .kind = MEMORY_OTHER };
	size_t used = 0;

	memset(m, 0, sizeof(*m));
	for (;;) {
		long n = SYS3(read, fd, text + used, sizeof(text) - 1 - used);
		char *line = text, *end;

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return;
		if (listener && listener->text)
			listener->text(text + used, (size_t)n);
		used += (size_t)n;
		while ((end = memchr(line, '\n', used - (size_t)(line - text)))) {
			*end = '\0';
			line_add(m, line, &region, listener);
			line = end + 1;
		}
		used -= (size_t)(line - text);
		/* no line is as long as the buffer: then it is not what we know */
		if (used == sizeof(text) - 1)
			return;
		memmove(text, line, used);
	}
}

static uint64_t parse_decimal(const char **p)
{
	uint64_t v = 0;

	for (; **p >= '0' && **p <= '9'; ++*p)
		v = v * 10 + (uint64_t)(**p - '0');
	return v;
}

void memory_sample_totals(struct memory_sample *m, const char *text)
{
	uint64_t page = getauxval(AT_PAGESZ);

	memset(m, 0, sizeof(*m));
	m->virtual_bytes = parse_decimal(&text) * page;
	if (*text == ' ')
		text++;
	m->rss = parse_decimal(&text) * page;
}

uint64_t memory_sample_cost_ns(uint64_t rss)
{
	return COST_FIXED_NS + rss / 4096 * COST_PAGE_NS;
}

static bool parts_read(struct memory_sample *m, const struct memory_listener *listener)
{
	long fd = SYS4(openat, AT_FDCWD, "/proc/self/smaps", O_RDONLY | O_CLOEXEC, 0);
	uint64_t own;

	if (sys_failed(fd))
		return false;
	memory_sample_read(m, fd, listener);
	SYS1(close, fd);
	own = own_resident_bytes();
	if (own > m->mapped)
		own = m->mapped;
	m->mapped -= own;
	m->other += own;
	return true;
}

bool memory_sample_record(enum memory_moment moment, uint64_t budget_ns,
			  const struct memory_listener *listener)
{
	bool has_parts = false;
	uint8_t buffer[13 * VARINT_MAX];
	struct memory_sample m;
	struct meta_builder b;
	char text[256];

	if (sysfile_read("/proc/self/statm", text, sizeof(text)) <= 0)
		return false;
	memory_sample_totals(&m, text);
	if (memory_sample_cost_ns(m.rss) <= budget_ns)
		has_parts = parts_read(&m, listener);
	meta_init(&b, buffer, sizeof(buffer));
	meta_number(&b, session.pid);
	meta_number(&b, clock_stamp());
	meta_number(&b, moment);
	meta_number(&b, m.rss);
	meta_number(&b, m.heap);
	meta_number(&b, m.mapped);
	meta_number(&b, m.stack);
	meta_number(&b, m.file);
	meta_number(&b, m.shmem);
	meta_number(&b, m.other);
	meta_number(&b, m.virtual_bytes);
	meta_number(&b, m.swap);
	meta_append(META_MEMORY, &b);
	return has_parts;
}
