/*
 * fuzz_records.c - target: the records of one segment, and the two readers of
 * varints against each other.
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "record_codec.h"

static void check_record(const struct decoder *d, const struct record *r,
			 const uint8_t *payload, uint64_t last_stamp)
{
	FUZZ_CHECK(r->kind >= EVENT_ALLOC && r->kind < EVENT_KIND_COUNT);
	FUZZ_CHECK(r->stamp >= last_stamp);
	FUZZ_CHECK(d->p > payload && d->p <= d->end);
	FUZZ_CHECK(d->depth <= DEPTH_MAX + 1 && r->push <= d->depth);
	FUZZ_CHECK(r->func < FUNC_COUNT && r->cls < CLASS_COUNT);
	for (uint32_t i = 0; i < r->push; i++)
		FUZZ_CHECK(d->frames[i].type < 4);
	if (r->kind == EVENT_SYSCALL_BEGIN || r->kind == EVENT_SYSCALL_END)
		FUZZ_CHECK(r->number < SYS_MEM_COUNT);
	if (r->kind == EVENT_MARK || r->kind == EVENT_EXTENDED)
		FUZZ_CHECK(r->name >= payload && r->name + r->name_bytes <= d->end);
	FUZZ_CHECK(record_bytes(r) >= r->size || r->nmemb == 0);
}

static void check_varints(const uint8_t *p, const uint8_t *end)
{
	for (; p < end; p++) {
		uint64_t slow, fast;
		const uint8_t *after_slow = varint_get(p, end, &slow);
		const uint8_t *after_fast = varint_get_fast(p, end, &fast);

		FUZZ_CHECK(after_slow == after_fast && slow == fast);
	}
}

int fuzz_records(const uint8_t *data, size_t size)
{
	static struct decoder d;
	uint64_t last_stamp = size ? (uint64_t)data[0] << 56 : 0;
	uint8_t *payload = malloc(size ? size : 1);
	struct record r;
	int more;

	FUZZ_CHECK(payload != NULL);
	if (size)
		memcpy(payload, data, size);
	check_varints(payload, payload + size);
	/* the first byte is only a stamp: overflows at the end of time */
	decoder_init(&d, payload + (size ? 1 : 0), size ? size - 1 : 0, last_stamp, 1);
	while ((more = record_decode(&d, &r)) > 0) {
		check_record(&d, &r, payload, last_stamp);
		last_stamp = r.stamp;
	}
	FUZZ_CHECK(more < 0 || d.p == d.end);
	free(payload);
	return 0;
}
