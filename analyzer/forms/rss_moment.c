/*
 * rss_moment.c - joins the samples of /proc with the replayed heap. A sample lies
 * between two events; the heap taken is the one before the first event after it.
 */
#include "forms/rss_moment.h"

#include <stdlib.h>

#include "base/idmap.h"
#include "base/xmem.h"

struct rss_moments {
	const struct recording *r;
	struct rss_moment *moments;   /* by index of the image */
	struct idmap by_image;        /* number -> index + 1 */
	uint32_t last_image;          /* of the last event, and its moment */
	struct rss_moment *last;
};

static struct rss_moment *moment_of(struct rss_moments *m, uint32_t image)
{
	uint32_t at = idmap_find(&m->by_image, image);

	return at ? &m->moments[at - 1] : NULL;
}

static void use_sample(struct rss_moment *moment, const struct memory_sample *s)
{
	uint64_t parts = s->heap + s->mapped + s->stack + s->file + s->shmem + s->other;

	if (s->rss > moment->max_rss)
		moment->max_rss = s->rss;
	if (!s->has_parts || (moment->sample && moment->sample->rss >= s->rss))
		return;
	moment->sample = s;
	moment->unexplained = s->rss > parts ? s->rss - parts : 0;
}

struct rss_moments *rss_moments_new(const struct recording *r, uint64_t since_stamp,
				    uint64_t until_stamp)
{
	struct rss_moments *m = xcalloc(1, sizeof(*m));

	m->r = r;
	m->moments = xcalloc(r->image_count + 1, sizeof(*m->moments));
	for (size_t i = 0; i < r->image_count; i++)
		idmap_add(&m->by_image, r->images[i].number, (uint32_t)i + 1);
	for (size_t i = 0; i < r->sample_count; i++) {
		struct rss_moment *moment = moment_of(m, r->samples[i].image);

		if (moment && r->samples[i].stamp >= since_stamp &&
		    r->samples[i].stamp <= until_stamp)
			use_sample(moment, &r->samples[i]);
	}
	return m;
}

void rss_moments_free(struct rss_moments *m)
{
	if (!m)
		return;
	idmap_release(&m->by_image);
	free(m->moments);
	free(m);
}

static void keep_heap(struct rss_moment *moment, const struct heap *heap)
{
	moment->has_heap = true;
	moment->live = heap->live;
	moment->mapped = heap->mapped_live;
	moment->break_bytes = heap->break_start && heap->break_now > heap->break_start ?
			      heap->break_now - heap->break_start : 0;
	moment->malloc_mapped = heap->heap_mapped_live;
}

static void step_back(struct amount *amount, const struct change *change)
{
	if (change->acquired) {
		amount->blocks -= 1;
		amount->bytes -= change->block.size;
	}
	if (change->released) {
		amount->blocks += 1;
		amount->bytes += change->old.size;
	}
}

void rss_moments_watch(struct rss_moments *m, const struct event *event,
		       const struct change *change)
{
	struct rss_moment *moment = m->last;

	if (event->image != m->last_image || !moment) {
		moment = moment_of(m, event->image);
		m->last_image = event->image;
		m->last = moment;
	}
	if (!moment || moment->has_heap || !moment->sample || !change->heap ||
	    event->r.stamp <= moment->sample->stamp)
		return;
	keep_heap(moment, change->heap);
	step_back(change->kind == KIND_HEAP ? &moment->live : &moment->mapped, change);
}

const struct rss_moment *rss_moments_of(struct rss_moments *m, const struct image *image,
					const struct heap *heap)
{
	struct rss_moment *moment = moment_of(m, image->number);
	const struct image *other;

	if (!moment)
		return NULL;
	if (!moment->has_heap && moment->sample && heap)
		keep_heap(moment, heap);
	/* the kernel's maximum covers all programs that the process ran */
	for (size_t i = 0; i < m->r->image_count; i++) {
		other = &m->r->images[i];
		if (other != image && other->pid == image->pid)
			return moment;
	}
	if (image->maxrss_bytes > moment->max_rss)
		moment->max_rss = image->maxrss_bytes;
	return moment;
}
