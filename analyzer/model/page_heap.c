/*
 * page_heap.c - see page_heap.h: memory system calls as ranges of addresses that belong to
 * call stacks. The main heap is the range below the program break. A call is
 * applied when its end is read; one that failed or never ended changes nothing.
 */
#include "model/page_heap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/xmem.h"
#include "model/heap.h"

#define ERRNO_MAX 4095

/* Calls that wait for their call stack; more do without. */
#define WAITING_MAX 1024

struct page_call {
	bool is_open;
	bool waits;          /* for the stack of the acquire that it is made for */
	uint8_t number;      /* enum memory_syscall */
	uint32_t thread, stream;
	stack_id stack;
	uint64_t stamp;      /* of its end */
	int64_t result;
	uint64_t args[6];
};

static uint64_t round_up(const struct page_heap *p, uint64_t bytes)
{
	uint64_t mask = p->page_bytes - 1;

	return bytes > UINT64_MAX - mask ? ~mask : (bytes + mask) & ~mask;
}

static uint64_t end_of(const struct page_heap *p, uint64_t start, uint64_t bytes)
{
	uint64_t end = sum_saturated(start, round_up(p, bytes));

	return end & ~(p->page_bytes - 1);
}

static site_id site_of(struct page_heap *p, stack_id stack)
{
	site_id site = idmap_add(&p->by_stack, (uint64_t)stack + 1, (uint32_t)p->site_count);

	if (site == p->site_count) {
		xgrow(&p->sites, &p->site_capacity, p->site_count, sizeof(*p->sites));
		p->sites[p->site_count++] = (struct stack_bytes){ .stack = stack };
	}
	return site;
}

static void change_site(struct page_heap *p, site_id site, uint64_t more, uint64_t less,
			struct peak_log *log)
{
	if (log)
		peak_log_note(log, site, p->sites[site].bytes);
	p->sites[site].bytes += more - less;
	p->live_bytes += more - less;
	p->moved_bytes = sum_saturated(p->moved_bytes, more + less);
}

static bool give_back(struct page_heap *p, uint64_t start, uint64_t end, struct peak_log *log)
{
	bool changed;

	if (start >= end)
		return false;
	mappings_take(&p->mappings, start, end, &p->pieces);
	changed = p->pieces.count > 0;
	for (size_t i = 0; i < p->pieces.count; i++) {
		struct mapping_piece *piece = &p->pieces.items[i];

		change_site(p, piece->mapping->site, 0, piece->end - piece->start, log);
		mapping_piece_end(piece);
	}
	p->pieces.count = 0;
	return changed;
}

static bool get(struct page_heap *p, uint64_t start, uint64_t end, site_id site,
		const struct page_call *c, struct peak_log *log)
{
	if (start >= end)
		return false;
	give_back(p, start, end, log);
	mappings_add(&p->mappings, start, end, c ? c->stamp : 0, site, c ? c->stream : 0);
	change_site(p, site, end - start, 0, log);
	return true;
}

void page_heap_init(struct page_heap *p, const struct image *image)
{
	uint64_t page = image->page_size;

	*p = (struct page_heap){ .image = image, .break_now = image->initial_break };
	p->page_bytes = page < 4096 || page > (1u << 24) || (page & (page - 1)) ? 4096 : page;
	p->break_now = round_up(p, p->break_now);
	xgrow(&p->sites, &p->site_capacity, 0, sizeof(*p->sites));
	p->sites[p->site_count++] = (struct stack_bytes){ .stack = STACK_BEFORE };
	if (image->how == PROCESS_FORKED)
		return;
	for (size_t i = 0; i < image->region_count; i++)
		get(p, image->regions[i].start & ~(p->page_bytes - 1), image->regions[i].end, 0,
		    NULL, NULL);
	p->moved_bytes = 0;
}

void page_heap_release(struct page_heap *p)
{
	mappings_release(&p->mappings);
	idmap_release(&p->by_stack);
	free(p->pieces.items);
	free(p->sites);
	free(p->open);
	free(p->waiting);
	*p = (struct page_heap){ 0 };
}

static struct page_call *call_of(struct page_heap *p, uint32_t stream)
{
	size_t count = p->stream_count ? p->stream_count : 16;

	if (stream >= p->stream_count) {
		if (stream > STREAM_MAX)
			return NULL;
		while (count <= stream)
			count *= 2;
		p->open = xreallocarray(p->open, count, sizeof(*p->open));
		memset(p->open + p->stream_count, 0,
		       (count - p->stream_count) * sizeof(*p->open));
		p->stream_count = count;
	}
	return &p->open[stream];
}

static bool is_release(uint8_t func)
{
	return func == FUNC_FREE || func == FUNC_FREE_SIZED ||
	       func == FUNC_FREE_ALIGNED_SIZED || func == FUNC_CFREE;
}

