/*
 * leaks - loses memory in known ways, from stacks of its own: lost blocks, blocks that only
 * lost blocks point to, blocks that something points to still, by each function of the allocator,
 * in recursion and in a thread. "leaks lost": only what nothing points to, and nothing is
 * printed, for LeakSanitizer.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define KEEP __attribute__((noinline, noclone))

struct item {
	struct item *next;
	char name[24];
};

void *kept[8];                 /* still reachable */
static unsigned char *volatile interior;

KEEP void lose(void *volatile p)
{
	p = NULL;
	(void)p;
}

KEEP void lose_blocks(int count)
{
	for (int i = 0; i < count; i++)
		lose(malloc(100));
}

KEEP void lose_table(void)
{
	lose(calloc(7, 30));
}

KEEP void lose_text(void)
{
	lose(strdup("a text that nobody frees"));
}

KEEP void lose_grown(void)
{
	char *p = malloc(10);

	p = realloc(p, 5000);
	lose(p);
}

KEEP void lose_aligned(void)
{
	void *p = NULL;

	if (posix_memalign(&p, 64, 200) == 0)
		lose(p);
	lose(aligned_alloc(32, 96));
}

/* The first item is lost directly, the others by it. */
KEEP void lose_list(int count)
{
	struct item *first = NULL;

	while (count-- > 0) {
		struct item *item = malloc(sizeof(*item));

		item->next = first;
		memset(item->name, 0, sizeof(item->name));
		first = item;
	}
	lose(first);
}

KEEP void lose_deep(int depth)
{
	if (depth == 0)
		lose(malloc(48));
	else
		lose_deep(depth - 1);
	/* no tail call: the stack is what is compared */
	__asm__ volatile("" ::: "memory");
}

KEEP void keep_some(void)
{
	for (int i = 0; i < 8; i++)
		kept[i] = malloc(32 + (size_t)(i & 1));
	interior = (unsigned char *)malloc(64) + 16;
}

static void *work(void *arg)
{
	lose_blocks(2);
	return arg;
}

/* Pointers that calls left on the stack would be found by a leak checker. */
KEEP void clear_stack(void)
{
	volatile char room[32768];

	for (size_t i = 0; i < sizeof(room); i++)
		room[i] = 0;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	lose_blocks(3);
	lose_table();
	lose_text();
	lose_grown();
	lose_aligned();
	lose_deep(5);
	free(malloc(1000));
	if (argc < 2 || strcmp(argv[1], "lost") != 0) {
		lose_list(4);
		keep_some();
		pthread_create(&thread, NULL, work, NULL);
		pthread_join(thread, NULL);
	}
	clear_stack();
	return 0;
}
