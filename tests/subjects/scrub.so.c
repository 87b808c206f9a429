/*
 * scrub.so.c - preloaded beside a tool and beside allotrope, so that a program sees
 * the same environment under both: interpreters copy it to the heap. Leaves a
 * fixed list of names. Acts only in the program that SCRUB names, not in the tools
 * and shells that start it. At its end it copies /proc/self/maps to the file that
 * SCRUB_MAPS names: addresses of two runs are compared by what they are in.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static int is_scrubbed;
static char maps_path[4096];

/*
 * CPython makes integers of it, which are four bytes longer where addresses are
 * large, as they are not under valgrind. The programs compared have one thread.
 */
pthread_t pthread_self(void)
{
	return is_scrubbed ? 4096 : (pthread_t)__builtin_thread_pointer();
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
	is_scrubbed = 1;
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
