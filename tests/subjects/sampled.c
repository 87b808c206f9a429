/*
 * sampled.c - a program whose heap is known by heart, for estimates to be compared
 * with: blocks of four kinds of sizes, some of which it keeps.
 * usage: sampled ROUNDS
 * A round acquires, from one function each: 100 blocks of 64 bytes (10 kept), 20 of
 * 2000 by calloc (2 kept), one of 4096 that realloc makes 12288 (none kept), and every
 * tenth round one of 300000 (kept every hundredth round). Prints blocks, bytes, blocks
 * kept and bytes kept: a realloc is one block and its new size, as in DHAT.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct sum { uint64_t blocks, bytes; };

static struct sum total, kept;
static void *volatile keeper;

static void count(struct sum *s, size_t size)
{
	s->blocks++;
	s->bytes += size;
}

__attribute__((noinline)) static void small_blocks(void)
{
	void *blocks[100];

	for (int i = 0; i < 100; i++) {
		blocks[i] = malloc(64);
		count(&total, 64);
	}
	for (int i = 0; i < 90; i++)
		free(blocks[i]);
	for (int i = 90; i < 100; i++) {
		keeper = blocks[i];
		count(&kept, 64);
	}
}

__attribute__((noinline)) static void middle_blocks(void)
{
	void *blocks[20];

	for (int i = 0; i < 20; i++) {
		blocks[i] = calloc(20, 100);
		count(&total, 2000);
	}
	for (int i = 0; i < 18; i++)
		free(blocks[i]);
	for (int i = 18; i < 20; i++) {
		keeper = blocks[i];
		count(&kept, 2000);
	}
}

__attribute__((noinline)) static void resized_block(void)
{
	void *block = malloc(4096);

	count(&total, 4096);
	block = realloc(block, 12288);
	count(&total, 12288);
	free(block);
}

__attribute__((noinline)) static void large_block(int round)
{
	void *block = malloc(300000);

	count(&total, 300000);
	if (round % 100 == 0) {
		keeper = block;
		count(&kept, 300000);
	} else {
		free(block);
	}
}

int main(int argc, char **argv)
{
	int rounds = argc == 2 ? atoi(argv[1]) : 0;

	if (rounds < 1)
		return 2;
	for (int i = 0; i < rounds; i++) {
		small_blocks();
		middle_blocks();
		resized_block();
		if (i % 10 == 0)
			large_block(i);
	}
	printf("%llu %llu %llu %llu\n", (unsigned long long)total.blocks,
	       (unsigned long long)total.bytes, (unsigned long long)kept.blocks,
	       (unsigned long long)kept.bytes);
	return 3;
}
