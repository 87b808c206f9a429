/*
 * demand_paging.c - address space is not memory: asks for 1 GiB, touches one page of it.
 * Then the same for code: calls a function of 1 MiB, which comes in by being used.
 *
 * Look for (allotrope maps --sites --at=mark:touched): 1 GiB asked for, one page of it
 * resident; (allotrope maps --diff mark:freed "mark:code used"): code paged in.
 */
#include <stdio.h>
#include <stdlib.h>

#include "allotrope.h"

#define GIB ((size_t)1 << 30)

/* A straight way through 1 MiB (and more) of instructions that do nothing. */
__attribute__((noinline)) static void long_function(void)
{
	__asm__ volatile(".rept 1048576\n\tnop\n\t.endr");
}

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
	long_function();
	allotrope_mark("code used");
	return 0;
}
