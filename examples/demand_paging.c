/*
 * demand_paging.c - address space is not memory: asks for 1 GiB, touches one page of it.
 *
 *	allotrope record examples/demand_paging
 *	allotrope maps --sites
 */
#include <stdio.h>
#include <stdlib.h>

#include "allotrope.h"

#define GIB ((size_t)1 << 30)

int main(void)
{
	volatile char *p; /* else the compiler leaves the write out */

	allotrope_mark("before");
	p = malloc(GIB);
	if (!p) {
		perror("malloc");
		return 1;
	}
	allotrope_mark("asked");
	/* the first byte would share its page with malloc's own header */
	p[GIB / 2] = 1;
	allotrope_mark("touched");
	printf("asked for %zu bytes, wrote %d\n", GIB, p[GIB / 2]);
	free((void *)p);
	allotrope_mark("freed");
	return 0;
}
