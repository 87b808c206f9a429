/*
 * api_calls.c - the allocator's interface, call by call, good and bad. Prints for each call the
 * line of ltrace that it must become, after "> "; other lines are what the program sees
 * besides: errno, kept contents, sizes, distances. Prints at its end alone, and allocates
 * nothing for that: what it prints does not change what it tests.
 * usage: api_calls [frees | inner]
 * frees: the other functions that free; inner: libc's own entries.
 */
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ERRNO_BEFORE 1234

static char text[1 << 16];
static size_t used;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	used += (size_t)vsnprintf(text + used, sizeof(text) - used, format, ap);
	va_end(ap);
}

/* "> malloc(5)                = 0x55..." and what errno became. */
static void *told(void *result, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void *told(void *result, const char *format, ...)
{
	int error = errno;
	char call[128];
	va_list ap;

	va_start(ap, format);
	vsnprintf(call, sizeof(call), format, ap);
	va_end(ap);
	say(result ? "> %-48s = %p\n" : "> %-48s = 0\n", call, result);
	if (error != ERRNO_BEFORE)
		say("errno %s\n", error == ENOMEM ? "ENOMEM" : error == EINVAL ? "EINVAL" : "other");
	errno = ERRNO_BEFORE;
	return result;
}

static void drop(void *p)
{
	char call[64];

	snprintf(call, sizeof(call), p ? "free(%p)" : "free(0)", p);
	free(p);
	if (errno != ERRNO_BEFORE)
		say("errno changed\n");
	say("> %-48s = <void>\n", call);
	errno = ERRNO_BEFORE;
}

static char *argument(char buffer[32], const void *p)
{
	snprintf(buffer, 32, p ? "%p" : "0", p);
	return buffer;
}

static void *resize(void *volatile old, size_t size)
{
	char was[32];

	argument(was, old);
	return told(realloc(old, size), "realloc(%s, %zu)", was, size);
}

static void *resize_array(void *volatile old, size_t nmemb, size_t size)
{
	char was[32];

	argument(was, old);
	return told(reallocarray(old, nmemb, size), "reallocarray(%s, %zu, %zu)", was, nmemb, size);
}

/* What frees: which of the two was 0 a recording does not say. */
static void release_array(void *volatile old, size_t nmemb, size_t size)
{
	char was[32];

	argument(was, old);
	told(reallocarray(old, nmemb, size), "reallocarray(%s, ?, ?)", was);
}

static void align_posix(size_t alignment, size_t size)
{
	void *const untouched = (void *)8;
	void *p = untouched;
	int code = posix_memalign(&p, alignment, size);
	int error = errno;
	char call[96], at[32];

	snprintf(call, sizeof(call), "posix_memalign([%s], %zu, %zu)",
		 code ? "" : argument(at, p), alignment, size);
	say("> %-48s = %d\n", call, code);
	if (error != ERRNO_BEFORE)
		say("errno %s\n", error == ENOMEM ? "ENOMEM" : "other");
	if (code)
		say("pointer %s\n", p == untouched ? "kept" : "changed");
	else
		say("aligned %d\n", (uintptr_t)p % alignment == 0);
	errno = ERRNO_BEFORE;
	if (!code)
		drop(p);
}

static void sizes(void)
{
	static const size_t huge[] = { SIZE_MAX, SIZE_MAX / 2 + 1, SIZE_MAX / 2, (size_t)1 << 47 };
	char *p;

	drop(told(malloc(0), "malloc(0)"));
	for (size_t i = 0; i < sizeof(huge) / sizeof(huge[0]); i++) {
		volatile size_t n = huge[i];

		told(malloc(n), "malloc(%zu)", n);
		told(calloc(1, n), "calloc(1, %zu)", n);
		told(calloc(n, 2), "calloc(%zu, 2)", n);
		told(memalign(64, n), "memalign(64, %zu)", n);
		told(aligned_alloc(64, n), "aligned_alloc(64, %zu)", n);
		told(valloc(n), "valloc(%zu)", n);
		told(pvalloc(n), "pvalloc(%zu)", n);
		align_posix(64, n);
		resize(NULL, n);
		resize_array(NULL, n, 2);
	}
	drop(told(calloc(0, 5), "calloc(0, 5)"));
	drop(told(calloc(5, 0), "calloc(5, 0)"));
	p = told(calloc(100, 10), "calloc(100, 10)");
	for (int i = 0; i < 1000; i++)
		if (p[i])
			say("calloc: not zero\n");
	drop(p);
	drop(NULL);
}

static void resizes(void)
{
	volatile size_t huge = SIZE_MAX / 2 + 10, half = SIZE_MAX / 2;
	char *p = resize(NULL, 40);

	memset(p, 7, 40);
	p = resize(p, 100000);
	resize(p, huge);
	say("the block lives: %d %d\n", p[0], p[39]);
	resize_array(p, half, 3);
	say("the block lives: %d %d\n", p[0], p[39]);
	p = resize(p, 10);
	say("the block lives: %d %d\n", p[0], p[9]);
	resize(p, 0);
	p = resize(NULL, 0);
	resize(p, 0);
	p = resize_array(NULL, 3, 5);
	p = resize_array(p, 300, 50);
	release_array(p, 0, 8);
	p = resize_array(NULL, 8, 8);
	release_array(p, 8, 0);
}

static void alignments(void)
{
	static const size_t odd[] = { 0, 1, 3, 24, 48, 100, 4096, 65536 };

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		volatile size_t a = odd[i];
		void *p = told(memalign(a, 100), "memalign(%zu, 100)", a);

		say("aligned %d\n", (uintptr_t)p % (a && !(a & (a - 1)) ? a : 16) == 0);
		drop(p);
		/* glibc before 2.38 takes any alignment, later ones powers of two alone */
		p = told(aligned_alloc(a, 1), "aligned_alloc(%zu, 1)", a);
		drop(p);
		align_posix(a, 100);
	}
	drop(told(aligned_alloc(64, 0), "aligned_alloc(64, 0)"));
	drop(told(valloc(0), "valloc(0)"));
	drop(told(pvalloc(0), "pvalloc(0)"));
	drop(told(pvalloc(4097), "pvalloc(4097)"));
	align_posix(64, 0);
}

