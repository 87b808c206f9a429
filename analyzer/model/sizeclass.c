/*
 * sizeclass.c - see sizeclass.h. Arithmetic only; the steps of the large bins
 * are a table of what largebin_index_64 computes.
 */
#include "model/sizeclass.h"

#define CHUNK_MIN 32u         /* MINSIZE */
#define CHUNK_ALIGN 16u       /* MALLOC_ALIGNMENT */
#define CHUNK_HEADER 8u       /* SIZE_SZ: the other header word is the last block's */
#define FAST_CHUNK_MAX 128u   /* DEFAULT_MXFAST */
#define TCACHE_CHUNK_MAX 1040u /* TCACHE_MAX_BINS = 64 */
#define LARGE_CHUNK_MIN 1024u /* MIN_LARGE_SIZE */
#define ORDER_LARGE 1000u
#define ORDER_MAPPED 100000u

/*
 * Large bins are STEP bytes wide for chunks below LIMIT; the first step begins at
 * 1024. The limits are where the bin number changes: largebin_index_64 gives 120
 * for chunks of 40960 bytes and for those of 45056, and 126 from 524288 on.
 */
static const struct { uint64_t step, limit; } large_steps[] = {
	{ 64, 3136 },
	{ 512, 10752 },
	{ 4096, 40960 },
	{ 32768, 163840 },
	{ 262144, 524288 },
};
#define LARGE_STEPS (sizeof(large_steps) / sizeof(large_steps[0]))

uint64_t size_class_chunk(uint64_t request)
{
	uint64_t chunk;

	if (request > UINT64_MAX - CHUNK_HEADER - CHUNK_ALIGN)
		return UINT64_MAX & ~(uint64_t)(CHUNK_ALIGN - 1);
	chunk = (request + CHUNK_HEADER + CHUNK_ALIGN - 1) &
		~(uint64_t)(CHUNK_ALIGN - 1);
	return chunk < CHUNK_MIN ? CHUNK_MIN : chunk;
}

/* The smallest and the largest request that ends in these chunks. */
static void set_requests(struct size_class *c)
{
	c->min_request = c->min_chunk <= CHUNK_MIN ? 0 :
			 c->min_chunk - CHUNK_HEADER - CHUNK_ALIGN + 1;
	c->max_request = c->max_chunk == UINT64_MAX ? UINT64_MAX :
			 c->max_chunk - CHUNK_HEADER;
}

static void set_large(struct size_class *c, uint64_t chunk)
{
	uint64_t begin = LARGE_CHUNK_MIN;

	c->bin = BIN_LARGE;
	c->order = ORDER_LARGE;
	for (size_t i = 0; i < LARGE_STEPS; i++) {
		uint64_t step = large_steps[i].step, limit = large_steps[i].limit;
		uint64_t low = chunk & ~(step - 1);

		if (chunk < limit) {
			c->min_chunk = low < begin ? begin : low;
			c->max_chunk = (low + step < limit ? low + step : limit) -
				       CHUNK_ALIGN;
			c->order += (uint32_t)(low / step);
			break;
		}
		begin = limit;
		c->order += 1000;
		c->min_chunk = limit;
		c->max_chunk = UINT64_MAX;
	}
	/* the first large bin holds two sizes that tcache takes, and others */
	if (chunk <= TCACHE_CHUNK_MAX) {
		c->in_tcache = true;
		c->max_chunk = TCACHE_CHUNK_MAX;
	} else if (c->min_chunk <= TCACHE_CHUNK_MAX) {
		c->min_chunk = TCACHE_CHUNK_MAX + CHUNK_ALIGN;
		c->order++;
	} else {
		c->order++;
	}
}

struct size_class size_class_of(uint64_t request, uint64_t mmap_threshold)
{
	uint64_t chunk = size_class_chunk(request);
	uint64_t mapped = mmap_threshold > CHUNK_MIN ?
			  ((mmap_threshold - 1) | (CHUNK_ALIGN - 1)) + 1 : CHUNK_MIN;
	struct size_class c = { 0 };

	if (mmap_threshold && chunk >= mapped) {
		c.bin = BIN_MAPPED;
		c.order = ORDER_MAPPED;
		c.min_chunk = mapped;
		c.max_chunk = UINT64_MAX;
		set_requests(&c);
		return c;
	}
	if (chunk < LARGE_CHUNK_MIN) {
		c.bin = chunk <= FAST_CHUNK_MAX ? BIN_FAST : BIN_SMALL;
		c.in_tcache = true;
		c.order = (uint32_t)(chunk / CHUNK_ALIGN);
		c.min_chunk = c.max_chunk = chunk;
	} else {
		set_large(&c, chunk);
	}
	if (mmap_threshold && c.max_chunk >= mapped)
		c.max_chunk = mapped - CHUNK_ALIGN;
	set_requests(&c);
	return c;
}

const char *size_class_bin_name(enum size_class_bin bin)
{
	static const char *const names[BIN_COUNT] = {
		[BIN_FAST] = "fast",
		[BIN_SMALL] = "small",
		[BIN_LARGE] = "large",
		[BIN_MAPPED] = "mapped",
	};

	return (unsigned)bin < BIN_COUNT ? names[bin] : "unknown";
}
