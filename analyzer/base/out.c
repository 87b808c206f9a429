/*
 * out.c - opening and closing of a report's destination. A file is written
 * under a temporary name in the same folder, so that a reader never meets half
 * of one and a failed run leaves an older one alone.
 */
#include "base/out.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xmem.h"

/* mkstemp makes files private; a report has the rights any new file has. */
static void give_usual_rights(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	if (fchmod(fd, 0666 & ~mask) != 0)
		return; /* a file system without modes: nothing to give */
}

static int open_file(struct out *o, const char *path, struct diag *d)
{
	char real[PATH_MAX];
	struct stat st;
	int fd;

	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode)) {
			errno = EISDIR;
			return diag_errno(d, STATUS_IO, "cannot write '%s'", path);
		}
		if (!S_ISREG(st.st_mode)) {
			o->file = fopen(path, "we");
			if (!o->file)
				return diag_errno(d, STATUS_IO,
						  "cannot write '%s'", path);
			o->path = xstrdup(path);
			return 0;
		}
		/* a link stays a link: what it names is replaced */
		if (realpath(path, real))
			path = real;
	}
	o->path = xstrdup(path);
	o->temp = xasprintf("%s.XXXXXX", path);
	fd = mkostemp(o->temp, O_CLOEXEC);
	if (fd >= 0) {
		give_usual_rights(fd);
		o->file = fdopen(fd, "w");
	}
	if (!o->file) {
		diag_errno(d, STATUS_IO, "cannot write '%s'", path);
		if (fd >= 0) {
			close(fd);
			unlink(o->temp);
		}
		free(o->path);
		free(o->temp);
		return -1;
	}
	return 0;
}

static void open_pager(struct out *o, const char *command)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return;
	fflush(NULL);
	o->pager = fork();
	if (o->pager == 0) {
		dup2(ends[0], STDIN_FILENO);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(ends[0]);
	o->file = o->pager > 0 ? fdopen(ends[1], "w") : NULL;
	if (!o->file) {
		close(ends[1]);
		o->pager = 0;
		o->file = stdout;
		return;
	}
	/* leaving the pager early is no failure of ours */
	signal(SIGPIPE, SIG_IGN);
	/* Ctrl-C belongs to the pager */
	signal(SIGINT, SIG_IGN);
}

int out_open(struct out *o, const char *path, const char *pager, struct diag *d)
{
	memset(o, 0, sizeof(*o));
	if (path && strcmp(path, "-") != 0)
		return open_file(o, path, d);
	o->file = stdout;
	if (pager)
		open_pager(o, pager);
	return 0;
}

int out_close(struct out *o, bool is_good, struct diag *d)
{
	int result = 0;
	int error = 0;

	if (fflush(o->file) != 0)
		error = errno;
	else if (ferror(o->file))
		error = EIO;
	if (o->file != stdout && fclose(o->file) != 0 && !error)
		error = errno;
	if (o->pager) {
		while (waitpid(o->pager, NULL, 0) < 0 && errno == EINTR)
			continue;
		signal(SIGINT, SIG_DFL);
		o->is_broken = error == EPIPE;
		if (o->is_broken)
			error = 0;
	}
	if (error) {
		errno = error;
		result = o->path ? diag_errno(d, STATUS_IO, "cannot write '%s'", o->path) :
				   diag_errno(d, STATUS_IO, "cannot write standard output");
	}
	if (o->temp) {
		if (result != 0 || !is_good) {
			unlink(o->temp);
		} else if (rename(o->temp, o->path) != 0) {
			result = diag_errno(d, STATUS_IO, "cannot write '%s'", o->path);
			unlink(o->temp);
		}
	}
	free(o->path);
	free(o->temp);
	memset(o, 0, sizeof(*o));
	return result;
}
