/* plugin_a.so.c - a library that allocates from plugin_a_work. */
#include <stdlib.h>

void *plugin_a_work(size_t bytes);
void *plugin_a_work(size_t bytes)
{
	void *p = malloc(bytes);

	__asm__ volatile("" ::: "memory");
	return p;
}
