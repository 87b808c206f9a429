/*
 * scrub.so.c - preloaded beside a tool and beside allotrope, so that a program sees
 * the same environment under both: interpreters copy it to the heap. Leaves a
 * fixed list of names; does nothing in allotrope itself and in env(1).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

__attribute__((constructor)) static void scrub(void)
{
	static const char *const keep[] = {
		"PATH=", "LC_ALL=", "PYTHONHASHSEED=", "PYTHONMALLOC=", "PERL_HASH_SEED=",
	};
	static char *left[16];
	size_t count = 0;

	if (!strcmp(program_invocation_short_name, "allotrope"))
		return;
	for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++)
		for (char **e = environ; e && *e; e++)
			if (!strncmp(*e, keep[i], strlen(keep[i])))
				left[count++] = *e;
	environ = left;
}
