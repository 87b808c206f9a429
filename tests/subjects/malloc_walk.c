/*
 * malloc_walk.c - allocates, resizes and frees blocks of all sizes at random, sets malloc's
 * parameters on the way, and says what malloc did each time: whether a block is a mapping of its
 * own (bit 1 of the word before it), and whether the break went up or down.
 *
 *	malloc_walk SEED OPTIONS    OPTIONS: a sum of enum option
 */
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SLOTS 200
#define STEPS 3000

enum option {
	SMALL_THRESHOLD = 1, SMALL_TRIM = 2, FEW_MAPPINGS = 4, NO_PAD = 8, LARGE_THRESHOLD = 16,
	TRIMS = 32, SETS_TRIM = 64, SETS_THRESHOLD = 128, ONE_ARENA = 256,
};

static struct { unsigned heap, brk, mapped, kept, trimmed, unmapped; } done;
static uint64_t state;

static unsigned dice(unsigned sides)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 20) % sides;
}

static int is_mapped(const void *block)
{
	return block && (((const size_t *)block)[-1] & 2) != 0;
}

static void count_acquire(const void *block, const char *before)
{
	if (is_mapped(block))
		done.mapped++;
	else if ((char *)sbrk(0) > before)
		done.brk++;
	else
		done.heap++;
}

static void count_release(int was_mapped, const char *before)
{
	if (was_mapped)
		done.unmapped++;
	else if ((char *)sbrk(0) < before)
		done.trimmed++;
	else
		done.kept++;
}

static void step(void **slot, unsigned options)
{
	size_t size = 1 + dice(1u << (4 + dice(19)));
	int was_mapped = is_mapped(*slot);
	char *before = sbrk(0);
	void *old = *slot;

	switch (old ? dice(4) : 4 + dice(3)) {
	case 0:
	case 1:
	case 2:
		free(old);
		*slot = NULL;
		count_release(was_mapped, before);
		break;
	case 3:
		/* one that moves frees what it leaves, after it: that free is not looked at here */
		if (malloc_usable_size(old) < size)
			break;
		*slot = realloc(old, size);
		count_acquire(*slot, before);
		if (*slot != old && !was_mapped)
			done.kept++;
		break;
	case 4:
		*slot = malloc(size);
		count_acquire(*slot, before);
		break;
	case 5:
		*slot = calloc(1, size);
		count_acquire(*slot, before);
		break;
	default:
		if ((options & TRIMS) && dice(10) == 0)
			malloc_trim(0);
		if ((options & SETS_TRIM) && dice(20) == 0)
			mallopt(M_TRIM_THRESHOLD, 1 + (int)dice(400000));
		if ((options & SETS_THRESHOLD) && dice(20) == 0)
			mallopt(M_MMAP_THRESHOLD, 40000 + (int)dice(400000));
		break;
	}
}

int main(int argc, char **argv)
{
	unsigned options = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
	void *slots[SLOTS] = { 0 };
	char line[200];

	state = (argc > 1 ? strtoull(argv[1], NULL, 10) : 1) * 2654435761u + 1;
	if (options & SMALL_THRESHOLD)
		mallopt(M_MMAP_THRESHOLD, 30000);
	if (options & SMALL_TRIM)
		mallopt(M_TRIM_THRESHOLD, 20000);
	if (options & FEW_MAPPINGS)
		mallopt(M_MMAP_MAX, 5);
	if (options & NO_PAD)
		mallopt(M_TOP_PAD, 0);
	if (options & LARGE_THRESHOLD)
		mallopt(M_MMAP_THRESHOLD, 3000000);
	if (options & ONE_ARENA)
		mallopt(M_ARENA_MAX, 1);
	for (int i = 0; i < STEPS; i++)
		step(&slots[dice(SLOTS)], options);
	/* no stdio: its buffer would be one more block */
	snprintf(line, sizeof(line), "heap %u brk %u mapped %u kept %u trimmed %u unmapped %u\n",
		 done.heap, done.brk, done.mapped, done.kept, done.trimmed, done.unmapped);
	if (write(1, line, __builtin_strlen(line)) < 0)
		return 1;
	_exit(0);
}
