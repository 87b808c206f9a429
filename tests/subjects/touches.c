/*
 * touches.c - releases large blocks of which known pages were touched. Before each release it
 * counts itself, by mincore(2), what of the block is not in memory, and prints at the end, for each
 * function that allocates: releases, bytes asked, bytes absent.
 * usage: touches [fork|loop]
 *	fork: a child does the same first, and prints its own lines
 *	loop: instead of all that, recycles one block of 256 KiB half a million times
 */
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096u
#define KIB ((size_t)1024)
#define MIB (KIB * 1024)
#define THREADS 4

struct sum { const char *name; size_t blocks, asked, absent; };

static struct sum sums[] = {
	{ "fresh", 0, 0, 0 }, { "recycled", 0, 0, 0 }, { "zeroed", 0, 0, 0 },
	{ "moved", 0, 0, 0 }, { "shrunk", 0, 0, 0 }, { "threaded", 0, 0, 0 }, { "only_read", 0, 0, 0 },
};

static unsigned char present[MIB];

/* What is absent of the SIZE bytes at P, into the sum of NAME. */
static void count(const char *name, const char *p, size_t size)
{
	uintptr_t first = (uintptr_t)p & ~(uintptr_t)(PAGE - 1), end = (uintptr_t)p + size;
	size_t pages = (end - first + PAGE - 1) / PAGE;
	struct sum *s = sums;

	while (strcmp(s->name, name) != 0)
		s++;
	s->blocks++;
	s->asked += size;
	if (mincore((void *)first, pages * PAGE, present) != 0)
		abort();
	for (size_t i = 0; i < pages; i++) {
		uintptr_t from = first + i * PAGE, to = from + PAGE;

		if (present[i] & 1)
			continue;
		s->absent += (to < end ? to : end) - (from > (uintptr_t)p ? from : (uintptr_t)p);
	}
}

static void touch(char *p, size_t size, size_t step)
{
	for (size_t at = 0; at < size; at += step)
		((volatile char *)p)[at] = 1;
}

/* A mapping of its own each time. */
__attribute__((noinline)) static void fresh(void)
{
	for (size_t i = 0; i < 10; i++) {
		size_t size = 4 * MIB + i * 1000;
		char *p = malloc(size);

		touch(p, size, (i + 1) * 10 * PAGE);
		count("fresh", p, size);
		free(p);
	}
}

/* From the heap, at the same place again and again: what was touched stays. */
__attribute__((noinline)) static void recycled(void)
{
	mallopt(M_MMAP_THRESHOLD, 64 * MIB);
	mallopt(M_TRIM_THRESHOLD, 64 * MIB);
	for (size_t i = 0; i < 10; i++) {
		char *p = malloc(MIB);

		touch(p + i * 16 * PAGE, 8 * PAGE, PAGE);
		count("recycled", p, MIB);
		free(p);
	}
	malloc_trim(0);
	mallopt(M_MMAP_THRESHOLD, 128 * KIB);
	mallopt(M_TRIM_THRESHOLD, 128 * KIB);
}

__attribute__((noinline)) static void zeroed(void)
{
	char *p = calloc(3, MIB);

	count("zeroed", p, 3 * MIB);
	free(p);
}

/* mremap moves the pages: one release, at the end. */
__attribute__((noinline)) static char *moved_begin(void)
{
	return malloc(MIB);
}

__attribute__((noinline)) static char *moved(char *p)
{
	return realloc(p, 20 * MIB);
}

static void grow(void)
{
	char *p = moved_begin();

	touch(p, MIB, 2 * PAGE);
	p = moved(p);
	count("moved", p, 20 * MIB);
	free(p);
}

__attribute__((noinline)) static char *shrunk(void)
{
	return malloc(8 * MIB);
}

static void shrink(void)
{
	char *p = shrunk();

	touch(p, 3 * PAGE, PAGE);
	count("shrunk", p, 8 * MIB);
	p = realloc(p, 100);
	free(p);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((noinline)) static char *threaded(size_t size)
{
	return malloc(size);
}

static void *work(void *arg)
{
	size_t number = (size_t)arg;

	for (size_t i = 0; i < 5; i++) {
		size_t size = MIB + number * 256 * KIB;
		char *p = threaded(size);

		touch(p, size, (number + 2) * PAGE);
		pthread_mutex_lock(&lock);
		count("threaded", p, size);
		pthread_mutex_unlock(&lock);
		free(p);
	}
	return NULL;
}

static void threads(void)
{
	pthread_t t[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, work, (void *)i);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
}

/* The page of zeros is in memory too: reading counts as touching here. */
__attribute__((noinline)) static void only_read(void)
{
	char *p = malloc(MIB);
	volatile char sink = 0;

	for (size_t at = 64 * PAGE; at < 96 * PAGE; at += PAGE)
		sink = (char)(sink + ((volatile char *)p)[at]);
	count("only_read", p, MIB);
	free(p);
}

static void everything(const char *who)
{
	/* keeps the threshold, which a free of a mapping would raise */
	mallopt(M_MMAP_THRESHOLD, 128 * KIB);
	fresh();
	recycled();
	zeroed();
	grow();
	shrink();
	threads();
	only_read();
	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++)
		printf("%s,%s,%zu,%zu,%zu\n", who, sums[i].name, sums[i].blocks, sums[i].asked,
		       sums[i].absent);
	fflush(stdout);
}

__attribute__((noinline)) static void loop(void)
{
	size_t size = 256 * KIB;

	mallopt(M_MMAP_THRESHOLD, 64 * MIB);
	mallopt(M_TRIM_THRESHOLD, 64 * MIB);
	for (size_t i = 0; i < 500000; i++) {
		char *p = malloc(size);

		p[100 * KIB] = 1;
		if (i == 0)
			count("recycled", p, size);
		free(p);
	}
	printf("%zu\n", sums[1].absent);
}

int main(int argc, char **argv)
{
	char *before = malloc(2 * MIB);

	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	touch(before, 2 * MIB, 4 * PAGE);
	if (argc > 1 && strcmp(argv[1], "loop") == 0) {
		loop();
		return 0;
	}
	if (argc > 1) {
		pid_t child = fork();

		if (child == 0) {
			free(before);
			everything("child");
			return 0;
		}
		waitpid(child, NULL, 0);
	}
	free(before);
	everything("parent");
	return 0;
}
