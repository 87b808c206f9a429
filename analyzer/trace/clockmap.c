/*
 * clockmap.c - how long is a tick? For CLOCK_MONOTONIC it is known; for the
 * processor's counter it follows from two moments at which both the counter
 * and a real clock were read. The counter is the same for the whole machine, so
 * all processes' samples count, and the two that lie furthest apart are the best.
 */
#include <math.h>

#include "trace/recording_parts.h"
#include "varint.h"

/* A sample is read within about a microsecond: a thousandth of this. */
#define BASELINE_MIN_NS 1e6
/* Without any sample: 3 GHz. */
#define GUESS_NS_PER_CYCLE (1.0 / 3.0)

struct sample {
	uint64_t stamp, ns;
};

/* The first and the last sample of one clock. */
struct span {
	struct sample first, last;
	size_t count;
};

static void span_add(struct span *s, uint64_t stamp, uint64_t ns)
{
	struct sample sample = { stamp, ns };

	if (!stamp || !ns)
		return;
	if (!s->count || stamp < s->first.stamp)
		s->first = sample;
	if (!s->count || stamp > s->last.stamp)
		s->last = sample;
	s->count++;
}

/* Nanoseconds between the two, 0 where they do not make sense together. */
static double span_ns(const struct span *s)
{
	if (s->count < 2 || s->last.ns <= s->first.ns || s->last.stamp <= s->first.stamp)
		return 0;
	return (double)(s->last.ns - s->first.ns);
}

static double span_rate(const struct span *s)
{
	return span_ns(s) / (double)(s->last.stamp - s->first.stamp);
}

static void gather(const struct recording *r, struct span *monotonic, struct span *realtime)
{
	const struct recording_sources *src = r->sources;

	for (size_t i = 0; i < src->meta_count; i++) {
		const struct meta_record *m = &src->meta[i];
		const uint8_t *p = m->payload, *end = p + m->bytes;
		uint64_t field[4] = { 0 };

		if (m->kind != META_CLOCK)
			continue;
		for (int k = 0; k < 4 && p; k++)
			p = varint_get(p, end, &field[k]);
		span_add(monotonic, field[1], field[2]);
		span_add(realtime, field[1], field[3]);
	}
	span_add(realtime, r->head.start_stamp, r->head.wall_ns);
}

/* From 1 MHz (an ARM counter) to 20 GHz. */
static bool is_plausible(const struct recording *r, double rate)
{
	double cycle = ldexp(rate, -(int)r->head.stamp_shift);

	return cycle > 0.05 && cycle < 1000;
}

void clockmap_find(struct recording *r)
{
	struct span monotonic = { 0 }, realtime = { 0 };
	double rate = 0, baseline;

	if (r->head.stamp_shift > 32)
		r->head.stamp_shift = 0;
	r->clock_is_estimate = false;
	if (r->head.clock == CLOCK_KIND_MONOTONIC) {
		r->ns_per_tick = ldexp(1, r->head.stamp_shift);
		return;
	}
	if (r->head.ticks_per_second) {
		rate = 1e9 / (double)r->head.ticks_per_second;
		if (is_plausible(r, rate)) {
			r->ns_per_tick = rate;
			return;
		}
	}
	gather(r, &monotonic, &realtime);
	baseline = span_ns(&monotonic);
	if (baseline > 0)
		rate = span_rate(&monotonic);
	/* the real time clock can be set: only where the other one says too little */
	if (baseline < BASELINE_MIN_NS && span_ns(&realtime) > baseline) {
		baseline = span_ns(&realtime);
		rate = span_rate(&realtime);
	}
	if (baseline <= 0 || !is_plausible(r, rate)) {
		rate = ldexp(GUESS_NS_PER_CYCLE, r->head.stamp_shift);
		baseline = 0;
	}
	r->ns_per_tick = rate;
	r->clock_is_estimate = baseline < BASELINE_MIN_NS;
}
