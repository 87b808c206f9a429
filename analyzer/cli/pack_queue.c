/*
 * pack_queue.c - see pack_queue.h. A chain that is only added to and only taken whole needs no
 * more than a compare-and-swap: nothing of it can come back unseen between the two.
 */
#include "cli/pack_queue.h"

#include <stdlib.h>

#include "base/xmem.h"

/* Spare buffers kept, so that the heap of the recorder need not grow and shrink. */
#define SPARE_MAX 64
/* Larger ones are all of a slot's size and worth keeping. */
#define SMALL_MAX 4096

static void chain_add(struct pack_item **chain, struct pack_item *item)
{
	item->next = __atomic_load_n(chain, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(chain, &item->next, item, true, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED))
		;
}

static struct pack_item *chain_take(struct pack_item **chain)
{
	if (!__atomic_load_n(chain, __ATOMIC_RELAXED))
		return NULL;
	return __atomic_exchange_n(chain, NULL, __ATOMIC_ACQUIRE);
}

static void chain_free(struct pack_item *item)
{
	while (item) {
		struct pack_item *next = item->next;

		free(item);
		item = next;
	}
}

static uint64_t item_cost(const struct pack_item *item)
{
	return sizeof(*item) + item->bytes;
}

void pack_queue_init(struct pack_queue *q)
{
	*q = (struct pack_queue){ 0 };
	pthread_mutex_init(&q->lock, NULL);
}

void pack_queue_release(struct pack_queue *q)
{
	chain_free(q->spare);
	chain_free(q->oldest);
	chain_free(q->waiting);
	chain_free(q->done);
	pthread_mutex_destroy(&q->lock);
}

/* Keep or free what has been packed. With `lock` held. */
static void take_back(struct pack_queue *q)
{
	struct pack_item *item = chain_take(&q->done), *next;

	for (; item; item = next) {
		next = item->next;
		if (item->capacity <= SMALL_MAX || q->spare_count >= SPARE_MAX) {
			free(item);
			continue;
		}
		item->next = q->spare;
		q->spare = item;
		q->spare_count++;
	}
}

struct pack_item *pack_queue_item(struct pack_queue *q, size_t bytes)
{
	size_t capacity = bytes > SMALL_MAX ? (bytes + 65535) & ~(size_t)65535 : bytes;
	struct pack_item *item = NULL;

	pthread_mutex_lock(&q->lock);
	take_back(q);
	if (bytes > SMALL_MAX && q->spare && q->spare->capacity >= bytes) {
		item = q->spare;
		q->spare = item->next;
		q->spare_count--;
		capacity = item->capacity;
	}
	pthread_mutex_unlock(&q->lock);
	if (!item)
		item = xmalloc(sizeof(*item) + capacity);
	item->next = NULL;
	item->capacity = capacity;
	item->bytes = bytes;
	return item;
}

uint64_t pack_queue_put(struct pack_queue *q, struct pack_item *item)
{
	uint64_t number, bytes;

	pthread_mutex_lock(&q->lock);
	q->meta_count += item->is_meta;
	number = q->meta_count;
	bytes = __atomic_add_fetch(&q->bytes, item_cost(item), __ATOMIC_RELAXED);
	if (bytes > q->peak)
		q->peak = bytes;
	chain_add(&q->waiting, item);
	pthread_mutex_unlock(&q->lock);
	return number;
}

struct pack_item *pack_queue_take(struct pack_queue *q)
{
	struct pack_item *item;

	if (!q->oldest) {
		struct pack_item *chain = chain_take(&q->waiting), *next;

		for (; chain; chain = next) {
			next = chain->next;
			chain->next = q->oldest;
			q->oldest = chain;
		}
	}
	item = q->oldest;
	if (item)
		q->oldest = item->next;
	return item;
}

void pack_queue_done(struct pack_queue *q, struct pack_item *item)
{
	__atomic_sub_fetch(&q->bytes, item_cost(item), __ATOMIC_RELAXED);
	chain_add(&q->done, item);
}

uint64_t pack_queue_bytes(const struct pack_queue *q)
{
	return __atomic_load_n(&q->bytes, __ATOMIC_RELAXED);
}

uint64_t pack_queue_peak(struct pack_queue *q)
{
	uint64_t peak;

	pthread_mutex_lock(&q->lock);
	peak = q->peak;
	pthread_mutex_unlock(&q->lock);
	return peak;
}
