/*
 * unseen.c - memory past the library: three blocks from __libc_malloc, given back by free in two places,
 * and 8 MiB that are mapped by an instruction of its own and touched. Lives for 0.1 s.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAPPED (8ul << 20)

/* glibc's malloc under a name that nobody stands in front of. */
void *__libc_malloc(size_t size);

#if defined(__x86_64__)
static void *map_unseen(size_t bytes)
{
	register long flags __asm__("r10") = MAP_PRIVATE | MAP_ANONYMOUS;
	register long fd __asm__("r8") = -1;
	register long offset __asm__("r9") = 0;
	void *result;

	__asm__ volatile("syscall" : "=a"(result)
			 : "a"(SYS_mmap), "D"(0), "S"(bytes), "d"(PROT_READ | PROT_WRITE), "r"(flags),
			   "r"(fd), "r"(offset) : "rcx", "r11", "memory");
	return result;
}
#else
static void *map_unseen(size_t bytes)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
#endif

__attribute__((noinline)) static void give_back(void *p)
{
	free(p);
	__asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) static void give_one_back(void *p)
{
	free(p);
	__asm__ volatile("" ::: "memory");
}

int main(void)
{
	void *volatile a = __libc_malloc(100), *volatile b = __libc_malloc(200);
	void *volatile c = __libc_malloc(300);
	char *map = map_unseen(MAPPED);

	memset(map, 1, MAPPED);
	give_back(a);
	give_back(b);
	give_one_back(c);
	free(malloc(10));
	usleep(100000);
	return map[5] != 1;
}
