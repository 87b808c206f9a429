/* What waits for the packer: in order, counted, by several threads at once. */
#include "cli/pack_queue.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static uint64_t put(struct pack_queue *q, size_t bytes, bool is_meta, uint32_t mark)
{
	struct pack_item *item = pack_queue_item(q, bytes);

	assert_int_equal(item->bytes, bytes);
	assert_true(item->capacity >= bytes);
	item->is_meta = is_meta;
	item->header.sequence = mark;
	memset(item->data, (int)mark, bytes);
	return pack_queue_put(q, item);
}

static uint32_t take(struct pack_queue *q)
{
	struct pack_item *item = pack_queue_take(q);
	uint32_t mark = item ? item->header.sequence : UINT32_MAX;

	if (item)
		pack_queue_done(q, item);
	return mark;
}

TEST(test_pack_queue_gives_the_oldest_first)
{
	struct pack_queue q;

	pack_queue_init(&q);
	assert_null(pack_queue_take(&q));
	put(&q, 10, true, 0);
	put(&q, 60000, false, 1);
	put(&q, 20, true, 2);
	assert_int_equal(take(&q), 0);
	put(&q, 60000, false, 3);
	for (uint32_t i = 1; i < 4; i++)
		assert_int_equal(take(&q), i);
	assert_null(pack_queue_take(&q));
	put(&q, 1, true, 4);
	assert_int_equal(take(&q), 4);
	pack_queue_release(&q);
}

TEST(test_pack_queue_numbers_metadata_from_one)
{
	struct pack_queue q;

	pack_queue_init(&q);
	assert_int_equal(put(&q, 10, true, 0), 1);
	assert_int_equal(put(&q, 10, false, 0), 1);
	assert_int_equal(put(&q, 10, true, 0), 2);
	pack_queue_release(&q);
}

TEST(test_pack_queue_counts_an_item_until_it_is_done)
{
	struct pack_item *item;
	struct pack_queue q;

	pack_queue_init(&q);
	put(&q, 1000, true, 0);
	put(&q, 60000, false, 0);
	assert_int_equal(pack_queue_bytes(&q), 61000 + 2 * sizeof(struct pack_item));
	item = pack_queue_take(&q);
	assert_int_equal(pack_queue_bytes(&q), 61000 + 2 * sizeof(struct pack_item));
	pack_queue_done(&q, item);
	assert_int_equal(pack_queue_bytes(&q), 60000 + sizeof(struct pack_item));
	take(&q);
	assert_int_equal(pack_queue_bytes(&q), 0);
	assert_int_equal(pack_queue_peak(&q), 61000 + 2 * sizeof(struct pack_item));
	pack_queue_release(&q);
}

TEST(test_pack_queue_buffers_of_segments_are_used_again)
{
	struct pack_item *first;
	struct pack_queue q;

	pack_queue_init(&q);
	put(&q, 60000, false, 0);
	first = pack_queue_take(&q);
	pack_queue_done(&q, first);
	assert_ptr_equal(pack_queue_item(&q, 50000), first);
	/* not by what is larger */
	pack_queue_done(&q, first);
	free(pack_queue_item(&q, 100000));
	pack_queue_release(&q);
}

#define PRODUCERS 3
#define EACH 20000u

struct producer {
	struct pack_queue *q;
	uint32_t number;
};

static void *produce(void *arg)
{
	struct producer *p = arg;

	for (uint32_t i = 0; i < EACH; i++) {
		put(p->q, i % 16 ? 24 : 5000, i % 2, p->number * EACH + i);
		/* as drainers do: more than some hundred need not wait */
		while (pack_queue_bytes(p->q) > 1000000)
			sched_yield();
	}
	return NULL;
}

TEST(test_pack_queue_of_several_threads_loses_nothing_and_keeps_each_ones_order)
{
	uint32_t next[PRODUCERS] = { 0 }, taken = 0;
	struct producer producers[PRODUCERS];
	pthread_t threads[PRODUCERS];
	struct pack_queue q;

	pack_queue_init(&q);
	for (uint32_t i = 0; i < PRODUCERS; i++) {
		producers[i] = (struct producer){ &q, i };
		assert_int_equal(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
	}
	while (taken < PRODUCERS * EACH) {
		struct pack_item *item = pack_queue_take(&q);
		uint32_t mark;

		if (!item) {
			sched_yield();
			continue;
		}
		mark = item->header.sequence;
		assert_int_equal(mark % EACH, next[mark / EACH]++);
		assert_int_equal(item->data[item->bytes - 1], (uint8_t)mark);
		pack_queue_done(&q, item);
		taken++;
	}
	for (uint32_t i = 0; i < PRODUCERS; i++)
		pthread_join(threads[i], NULL);
	assert_null(pack_queue_take(&q));
	assert_int_equal(pack_queue_bytes(&q), 0);
	assert_int_equal(q.meta_count, PRODUCERS * EACH / 2);
	pack_queue_release(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pack_queue_gives_the_oldest_first),
		cmocka_unit_test(test_pack_queue_numbers_metadata_from_one),
		cmocka_unit_test(test_pack_queue_counts_an_item_until_it_is_done),
		cmocka_unit_test(test_pack_queue_buffers_of_segments_are_used_again),
		cmocka_unit_test(test_pack_queue_of_several_threads_loses_nothing_and_keeps_each_ones_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
