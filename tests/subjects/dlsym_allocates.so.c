/*
 * dlsym_allocates.so.c - a library in front of dlsym(3) that allocates there, as linkers of old did: who
 * looks the real malloc up meets calls of it before the answer. What was allocated so early is
 * used again at the end: its size, its contents, a realloc of it, a free. With DLSYM_LEAST=N
 * in the environment a program must have called dlsym so often.
 */
#pragma GCC optimize("O2") /* the call at the end of dlsym has to be a jump */

#include <dlfcn.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCKS 64
#define BYTES 3000

typedef void *(*dlsym_function)(void *handle, const char *name);

static dlsym_function next;
static char *blocks[BLOCKS];
static unsigned count;

static void find_next(void)
{
	next = (dlsym_function)dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34");
	if (!next)
		next = (dlsym_function)dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
	if (!next)
		_exit(91);
}

void *dlsym(void *restrict handle, const char *restrict name)
{
	if (!next)
		find_next();
	if (count < BLOCKS) {
		char *p = calloc(3, BYTES / 3);

		for (int i = 0; i < BYTES; i++)
			if (!p || p[i])
				_exit(92);
		memset(p, 1 + (int)count % 100, BYTES);
		blocks[count++] = p;
	}
	/* a jump: RTLD_NEXT is for the caller */
	return next(handle, name);
}

__attribute__((destructor)) static void use_again(void)
{
	for (unsigned i = 0; i < count; i++) {
		char *p = blocks[i];

		if (malloc_usable_size(p) < BYTES)
			_exit(93);
		if (i % 2)
			p = i % 4 == 1 ? realloc(p, 2 * BYTES) : reallocarray(p, 2, BYTES);
		for (int k = 0; k < BYTES; k++)
			if (p[k] != (char)(1 + i % 100))
				_exit(94);
		free(p);
	}
	if (getenv("DLSYM_LEAST") && count < (unsigned)atoi(getenv("DLSYM_LEAST")))
		_exit(95);
}
