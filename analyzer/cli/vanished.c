/*
 * vanished.c - see vanished.h. Relies on /proc and kill(2); promises that a living process is
 * never said to be over, at the price of saying so late where a pid was given away again.
 */
#include "cli/vanished.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"

static void add_inner(struct vanished *v, pid_t pid)
{
	if (v->count == v->capacity) {
		v->capacity = v->capacity ? 2 * v->capacity : 64;
		v->inner = xrealloc(v->inner, v->capacity * sizeof(*v->inner));
	}
	v->inner[v->count++] = pid;
}

/* NUMBERS of "NSpid:	outer	...	inner": the last one of several. */
static void read_pids(struct vanished *v, const char *numbers)
{
	long pid = 0;
	size_t count = 0;
	char *end;

	for (long next; (next = strtol(numbers, &end, 10)), end != numbers; numbers = end) {
		pid = next;
		count++;
	}
	if (count > 1)
		add_inner(v, (pid_t)pid);
}

/* Returns false where it cannot be told; a process that has ended meanwhile tells nothing. */
static bool read_status(struct vanished *v, const char *proc, const char *name)
{
	char path[300], line[256];
	bool is_told = false;
	FILE *in;

	snprintf(path, sizeof(path), "%s/%s/status", proc, name);
	in = fopen(path, "re");
	if (!in)
		return errno == ENOENT || errno == ESRCH;
	while (!is_told && fgets(line, sizeof(line), in))
		if (strncmp(line, "NSpid:", 6) == 0) {
			read_pids(v, line + 6);
			is_told = true;
		}
	if (!is_told && ferror(in))
		is_told = errno == ESRCH;
	fclose(in);
	return is_told;
}

void vanished_look(struct vanished *v, const char *proc)
{
	DIR *all = opendir(proc);
	struct dirent *e;
	bool has_first = false;

	v->count = 0;
	v->sees_all = all != NULL;
	while (v->sees_all && (e = readdir(all))) {
		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		has_first |= strcmp(e->d_name, "1") == 0;
		v->sees_all = read_status(v, proc, e->d_name);
	}
	/* hidepid=2 shows one's own only: the first process is not */
	v->sees_all &= has_first;
	if (all)
		closedir(all);
}

void vanished_release(struct vanished *v)
{
	free(v->inner);
	*v = (struct vanished){ 0 };
}

bool vanished_is_over(const struct vanished *v, pid_t pid)
{
	if (!v->sees_all || pid <= 0 || kill(pid, 0) == 0 || errno != ESRCH)
		return false;
	for (size_t i = 0; i < v->count; i++)
		if (v->inner[i] == pid)
			return false;
	return true;
}
