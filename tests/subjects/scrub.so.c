/*
 * scrub.so.c - preloaded beside a tool and beside allotrope, so that a program sees
 * the same environment under both: interpreters copy it to the heap. Leaves a
 * fixed list of names. Acts only in the program that SCRUB names, not in the tools
 * and shells that start it. At its end it copies /proc/self/maps to the file that
 * SCRUB_MAPS names: addresses of two runs are compared by what they are in. With
 * SCRUB_LEVEL mappings made from then on lie where they lie in the other run.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

extern char **environ;

static int has_one_thread;
static char maps_path[4096];

/*
 * CPython makes integers of it, which are four bytes longer where addresses are
 * large, as they are not under valgrind. The programs compared with it have one thread.
 */
pthread_t pthread_self(void)
{
	return has_one_thread ? 4096 : (pthread_t)__builtin_thread_pointer();
}

static uintptr_t reserve(void *at, size_t bytes, int flags)
{
	return (uintptr_t)mmap(at, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			       flags, -1, 0);
}

/*
 * The kernel places a mapping below the ones before, so what allotrope has mapped moves
 * all later ones, and programs notice: CPython's arena of 1 MiB loses one of its 64 pools
 * where it does not begin at a multiple of 16 KiB. This fills the address space down to a
 * multiple of 1 GiB. A call of free first: with it allotrope's own start is over.
 */
static void level(void)
{
	const size_t gigabyte = 1ul << 30;
	void *volatile none = NULL;
	uintptr_t lowest, floor, at;

	free(none);
	lowest = reserve(NULL, gigabyte, 0);
	floor = lowest & -gigabyte;
	if (lowest > floor)
		reserve((void *)floor, lowest - floor, MAP_FIXED_NOREPLACE);
	for (size_t bytes = gigabyte / 2; bytes >= 4096; bytes /= 2) {
		while ((at = reserve(NULL, bytes, 0)) > floor)
			;
		munmap((void *)at, bytes);
	}
}

__attribute__((constructor)) static void scrub(void)
{
	static const char *const keep[] = {
		"PATH=", "LC_ALL=", "PYTHONHASHSEED=", "PYTHONMALLOC=", "PERL_HASH_SEED=",
	};
	static char *left[16];
	const char *program = getenv("SCRUB");
	size_t count = 0;

	if (!program || strcmp(program_invocation_short_name, program))
		return;
	has_one_thread = !getenv("SCRUB_LEVEL");
	if (getenv("SCRUB_LEVEL"))
		level();
	if (getenv("SCRUB_MAPS"))
		strncpy(maps_path, getenv("SCRUB_MAPS"), sizeof(maps_path) - 1);
	for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++)
		for (char **e = environ; e && *e; e++)
			if (!strncmp(*e, keep[i], strlen(keep[i])))
				left[count++] = *e;
	environ = left;
}

__attribute__((destructor)) static void copy_maps(void)
{
	char buffer[4096];
	ssize_t n;
	int in, out;

	if (!*maps_path)
		return;
	in = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	out = open(maps_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	while ((n = read(in, buffer, sizeof(buffer))) > 0)
		if (write(out, buffer, (size_t)n) != n)
			break;
	close(in);
	close(out);
}
