/*
 * plugins.c - loads, uses and unloads two libraries in turn: the second is often
 * mapped where the first one was.
 * usage: plugins ROUNDS DIRECTORY
 * plugin_a allocates blocks of 1111 bytes, plugin_b of 2222; they stay live.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

typedef void *(*work_fn)(size_t);

static int use(const char *directory, const char *name, size_t bytes)
{
	char path[4096], symbol[64];
	void *library;
	work_fn work;

	snprintf(path, sizeof(path), "%s/%s.so", directory, name);
	snprintf(symbol, sizeof(symbol), "%s_work", name);
	library = dlopen(path, RTLD_NOW);
	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	work = (work_fn)dlsym(library, symbol);
	if (!work || !work(bytes))
		return 1;
	return dlclose(library);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "plugin_a", "plugin_b" };
	int rounds = argc > 1 ? atoi(argv[1]) : 1;

	/* one call for both: only the library tells their call stacks apart */
	for (int i = 0; i < 2 * rounds; i++)
		if (use(argv[2], names[i % 2], i % 2 ? 2222 : 1111))
			return 1;
	return 0;
}
