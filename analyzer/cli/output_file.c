/*
 * output_file.c - the file that record writes. Relies on rename(2); promises that
 * an older recording is untouched until the program really runs.
 */
#include "cli/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xmem.h"

/* Enough for totals, the end and the index of a few thousand segments; on a small disk of fewer. */
#define RESERVE_BYTES (512 * 1024)
#define RESERVE_LEAST (8 * 1024)

static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

static int reserve_space(const char *directory)
{
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	for (off_t bytes = RESERVE_BYTES; fd >= 0 && bytes >= RESERVE_LEAST; bytes /= 8)
		if (fallocate(fd, 0, 0, bytes) == 0)
			return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

int output_file_open(struct output_file *o, const char *path, struct diag *d)
{
	struct stat st;

	*o = (struct output_file){ .fd = -1, .reserve = -1 };
	if (strcmp(path, "-") == 0 || !*path)
		return diag_set(d, STATUS_USAGE, "a recording cannot be written to '%s': it needs "
				"a file; name one with -o FILE", path);
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return diag_set(d, STATUS_IO, "cannot write the recording to '%s': it is not a "
				"regular file; name another with -o FILE", path);
	o->path = xstrdup(path);
	o->directory = directory_of(path);
	o->temporary = xasprintf("%s.XXXXXX", path);
	o->fd = mkostemp(o->temporary, O_CLOEXEC);
	if (o->fd < 0) {
		diag_set(d, STATUS_IO, "cannot create the recording in '%s': %s; name another place "
			 "with -o FILE", o->directory, strerror(errno));
		free(o->temporary);
		o->temporary = NULL;
		output_file_close(o);
		return -1;
	}
	/* whatever the umask: its owner reads it */
	fchmod(o->fd, 0600);
	o->reserve = reserve_space(o->directory);
	return 0;
}

int output_file_commit(struct output_file *o, struct diag *d)
{
	char *old = xasprintf("%s.old", o->path);
	int result = 0;

	if (rename(o->path, old) != 0 && errno != ENOENT)
		result = diag_errno(d, STATUS_IO, "cannot rename '%s' to '%s'", o->path, old);
	else if (rename(o->temporary, o->path) != 0)
		result = diag_errno(d, STATUS_IO, "cannot rename '%s' to '%s'", o->temporary,
				    o->path);
	free(old);
	/* where it cannot have its name it keeps the one it has */
	free(result == 0 ? o->temporary : o->path);
	if (result != 0)
		o->path = o->temporary;
	o->temporary = NULL;
	return result;
}

void output_file_use_reserve(struct output_file *o)
{
	if (o->reserve >= 0)
		close(o->reserve);
	o->reserve = -1;
}

bool output_file_is_whole(const struct output_file *o, uint64_t bytes)
{
	struct stat named, ours;
	char first = 0;

	/* emptied and written on it has a hole where it began */
	return stat(o->path, &named) == 0 && fstat(o->fd, &ours) == 0 &&
	       named.st_dev == ours.st_dev && named.st_ino == ours.st_ino &&
	       (uint64_t)ours.st_size >= bytes && pread(o->fd, &first, 1, 0) == 1 && first;
}

void output_file_close(struct output_file *o)
{
	output_file_use_reserve(o);
	if (o->temporary)
		unlink(o->temporary);
	if (o->fd >= 0)
		close(o->fd);
	free(o->temporary);
	free(o->directory);
	free(o->path);
	*o = (struct output_file){ .fd = -1, .reserve = -1 };
}
