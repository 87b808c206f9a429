/*
 * memcalls.c - see memcalls.h. Relies on SYSCALL_BEGIN being stamped before the
 * call and SYSCALL_END after it: addresses are free from the begin of munmap on
 * and taken from the end of mmap on. Promises that a failed call changes
 * nothing but counts.
 */
#include "model/memcalls.h"

#include <stdlib.h>
#include <sys/mman.h>

#define ERRNO_MAX 4095

static bool is_error(int64_t result)
{
	return result < 0 && result >= -ERRNO_MAX;
}

static uint64_t page_round(const struct heap_state *h, uint64_t bytes)
{
	uint64_t page = h->public.image->page_size;

	if (page < 4096 || page > (1u << 24) || (page & (page - 1)))
		page = 4096;
	return bytes > UINT64_MAX - page ? ~(page - 1) :
					   (bytes + page - 1) & ~(page - 1);
}

/* End of BYTES at START in whole pages, at most the end of the address space. */
static uint64_t range_end(const struct heap_state *h, uint64_t start, uint64_t bytes)
{
	uint64_t last = ~(uint64_t)4095;
	uint64_t end = sum_saturated(start, page_round(h, bytes));

	return end < last ? end : last;
}

static void take(struct heap_state *h, uint64_t start, uint64_t bytes,
		 struct mapping_pieces *pieces)
{
	mappings_take(&h->mappings, start, range_end(h, start, bytes), pieces);
}

void memcall_begin(struct heap_state *h, struct memcall *m, const struct event *event)
{
	const struct record *r = &event->r;
	struct syscall_totals *t = &h->public.syscalls[r->number];

	memcall_abandon(h, m);
	m->is_open = true;
	m->number = r->number;
	m->flags = r->flags;
	m->thread = r->thread;
	m->stack = event->stack;
	m->stamp = r->stamp;
	for (int i = 0; i < 6; i++)
		m->args[i] = r->args[i];
	t->calls++;
	t->inferred += (r->flags & SYSCALL_INFERRED) != 0;
	t->in_allocator += (r->flags & SYSCALL_IN_ALLOCATOR) != 0;
	if (r->flags & SYSCALL_IN_ALLOCATOR)
		return;
	switch (r->number) {
	case SYS_MEM_munmap:
		take(h, m->args[0], m->args[1], &m->pieces);
		break;
	case SYS_MEM_mmap:
		if ((m->args[3] & MAP_FIXED) && !(m->args[3] & MAP_FIXED_NOREPLACE))
			take(h, m->args[0], m->args[1], &m->covered);
		break;
	case SYS_MEM_mremap:
		take(h, m->args[0], m->args[1], &m->pieces);
		if (m->args[3] & MREMAP_FIXED)
			take(h, m->args[4], m->args[2], &m->covered);
		break;
	default:
		break;
	}
}

/* The event's own change, or a further one where that has something to say. */
static struct change *next_change(struct change_list *changes, struct heap_state *h)
{
	struct change *c = &changes->items[0];

	if (c->acquired || c->released)
		c = change_list_add(changes, h);
	c->kind = KIND_MAPPING;
	return c;
}

static void pieces_end(struct heap_state *h, struct mapping_pieces *pieces,
		       uint64_t stamp, struct change_list *changes)
{
	for (size_t i = 0; i < pieces->count; i++) {
		struct mapping_piece *p = &pieces->items[i];
		struct change *c = next_change(changes, h);

		c->released = true;
		c->old = (struct block){
			.addr = p->start,
			.size = p->end - p->start,
			.birth_stamp = p->mapping->birth_stamp,
			.site = p->mapping->site,
			.origin = p->mapping->site,
			.stream = p->mapping->stream,
			.cls = CLASS_MAPPED,
		};
		c->old_is_partial = !mapping_piece_end(p);
		heap_count_unmapped(h, c->old.site, c->old.size, !c->old_is_partial,
				    difference(stamp, c->old.birth_stamp));
	}
	pieces->count = 0;
}

/* BYTES at START belong to the program from now on. */
static void map(struct heap_state *h, struct memcall *m, const struct event *event,
		uint64_t start, uint64_t bytes, struct change_list *changes)
{
	uint64_t end = range_end(h, start, bytes);
	struct change *c;
	site_id site;

	if (start >= end)
		return;
	site = heap_site(h, m->stack, KIND_MAPPING);
	mappings_add(&h->mappings, start, end, event->r.stamp, site, event->stream);
	heap_count_mapped(h, site, end - start);
	c = &changes->items[changes->count - 1];
	if (c->acquired)
		c = change_list_add(changes, h);
	c->kind = KIND_MAPPING;
	c->acquired = true;
	c->block = (struct block){
		.addr = start,
		.size = end - start,
		.birth_stamp = event->r.stamp,
		.site = site,
		.origin = site,
		.stream = event->stream,
		.cls = CLASS_MAPPED,
	};
}

static void end_mmap(struct heap_state *h, struct memcall *m,
		     const struct event *event, struct change_list *changes)
{
	uint64_t start = (uint64_t)event->r.result;
	uint64_t bytes = page_round(h, m->args[1]);
	struct syscall_totals *t = &h->public.syscalls[SYS_MEM_mmap];
	struct heap *p = &h->public;

	t->grow_bytes = sum_saturated(t->grow_bytes, bytes);
	/* what is in the way there was given back unseen */
	take(h, start, bytes, &m->covered);
	pieces_end(h, &m->covered, event->r.stamp, changes);
	if (!(m->args[3] & MAP_ANONYMOUS))
		return;
	if (!(m->flags & SYSCALL_IN_ALLOCATOR)) {
		map(h, m, event, start, bytes, changes);
	} else if (!(m->args[3] & MAP_FIXED)) {
		/* fixed: over its own reservation, which is counted already */
		p->heap_mapped_live = sum_saturated(p->heap_mapped_live, bytes);
	}
}

