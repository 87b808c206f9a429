/*
 * fuzz_replay.c - target: any bytes as events for the model. Nothing may crash, and
 * the sums must agree.
 *
 * Each event is taken from 8 bytes, so that the fuzzer can move, repeat and drop
 * events: stream and kind, time, address, size, and four of arguments.
 */
#include "fixture/story.h"
#include "fuzz/fuzz.h"
#include "model/findings.h"

/* A few numbers that meet, and a few that are far out. */
static uint64_t number_of(uint8_t byte)
{
	if (byte < 64)
		return byte * 16;
	if (byte < 192)
		return (uint64_t)(byte - 64) << 12;
	return UINT64_MAX >> (byte & 63);
}

static void feed(struct story *s, const uint8_t *d, uint64_t stamp)
{
	struct record *r = &s->event.r;

	*r = (struct record){
		.addr = number_of(d[2]),
		.size = number_of(d[3]),
		.nmemb = number_of(d[4]),
		.usable = number_of(d[5]),
		.result = (int64_t)number_of(d[6]),
		.count = number_of(d[6]),
		.duration = number_of(d[6]),
		.func = d[7] % FUNC_COUNT,
		.cls = d[7] % CLASS_COUNT,
		.number = d[5] % SYS_MEM_COUNT,
		.flags = d[7] & 7,
		.thread = d[7] >> 7,
		.args = {
			number_of(d[2]), number_of(d[3]), number_of(d[4]), number_of(d[6]),
			number_of(d[7]),
		},
	};
	s->event.stack = d[4] % 8;
	story_step(s, d[0] >> 4 & 7, stamp, (enum event_kind)(d[0] & 15));
}

static void check(const struct story *s)
{
	for (size_t i = 0; i < replay_heap_count(s->replay); i++) {
		const struct heap *h = replay_heap(s->replay, i);
		struct amount live[KIND_COUNT] = { { 0 } };

		for (size_t k = 0; k < h->site_count; k++) {
			live[h->sites[k].kind].blocks += h->sites[k].live.blocks;
			live[h->sites[k].kind].bytes += h->sites[k].live.bytes;
		}
		if (live[KIND_HEAP].blocks != h->live.blocks ||
		    live[KIND_HEAP].bytes != h->live.bytes ||
		    live[KIND_MAPPING].blocks != h->mapped_live.blocks ||
		    live[KIND_MAPPING].bytes != h->mapped_live.bytes ||
		    h->inherited_blocks + h->total.blocks - h->freed.blocks != h->live.blocks)
			abort();
	}
}

static void visit(const struct block *b, void *ctx)
{
	*(uint64_t *)ctx += b->size;
}

int fuzz_replay(const uint8_t *data, size_t size)
{
	struct story *s;
	uint64_t stamp = 0, sum = 0;

	if (size < 4)
		return 0;
	s = story_new(data[0] & 3);
	/* each stream belongs to one of four images, three of which fork from any */
	for (uint32_t i = 2; i <= 4; i++)
		story_image(s, i, 1 + (data[i - 1] & 3), data[i - 1] * 16, data[i - 1] * 64);
	for (uint32_t i = 0; i < 8; i++)
		story_stream(s, i, 1 + i % 4);
	story_replay(s);
	for (size_t at = 4; at + 8 <= size; at += 8) {
		stamp += data[at + 1] & 128 ? (uint64_t)data[at + 1] << 4 : data[at + 1] & 3;
		feed(s, data + at, stamp);
	}
	story_end(s, 1);
	check(s);
	for (size_t i = 0; i < replay_heap_count(s->replay); i++) {
		const struct heap *h = replay_heap(s->replay, i);

		replay_each_live(s->replay, h, visit, &sum);
		replay_each_mapping(s->replay, h, visit, &sum);
		findings_free(findings_new(&s->recording, h, NULL, NULL));
	}
	story_free(s);
	return 0;
}
