/*
 * preload_path.h - where the library is, as LD_PRELOAD can name it.
 */
#ifndef CLI_PRELOAD_PATH_H
#define CLI_PRELOAD_PATH_H

#include "base/diag.h"

#define LIBRARY_NAME "liballotrope.so"

struct preload_path {
	char *path;      /* absolute, without spaces and colons */
	char *directory; /* private directory of a symbolic link, or NULL */
};

/*
 * Find the library: beside this program's executable (build tree), or in
 * ../lib/allotrope (installed). LD_PRELOAD separates names by spaces and colons:
 * where the path has one, *P names a symbolic link in a private directory.
 * Returns 0, or -1 with D set, naming the places.
 */
int preload_path_init(struct preload_path *p, struct diag *d);

/* Remove the link, if one was made. */
void preload_path_release(struct preload_path *p);

#endif
