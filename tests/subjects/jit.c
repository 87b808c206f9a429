/*
 * jit.c - code made at run time, without unwind information, that calls malloc.
 * usage: jit BLOCKS
 * Takes blocks of 1200 bytes in from_jit under the made code under main, then as many of
 * 1300 in plain.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define NOINLINE __attribute__((noinline, noclone))
#define AFTER_CALL() __asm__ volatile("" ::: "memory")

#if defined(__x86_64__)
/* push %rbp; mov %rsp, %rbp; call *%rdi; pop %rbp; ret */
static const uint8_t code[] = { 0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3 };
#else
/* stp x29, x30, [sp, #-16]!; mov x29, sp; blr x0; ldp x29, x30, [sp], #16; ret */
static const uint32_t code[] = { 0xa9bf7bfd, 0x910003fd, 0xd63f0000, 0xa8c17bfd, 0xd65f03c0 };
#endif

NOINLINE static void from_jit(void)
{
	void *volatile p = malloc(1200);

	(void)p;
	AFTER_CALL();
}

NOINLINE static void plain(void)
{
	void *volatile p = malloc(1300);

	(void)p;
	AFTER_CALL();
}

int main(int argc, char **argv)
{
	int blocks = argc > 1 ? atoi(argv[1]) : 1;
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void (*made)(void (*)(void));

	memcpy(page, code, sizeof(code));
	mprotect(page, 4096, PROT_READ | PROT_EXEC);
	__builtin___clear_cache(page, (char *)page + sizeof(code));
	*(void **)&made = page;
	for (int i = 0; i < blocks; i++) {
		made(from_jit);
		plain();
	}
	return 0;
}
