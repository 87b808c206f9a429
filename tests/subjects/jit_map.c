/*
 * jit_map.c - code made at run time that allocates: a page with two functions that keep a frame
 * pointer, and the map of them that perf reads. Between its lines stand some that are none.
 * usage: jit_map [no-map]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* so that --call-graph=fp finds the way through all of it */
#pragma GCC optimize("no-omit-frame-pointer")

typedef void (*made_function)(void (*callback)(void));

static void *kept[2];
static int used;

__attribute__((noinline)) static void allocate(void)
{
	kept[used++] = malloc(12345);
}

#if defined(__x86_64__)
/* push %rbp; mov %rsp,%rbp; call *%rdi; pop %rbp; ret */
static const unsigned char code[] = { 0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3 };
#else
/* stp x29,x30,[sp,#-16]!; mov x29,sp; blr x0; ldp x29,x30,[sp],#16; ret */
static const unsigned char code[] = {
	0xfd, 0x7b, 0xbf, 0xa9, 0xfd, 0x03, 0x00, 0x91, 0x00, 0x00, 0x3f, 0xd6,
	0xfd, 0x7b, 0xc1, 0xa8, 0xc0, 0x03, 0x5f, 0xd6,
};
#endif

static int write_map(const char *page)
{
	char path[64];
	FILE *map;

	snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
	map = fopen(path, "w");
	if (!map)
		return 1;
	fprintf(map, "nonsense\n%lx 40 JS:*handleRequest /srv/app.js:42:7\n", (unsigned long)page);
	fprintf(map, "ffffffffffffffff ff wraps around\n%lx 40 \n", (unsigned long)page);
	fprintf(map, "%lx 40 py::work:/srv/jobs.py\n", (unsigned long)page + 64);
	return fclose(map);
}

int main(int argc, char **argv)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return 1;
	memcpy(page, code, sizeof(code));
	memcpy(page + 64, code, sizeof(code));
	__builtin___clear_cache(page, page + 4096);
	if (mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0)
		return 1;
	if (argc < 2 || strcmp(argv[1], "no-map") != 0)
		if (write_map(page) != 0)
			return 1;
	((made_function)page)(allocate);
	((made_function)(page + 64))(allocate);
	printf("%d\n", (int)getpid());
	return 0;
}
