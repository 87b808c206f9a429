/* plugin_b.so.c - a library that allocates from plugin_b_work. */
#include <stdlib.h>

void *plugin_b_work(size_t bytes);
void *plugin_b_work(size_t bytes)
{
	void *p = malloc(bytes);

	__asm__ volatile("" ::: "memory");
	return p;
}
