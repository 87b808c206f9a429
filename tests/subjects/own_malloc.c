/* own_malloc - an executable with an allocator of its own, seen by all its libraries. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static char arena[1 << 20];
static size_t used;

void *malloc(size_t size)
{
	char *p = arena + used;

	used += (size + 31) & ~(size_t)15;
	return used <= sizeof(arena) ? p + 16 : NULL;
}

void *calloc(size_t nmemb, size_t size)
{
	return malloc(nmemb * size);
}

void *realloc(void *old, size_t size)
{
	void *p = malloc(size);

	if (p && old)
		memcpy(p, old, size);
	return p;
}

void free(void *p)
{
	(void)p;
}

int main(void)
{
	volatile char *p = malloc(1000);

	p[0] = 'a';
	printf("%c\n", p[0]);
	return 0;
}
