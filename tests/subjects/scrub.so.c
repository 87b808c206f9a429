/*
 * scrub.so.c - preloaded beside a tool and beside allotrope, so that a program sees
 * the same environment under both: interpreters copy it to the heap. Leaves a
 * fixed list of names. Acts only in the program that SCRUB names, not in the tools
 * and shells that start it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

static int is_scrubbed;

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
	for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++)
		for (char **e = environ; e && *e; e++)
			if (!strncmp(*e, keep[i], strlen(keep[i])))
				left[count++] = *e;
	environ = left;
}