static void begin(struct page_heap *p, const struct event *event)
{
	struct page_call *c = call_of(p, event->stream);
	const struct record *r = &event->r;

	if (!c)
		return;
	*c = (struct page_call){
		.is_open = true,
		.waits = (r->flags & SYSCALL_IN_ALLOCATOR) && !r->has_stack && !is_release(r->func),
		.number = r->number,
		.thread = r->thread,
		.stream = event->stream,
		.stack = event->stack,
	};
	memcpy(c->args, r->args, sizeof(c->args));
}

static bool is_error(int64_t result)
{
	return result < 0 && result >= -ERRNO_MAX;
}

/* The call that EVENT ends, or NULL; a failed one is none. */
static struct page_call *ended(const struct page_heap *p, const struct event *event)
{
	struct page_call *c;

	if (event->r.kind != EVENT_SYSCALL_END || event->stream >= p->stream_count ||
	    is_error(event->r.result))
		return NULL;
	c = &p->open[event->stream];
	return c->is_open && c->number == event->r.number && c->thread == event->r.thread ?
	       c : NULL;
}

/* A record that ends a call of the allocator which began before its system calls. */
static bool is_acquire(uint8_t kind)
{
	return kind == EVENT_ALLOC || kind == EVENT_CALLOC || kind == EVENT_ALIGNED ||
	       kind == EVENT_REALLOC_END || kind == EVENT_FAILED;
}

static bool gives_back(const struct page_heap *p, const struct page_call *c, int64_t result)
{
	switch (c->number) {
	case SYS_MEM_brk:
		return p->break_now && round_up(p, (uint64_t)result) < p->break_now;
	case SYS_MEM_mmap:
		return c->args[3] & MAP_FIXED;
	case SYS_MEM_munmap:
	case SYS_MEM_mremap:
		return true;
	default:
		return false;
	}
}

bool page_heap_gives_back(const struct page_heap *p, const struct event *event)
{
	const struct page_call *c = ended(p, event);

	if (c)
		return !c->waits && gives_back(p, c, event->r.result);
	for (size_t i = 0; i < p->waiting_count && is_acquire(event->r.kind); i++)
		if (p->waiting[i].stream == event->stream &&
		    gives_back(p, &p->waiting[i], p->waiting[i].result))
			return true;
	return false;
}

static bool end_brk(struct page_heap *p, const struct page_call *c, struct peak_log *log)
{
	uint64_t was = p->break_now, is = round_up(p, (uint64_t)c->result);

	p->break_now = is;
	if (!was)
		return false;
	return is < was ? give_back(p, is, was, log) :
			  get(p, was, is, site_of(p, c->stack), c, log);
}

static bool end_mremap(struct page_heap *p, const struct page_call *c, struct peak_log *log)
{
	uint64_t start = (uint64_t)c->result;

	if (!(c->args[3] & MREMAP_DONTUNMAP))
		give_back(p, c->args[0], end_of(p, c->args[0], c->args[1]), log);
	return get(p, start, end_of(p, start, c->args[2]), site_of(p, c->stack), c, log);
}

static bool apply(struct page_heap *p, const struct page_call *c, struct peak_log *log)
{
	uint64_t start = (uint64_t)c->result;

	switch (c->number) {
	case SYS_MEM_brk:
		return end_brk(p, c, log);
	case SYS_MEM_mmap:
		return get(p, start, end_of(p, start, c->args[1]), site_of(p, c->stack), c, log);
	case SYS_MEM_munmap:
		return give_back(p, c->args[0], end_of(p, c->args[0], c->args[1]), log);
	case SYS_MEM_mremap:
		return end_mremap(p, c, log);
	default:
		return false;
	}
}

/* The acquire of EVENT is what the system calls that wait in its stream were made for. */
static bool apply_waiting(struct page_heap *p, const struct event *event, struct peak_log *log)
{
	bool changed = false;
	size_t kept = 0;

	for (size_t i = 0; i < p->waiting_count; i++) {
		struct page_call c = p->waiting[i];

		if (c.stream != event->stream) {
			p->waiting[kept++] = c;
			continue;
		}
		c.stack = event->stack;
		changed |= apply(p, &c, log);
	}
	p->waiting_count = kept;
	return changed;
}

bool page_heap_event(struct page_heap *p, const struct event *event, struct peak_log *log)
{
	struct page_call *c;
	bool changed = false;

	if (p->waiting_count && is_acquire(event->r.kind))
		return apply_waiting(p, event, log);
	if (event->r.kind == EVENT_SYSCALL_BEGIN)
		begin(p, event);
	if (event->r.kind != EVENT_SYSCALL_END)
		return false;
	c = ended(p, event);
	if (c) {
		c->result = event->r.result;
		c->stamp = event->r.stamp;
	}
	if (c && c->waits && p->waiting_count < WAITING_MAX) {
		xgrow(&p->waiting, &p->waiting_capacity, p->waiting_count, sizeof(*p->waiting));
		p->waiting[p->waiting_count++] = *c;
	} else if (c) {
		if (c->waits)
			c->stack = STACK_NONE;
		changed = apply(p, c, log);
	}
	if (event->stream < p->stream_count)
		p->open[event->stream].is_open = false;
	return changed;
}
