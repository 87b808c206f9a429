/*
 * int_blocks.c - the storm: what CPython 2.7 does for range(10000000), without
 * Python. Integers live in blocks of 992 bytes (a pointer and 41 objects of 24
 * bytes), a list of pointers to them in one block of 80,000,000 bytes; at the
 * end the blocks are freed backwards.
 *
 * usage: int_blocks [INTEGERS]
 *
 * Look for: the one size that makes nearly all calls (allotrope sizes), its one
 * call stack (allotrope sites), and the program break moving (allotrope summary).
 * Then once more with GLIBC_TUNABLES=glibc.malloc.tcache_count=0: without the
 * cached blocks at the top of the heap each free gives memory back by itself.
 */
#include <stdio.h>
#include <stdlib.h>

#define INTS_PER_BLOCK 41

struct int_object {
	long references;
	void *type;
	long value;
};

struct int_block {
	struct int_block *next;
	struct int_object objects[INTS_PER_BLOCK];
};

static struct int_block *blocks;
static struct int_object *free_list;

/* One more block of integers; its objects are linked through `type`. */
__attribute__((noinline)) static struct int_object *fill_free_list(void)
{
	struct int_block *block = malloc(sizeof(*block));

	if (!block)
		return NULL;
	block->next = blocks;
	blocks = block;
	for (int i = 0; i < INTS_PER_BLOCK; i++)
		block->objects[i].type = i > 0 ? &block->objects[i - 1] : NULL;
	return &block->objects[INTS_PER_BLOCK - 1];
}

__attribute__((noinline)) static struct int_object *int_from_long(long value)
{
	struct int_object *object;

	if (!free_list) {
		free_list = fill_free_list();
		if (!free_list)
			return NULL;
	}
	object = free_list;
	free_list = object->type;
	object->references = 1;
	object->value = value;
	return object;
}

__attribute__((noinline)) static struct int_object **make_range(long count)
{
	struct int_object **list = malloc((size_t)count * sizeof(*list));

	for (long i = 0; list && i < count; i++) {
		list[i] = int_from_long(i);
		if (!list[i])
			return NULL;
	}
	return list;
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 10 * 1000 * 1000;
	struct int_object **list;
	long last;

	if (count < 1) {
		fprintf(stderr, "usage: int_blocks [INTEGERS]\n");
		return 2;
	}
	list = make_range(count);
	if (!list) {
		perror("malloc");
		return 1;
	}
	last = list[count - 1]->value;
	free(list);
	while (blocks) { /* newest first: from the top of the heap down */
		struct int_block *next = blocks->next;

		free(blocks);
		blocks = next;
	}
	/* not earlier: the buffer of stdout would lie on top of the blocks and pin the heap */
	printf("%ld\n", last);
	return 0;
}
