/*
 * namespaces.c - loads the same library in ways that surprise: RTLD_DEEPBIND, a namespace of its own
 * (dlmopen), which has a libc and a malloc of its own.
 * usage: namespaces DIRECTORY
 * plugin_a allocates 100 blocks of 1111 bytes in each. Prints "well".
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

typedef void *(*work_fn)(size_t);

static int use(void *library)
{
	work_fn work;

	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	work = (work_fn)dlsym(library, "plugin_a_work");
	for (int i = 0; work && i < 100; i++)
		if (!work(1111))
			return 1;
	return !work;
}

int main(int argc, char **argv)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/plugin_a.so", argc > 1 ? argv[1] : ".");
	if (use(dlopen(path, RTLD_NOW | RTLD_DEEPBIND)) ||
	    use(dlmopen(LM_ID_NEWLM, path, RTLD_NOW)))
		return 1;
	puts("well");
	return 0;
}
