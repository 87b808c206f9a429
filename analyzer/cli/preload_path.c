/*
 * preload_path.c - where the library is. Relies on /proc/self/exe; promises a
 * name that LD_PRELOAD can hold.
 */
#include "cli/preload_path.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmem.h"

/* Relative to the directory of the executable: build tree, installed, both in one prefix. */
static const char *const places[] = {
	LIBRARY_NAME,
	"../lib/allotrope/" LIBRARY_NAME,
	"../lib/" LIBRARY_NAME,
};

static char *own_directory(void)
{
	char *exe = realpath("/proc/self/exe", NULL);
	char *slash = exe ? strrchr(exe, '/') : NULL;

	if (slash)
		*slash = '\0';
	return exe;
}

/* The dynamic linker expands $ORIGIN and the like, and separates at spaces and colons. */
static bool is_nameable(const char *path)
{
	return !strpbrk(path, " :$\t\n");
}

static int make_link(struct preload_path *p, struct diag *d)
{
	const char *tmp = getenv("TMPDIR");
	char *link;

	if (!tmp || tmp[0] != '/' || !is_nameable(tmp))
		tmp = "/tmp";
	p->directory = xasprintf("%s/allotrope-XXXXXX", tmp);
	if (!mkdtemp(p->directory)) {
		diag_errno(d, STATUS_IO, "cannot make a directory in '%s'", tmp);
		free(p->directory);
		p->directory = NULL;
		return -1;
	}
	link = xasprintf("%s/" LIBRARY_NAME, p->directory);
	if (symlink(p->path, link) != 0) {
		diag_errno(d, STATUS_IO, "cannot make the link '%s'", link);
		free(link);
		return -1;
	}
	free(p->path);
	p->path = link;
	return 0;
}

int preload_path_init(struct preload_path *p, struct diag *d)
{
	char *directory = own_directory();

	*p = (struct preload_path){ 0 };
	if (!directory)
		return diag_errno(d, STATUS_IO, "cannot read '/proc/self/exe' (is /proc mounted?)");
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && !p->path; i++) {
		char *place = xasprintf("%s/%s", directory, places[i]);

		if (access(place, R_OK) == 0)
			p->path = realpath(place, NULL);
		free(place);
	}
	if (!p->path)
		diag_set(d, STATUS_IO, "cannot find the library: looked for '%s/%s' and '%s/%s'; "
			 "build it (make) or install allotrope again",
			 directory, places[0], directory, places[1]);
	free(directory);
	if (!p->path)
		return -1;
	if (!is_nameable(p->path) && make_link(p, d) != 0) {
		preload_path_release(p);
		return -1;
	}
	return 0;
}

void preload_path_release(struct preload_path *p)
{
	if (p->directory) {
		unlink(p->path);
		rmdir(p->directory);
	}
	free(p->directory);
	free(p->path);
	*p = (struct preload_path){ 0 };
}
