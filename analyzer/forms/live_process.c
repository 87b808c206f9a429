/*
 * live_process.c - reads /proc/PID/smaps and cmdline. What comes from there is the process's own: it
 * is escaped where it is shown.
 */
#include "forms/live_process.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/visible.h"
#include "base/xmem.h"

/* All of PATH; the caller's, NULL with errno set. */
static char *read_file(const char *path, size_t *bytes)
{
	size_t capacity = 0, n;
	char *text = NULL;
	FILE *in = fopen(path, "re");

	*bytes = 0;
	if (!in)
		return NULL;
	do {
		xgrow(&text, &capacity, *bytes + 65536, 1);
		n = fread(text + *bytes, 1, capacity - *bytes - 1, in);
		*bytes += n;
	} while (n > 0);
	text[*bytes] = '\0';
	if (ferror(in)) {
		int error = errno;

		free(text);
		text = NULL;
		errno = error;
	}
	fclose(in);
	return text;
}

/* The command line as pmap shows it: arguments with spaces between them, none behind the last. */
static char *command_of(uint32_t pid)
{
	char path[64];
	size_t bytes;
	char *text;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/cmdline", pid);
	text = read_file(path, &bytes);
	if (!text || bytes == 0) {
		free(text);
		snprintf(path, sizeof(path), "/proc/%" PRIu32 "/comm", pid);
		text = read_file(path, &bytes);
		if (text)
			text[strcspn(text, "\n")] = '\0';
		return text ? text : xstrdup("?");
	}
	/* a program that writes its title there leaves blanks behind it */
	while (bytes > 1 && (text[bytes - 1] == '\0' || text[bytes - 1] == ' '))
		text[--bytes] = '\0';
	for (size_t i = 0; i < bytes; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	return text;
}

struct smaps *live_process_read(uint32_t pid, char **command, struct diag *d)
{
	struct smaps *smaps;
	char path[64], *text, *shown;
	size_t bytes;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/smaps", pid);
	text = read_file(path, &bytes);
	if (!text && errno == ENOENT) {
		diag_set(d, STATUS_IO, "there is no process %" PRIu32, pid);
		return NULL;
	}
	if (!text) {
		diag_errno(d, STATUS_IO, "cannot read '%s' (another user's process?)", path);
		return NULL;
	}
	smaps = smaps_parse(text, bytes);
	free(text);
	*command = command_of(pid);
	if (smaps->count > 0)
		return smaps;
	shown = visible_fit(*command, 60);
	diag_set(d, STATUS_IO, "process %" PRIu32 " (%s) has no address space: it is a thread of the "
		 "kernel, or has ended", pid, shown);
	free(shown);
	free(*command);
	smaps_free(smaps);
	return NULL;
}