/* Blocks are as large, and as far from each other, as without the library: nothing is put beside them. */
static void layout(void)
{
	char *blocks[8];

	for (size_t size = 1; size < 1400; size += 111) {
		for (int i = 0; i < 8; i++)
			blocks[i] = told(malloc(size), "malloc(%zu)", size);
		say("usable %zu distances", malloc_usable_size(blocks[0]));
		for (int i = 1; i < 8; i++)
			say(" %td", blocks[i] - blocks[i - 1]);
		say("\n");
		memset(blocks[7], 1, malloc_usable_size(blocks[7]));
		for (int i = 0; i < 8; i++)
			drop(blocks[i]);
	}
	say("usable of NULL %zu\n", malloc_usable_size(NULL));
}

/* Where alignments have not yet made gaps, which depend on where the heap begins. */
static void whole(void)
{
	struct mallinfo2 info;
	void *large = told(malloc(300000), "malloc(300000)");

	info = mallinfo2();
	say("mallinfo2 in use %zu mapped %zu in %zu arenas\n", info.uordblks, info.hblkhd, info.hblks);
	drop(large);
	drop(told(malloc(3000000), "malloc(3000000)"));
	say("malloc_trim %d\n", malloc_trim(0));
	say("mallopt %d\n", mallopt(M_MMAP_THRESHOLD, 1 << 20));
	if (errno != ERRNO_BEFORE)
		say("errno changed\n");
}

/* Ways to free that a libc may have: with the library each is there. */
static void other_frees(void)
{
	void (*old)(void *) = (void (*)(void *))dlsym(RTLD_DEFAULT, "cfree");
	void (*sized)(void *, size_t) = (void (*)(void *, size_t))dlsym(RTLD_DEFAULT, "free_sized");
	void (*aligned)(void *, size_t, size_t) =
		(void (*)(void *, size_t, size_t))dlsym(RTLD_DEFAULT, "free_aligned_sized");
	char call[64];
	void *p;

	errno = ERRNO_BEFORE;
	if (old) {
		p = told(malloc(40), "malloc(40)");
		snprintf(call, sizeof(call), "cfree(%p)", p);
		old(p);
		say("> %-48s = <void>\n", call);
	}
	if (sized) {
		p = told(malloc(41), "malloc(41)");
		snprintf(call, sizeof(call), "free_sized(%p, ?)", p);
		sized(p, 41);
		say("> %-48s = <void>\n", call);
	}
	if (aligned) {
		p = told(aligned_alloc(64, 128), "aligned_alloc(64, 128)");
		snprintf(call, sizeof(call), "free_aligned_sized(%p, ?, ?)", p);
		aligned(p, 64, 128);
		say("> %-48s = <void>\n", call);
	}
}

/* Entries of libc that nobody can stand before, and the free that everybody can. */
static void inner_entries(void)
{
	void *(*take)(size_t) = (void *(*)(size_t))dlsym(RTLD_DEFAULT, "__libc_malloc");
	void *(*align)(size_t, size_t) = (void *(*)(size_t, size_t))dlsym(RTLD_DEFAULT, "__libc_memalign");

	if (take)
		free(take(100));
	if (align)
		free(align(256, 100));
	say("inner %d\n", !!take + !!align);
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		if (strcmp(argv[1], "frees") == 0)
			other_frees();
		else
			inner_entries();
		return write(1, text, used) != (ssize_t)used;
	}
	say("dlerror %s\n", dlerror() ? "of somebody else" : "none");
	errno = ERRNO_BEFORE;
	layout();
	whole();
	sizes();
	resizes();
	alignments();
	if (write(1, text, used) != (ssize_t)used)
		return 1;
	return used > sizeof(text) - 200;
}