static void end_munmap(struct heap_state *h, struct memcall *m,
		       const struct event *event, struct change_list *changes)
{
	uint64_t bytes = page_round(h, m->args[1]);
	struct syscall_totals *t = &h->public.syscalls[SYS_MEM_munmap];

	t->trim_bytes = sum_saturated(t->trim_bytes, bytes);
	if (m->flags & SYSCALL_IN_ALLOCATOR)
		h->public.heap_mapped_live =
			difference(h->public.heap_mapped_live, bytes);
	pieces_end(h, &m->pieces, event->r.stamp, changes);
}

static void end_mremap(struct heap_state *h, struct memcall *m,
		       const struct event *event, struct change_list *changes)
{
	uint64_t start = (uint64_t)event->r.result;
	uint64_t old_bytes = page_round(h, m->args[1]);
	uint64_t bytes = page_round(h, m->args[2]);
	struct syscall_totals *t = &h->public.syscalls[SYS_MEM_mremap];
	bool is_ours = m->pieces.count > 0;
	struct heap *p = &h->public;

	t->grow_bytes = sum_saturated(t->grow_bytes, difference(bytes, old_bytes));
	t->trim_bytes = sum_saturated(t->trim_bytes, difference(old_bytes, bytes));
	if (m->flags & SYSCALL_IN_ALLOCATOR) {
		p->heap_mapped_live = sum_saturated(
			difference(p->heap_mapped_live, old_bytes), bytes);
		return;
	}
	if (m->args[3] & MREMAP_DONTUNMAP)
		mappings_restore(&h->mappings, &m->pieces);
	else
		pieces_end(h, &m->pieces, event->r.stamp, changes);
	take(h, start, bytes, &m->covered);
	pieces_end(h, &m->covered, event->r.stamp, changes);
	if (is_ours)
		map(h, m, event, start, bytes, changes);
}

/* The kernel answers brk with the break as it is, also where it refuses. */
static void end_brk(struct heap_state *h, const struct memcall *m, uint64_t result)
{
	struct heap *p = &h->public;
	struct syscall_totals *t = &p->syscalls[SYS_MEM_brk];

	if (m->is_open && m->args[0] && m->args[0] != result)
		t->errors++;
	if (!p->break_now) {
		p->break_start = p->break_now = p->break_peak = result;
		return;
	}
	if (result > p->break_now) {
		t->turns += t->trim && !h->break_went_up;
		h->break_went_up = true;
		t->grow++;
		t->grow_bytes = sum_saturated(t->grow_bytes, result - p->break_now);
	} else if (result < p->break_now) {
		t->turns += t->grow && h->break_went_up;
		h->break_went_up = false;
		t->trim++;
		t->trim_bytes = sum_saturated(t->trim_bytes, p->break_now - result);
	}
	p->break_now = result;
	if (result > p->break_peak)
		p->break_peak = result;
}

static void add_time(struct syscall_totals *t, uint64_t ticks)
{
	if (t->timed == 0 || ticks < t->shortest)
		t->shortest = ticks;
	if (ticks > t->longest)
		t->longest = ticks;
	t->timed++;
	t->ticks = sum_saturated(t->ticks, ticks);
}

void memcall_end(struct heap_state *h, struct memcall *m, const struct event *event,
		 struct change_list *changes)
{
	const struct record *r = &event->r;
	struct syscall_totals *t = &h->public.syscalls[r->number];
	struct heap *p = &h->public;

	if (m->is_open && (m->number != r->number || m->thread != r->thread))
		memcall_abandon(h, m);
	if (!m->is_open)
		t->calls++;
	else
		add_time(t, difference(r->stamp, m->stamp));
	if (is_error(r->result)) {
		t->errors++;
		memcall_abandon(h, m);
		return;
	}
	if (r->number == SYS_MEM_brk)
		end_brk(h, m, (uint64_t)r->result);
	else if (m->is_open && r->number == SYS_MEM_mmap)
		end_mmap(h, m, event, changes);
	else if (m->is_open && r->number == SYS_MEM_munmap)
		end_munmap(h, m, event, changes);
	else if (m->is_open && r->number == SYS_MEM_mremap)
		end_mremap(h, m, event, changes);
	if (p->heap_mapped_live > p->heap_mapped_peak)
		p->heap_mapped_peak = p->heap_mapped_live;
	m->is_open = false;
}

void memcall_abandon(struct heap_state *h, struct memcall *m)
{
	mappings_restore(&h->mappings, &m->pieces);
	mappings_restore(&h->mappings, &m->covered);
	m->is_open = false;
}

void memcall_release(struct memcall *m)
{
	/* pieces hold their mappings: dropping them is an end without accounts */
	for (size_t i = 0; i < m->pieces.count; i++)
		mapping_piece_end(&m->pieces.items[i]);
	for (size_t i = 0; i < m->covered.count; i++)
		mapping_piece_end(&m->covered.items[i]);
	free(m->pieces.items);
	free(m->covered.items);
	*m = (struct memcall){ 0 };
}
