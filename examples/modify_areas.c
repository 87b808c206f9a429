/*
 * modify_areas.c - which area grows when? One step for each: text, data, bss, heap, stack,
 * with a mark behind it.
 *
 * Look for (allotrope maps --diff mark:begin mark:text, and so on): text, data and bss are
 * there from the beginning and only come in, or become the process's own, page by page as
 * they are used; heap and stack get more address space.
 */
#include <stdio.h>
#include <stdlib.h>

#include "allotrope.h"

#define PAGE 4096
#define DATA (256 << 10)
#define BSS (512 << 10)
#define HEAP_BLOCKS 100
#define HEAP_BYTES 10000
#define STACK (1 << 20)

static volatile char data[DATA] = { 1 };
static volatile char bss[BSS];

static void touch(volatile char *area, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += PAGE)
		area[i] = 2;
}

/* 1 MiB (and more) of instructions that do nothing. */
__attribute__((noinline)) static void use_text(void)
{
	__asm__ volatile(".rept 1048576\n\tnop\n\t.endr");
}

__attribute__((noinline)) static void use_stack(void)
{
	volatile char local[STACK];

	touch(local, STACK);
}

int main(void)
{
	static void *blocks[HEAP_BLOCKS];

	allotrope_mark("begin");
	use_text();
	allotrope_mark("text");
	touch(data, DATA);
	allotrope_mark("data");
	touch(bss, BSS);
	allotrope_mark("bss");
	for (int i = 0; i < HEAP_BLOCKS; i++) {
		blocks[i] = malloc(HEAP_BYTES);
		if (!blocks[i]) {
			perror("malloc");
			return 1;
		}
		touch(blocks[i], HEAP_BYTES);
	}
	allotrope_mark("heap");
	use_stack();
	allotrope_mark("stack");
	for (int i = 0; i < HEAP_BLOCKS; i++)
		free(blocks[i]);
	return 0;
}
