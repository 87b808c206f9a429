/*
 * rss_moment.c - joins the samples of /proc with the replayed heap. A sample lies
 * between two events; the heap taken is the one before the first event after it.
 */
#include "forms/rss_moment.h"

#include <stdlib.h>

#include "base/idmap.h"
#include "base/xmem.h"

/* What is gathered for one image. */
struct candidate {
	const struct memory_sample *most;      /* most resident memory */
	const struct memory_sample *parts;     /* the same of those with parts */
	const struct memory_sample *chosen;    /* whose moment is accounted for */
	struct rss_moment moment;
};

struct rss_moments {
	const struct recording *r;
	struct candidate *candidates; /* by index of the image */
	struct idmap by_image;        /* number -> index + 1 */
	uint32_t last_image;          /* of the last event, and its candidate */
	struct candidate *last;
	struct candidate **order;     /* those with a moment, by its stamp */
	size_t order_count, order_next;
};

static struct candidate *candidate_of(struct rss_moments *m, uint32_t image)
{
	uint32_t at = idmap_find(&m->by_image, image);

	return at ? &m->candidates[at - 1] : NULL;
}

static void use_sample(struct candidate *c, const struct memory_sample *s)
{
	if (!c->most || s->rss > c->most->rss)
		c->most = s;
	if (s->has_parts && (!c->parts || s->rss > c->parts->rss))
		c->parts = s;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Take BYTES from what is left of the resident memory, as far as it goes. */
static uint64_t take(uint64_t *left, uint64_t bytes)
{
	bytes = least(bytes, *left);
	*left -= bytes;
	return bytes;
}

/* IS_OUTSIDE: no system calls are known that an estimate could be made of. */
static void choose(struct candidate *c, bool is_outside)
{
	if (!c->most)
		return;
	c->chosen = c->parts;
	c->moment.is_known = true;
	c->moment.max_rss = c->most->rss;
	if (!c->parts ||
	    (!is_outside && c->most->rss > c->parts->rss + c->parts->rss / 10)) {
		c->chosen = c->most;
		c->moment.is_estimate = true;
	}
	c->moment.stamp = c->chosen->stamp;
	c->moment.rss = c->chosen->rss;
	c->moment.has_parts = c->parts != NULL;
}

/* The account, when the heap of the moment is known. */
static void account(struct candidate *c)
{
	struct rss_moment *m = &c->moment;
	uint64_t left = m->rss;

	if (c->parts) {
		m->other = take(&left, c->parts->other);
		m->stack = take(&left, c->parts->stack);
		m->shmem = take(&left, c->parts->shmem);
		m->file = take(&left, c->parts->file);
	}
	if (m->is_estimate) {
		m->heap = take(&left, m->break_bytes);
		m->mapped = take(&left, m->malloc_mapped + m->program.bytes);
	} else {
		m->heap = take(&left, c->parts->heap);
		m->mapped = take(&left, c->parts->mapped);
	}
	m->unexplained = left;
}

static int by_moment(const void *a, const void *b)
{
	const struct candidate *const *x = a, *const *y = b;

	if ((*x)->chosen->stamp != (*y)->chosen->stamp)
		return (*x)->chosen->stamp < (*y)->chosen->stamp ? -1 : 1;
	return (*x > *y) - (*x < *y);
}

/* The first moment whose heap is not known yet, or UINT64_MAX. */
static uint64_t first_waiting(struct rss_moments *m)
{
	while (m->order_next < m->order_count && m->order[m->order_next]->moment.has_heap)
		m->order_next++;
	return m->order_next < m->order_count ? m->order[m->order_next]->chosen->stamp
					      : UINT64_MAX;
}

struct rss_moments *rss_moments_new(const struct recording *r, uint64_t since_stamp,
				    uint64_t until_stamp)
{
	struct rss_moments *m = xcalloc(1, sizeof(*m));

	m->r = r;
	m->candidates = xcalloc(r->image_count + 1, sizeof(*m->candidates));
	for (size_t i = 0; i < r->image_count; i++)
		idmap_add(&m->by_image, r->images[i].number, (uint32_t)i + 1);
	for (size_t i = 0; i < r->sample_count; i++) {
		struct candidate *c = candidate_of(m, r->samples[i].image);

		if (c && r->samples[i].stamp >= since_stamp &&
		    r->samples[i].stamp <= until_stamp)
			use_sample(c, &r->samples[i]);
	}
	m->order = xcalloc(r->image_count + 1, sizeof(*m->order));
	for (size_t i = 0; i < r->image_count; i++) {
		choose(&m->candidates[i], recording_is_outside(r));
		if (m->candidates[i].chosen)
			m->order[m->order_count++] = &m->candidates[i];
	}
	qsort(m->order, m->order_count, sizeof(*m->order), by_moment);
	return m;
}

void rss_moments_free(struct rss_moments *m)
{
	if (!m)
		return;
	idmap_release(&m->by_image);
	free(m->order);
	free(m->candidates);
	free(m);
}

static void keep_heap(struct rss_moment *moment, const struct heap *heap)
{
	moment->has_heap = true;
	moment->live = heap->live;
	moment->program = heap->mapped_live;
	moment->break_bytes = heap->break_start && heap->break_now > heap->break_start ?
			      heap->break_now - heap->break_start : 0;
	moment->malloc_mapped = heap->heap_mapped_live;
}

/* What block B of the change counts for. */
static struct amount weight_of(const struct change *change, const struct block *b)
{
	if (change->kind == KIND_HEAP)
		return replay_weight(change->heap, b);
	return (struct amount){ 1, b->size };
}

static void step_back(struct amount *amount, const struct change *change)
{
	struct amount w;

	if (change->acquired) {
		w = weight_of(change, &change->block);
		amount->blocks -= w.blocks;
		amount->bytes -= w.bytes;
	}
	if (change->released) {
		w = weight_of(change, &change->old);
		amount->blocks += w.blocks;
		amount->bytes += w.bytes;
	}
}

uint64_t rss_moments_watch(struct rss_moments *m, const struct event *event,
			   const struct change *change)
{
	struct candidate *c = m->last;

	if (event->image != m->last_image || !c) {
		c = candidate_of(m, event->image);
		m->last_image = event->image;
		m->last = c;
	}
	if (!c || c->moment.has_heap || !c->chosen || !change->heap ||
	    event->r.stamp <= c->chosen->stamp)
		return first_waiting(m);
	keep_heap(&c->moment, change->heap);
	step_back(change->kind == KIND_HEAP ? &c->moment.live : &c->moment.program, change);
	return first_waiting(m);
}

const struct rss_moment *rss_moments_of(struct rss_moments *m, const struct image *image,
					const struct heap *heap)
{
	struct candidate *c = candidate_of(m, image->number);
	bool is_alone = true;

	if (!c)
		return NULL;
	if (!c->moment.has_heap && c->chosen && heap && !recording_is_outside(m->r))
		keep_heap(&c->moment, heap);
	if (c->chosen)
		account(c);
	/* the kernel's maximum covers all programs that the process ran */
	for (size_t i = 0; i < m->r->image_count; i++)
		if (&m->r->images[i] != image && m->r->images[i].process == image->process)
			is_alone = false;
	if (is_alone && image->maxrss_bytes > c->moment.max_rss)
		c->moment.max_rss = image->maxrss_bytes;
	return &c->moment;
}
