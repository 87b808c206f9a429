/*
 * source_path.c - joins and shortens paths by their text alone: the source tree
 * need not be on this machine.
 */
#include "symbol/source_path.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"

/* Take "DIR/.." out of PATH, which has no "/./". DIR is a name. */
static void parents_fold(char *path)
{
	char *at = path;

	while ((at = strstr(at, "/../"))) {
		char *dir = at;

		while (dir > path && dir[-1] != '/')
			dir--;
		if (dir == at || strncmp(dir, "./", 2) == 0 ||
		    strncmp(dir, "../", 3) == 0) {
			at++;
			continue;
		}
		memmove(dir, at + 4, strlen(at + 4) + 1);
		at = dir > path ? dir - 1 : path;
	}
}

char *source_path(const char *folder, const char *path)
{
	const char *twice;
	char *clean, *to;

	if (path[0] == '/' || !folder)
		clean = xstrdup(path);
	else
		clean = xasprintf("%s/%s", folder, path);
	if (strncmp(clean, "./", 2) == 0)
		while ((twice = strstr(clean + 1, "/./")))
			memmove(clean, twice + 1, strlen(twice));
	to = clean;
	for (const char *p = clean; *p;) {
		if (strncmp(p, "/./", 3) == 0)
			p += 2;
		else if (p[0] == '/' && p[1] == '/')
			p++;
		else
			*to++ = *p++;
	}
	*to = '\0';
	parents_fold(clean);
	return clean;
}
