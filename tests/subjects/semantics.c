/*
 * semantics.c - the corners of the allocator's interface. Prints what each call
 * gave, without addresses: the output must be the same with the library.
 */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAY(call) do { \
	void *volatile result_; \
	errno = 1234; \
	result_ = (call); \
	printf("%-44s %s errno %d\n", #call, result_ ? "block" : "NULL", errno); \
	last = result_; \
} while (0)

static volatile size_t huge = SIZE_MAX / 2 + 10, half = SIZE_MAX / 2;

int main(void)
{
	void *volatile last, *volatile kept = NULL;
	void *p;
	int code;

	SAY(malloc(0));
	free(last);
	SAY(malloc(huge));
	SAY(calloc(half, 3));
	SAY(calloc(0, 5));
	free(last);
	SAY(realloc(NULL, 40));
	SAY(realloc(last, 4000));
	memset(last, 1, malloc_usable_size(last));
	kept = last;
	SAY(realloc(kept, huge));
	printf("old block lives: %d\n", ((char *)kept)[3999]);
	SAY(realloc(kept, 0));
	SAY(reallocarray(NULL, half, 3));
	SAY(reallocarray(NULL, 3, 5));
	free(last);
	SAY(memalign(48, 100));
	free(last);
	SAY(memalign(4096, 100));
	printf("aligned %d\n", (uintptr_t)last % 4096 == 0);
	free(last);
	SAY(aligned_alloc(64, 1));
	free(last);
	SAY(valloc(10));
	printf("aligned %d\n", (uintptr_t)last % 4096 == 0);
	free(last);
	SAY(pvalloc(10));
	printf("usable %d\n", malloc_usable_size(last) >= 4096);
	free(last);
	p = (void *)8;
	errno = 1234;
	code = posix_memalign(&p, 3, 100);
	printf("posix_memalign(3) %d errno %d kept %d\n", code, errno, p == (void *)8);
	code = posix_memalign(&p, 64, huge);
	printf("posix_memalign(huge) %d errno %d\n", code, errno);
	code = posix_memalign(&p, 64, 100);
	printf("posix_memalign(64) %d aligned %d\n", code, (uintptr_t)p % 64 == 0);
	free(p);
	free(NULL);
	errno = 77;
	free(malloc(300000));
	printf("free keeps errno %d\n", errno);
	printf("usable of NULL %zu\n", malloc_usable_size(NULL));
	return 0;
}
