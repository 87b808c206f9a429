/*
 * look_probe.c - tries what a filter may kill for in a child: containers put all their programs
 * under one, which as a rule lets it pass.
 */
#include "cli/look_probe.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/text_file.h"
#include "seccomp_filters.h"

static unsigned own_filters(void)
{
	struct diag d = { 0 };
	size_t bytes;
	char *text = text_file_read("/proc/self/status", &bytes, &d);
	unsigned count = text ? seccomp_filters_parse(text) : SECCOMP_FILTERS_UNKNOWN;

	free(text);
	return count;
}

static void try_it(void)
{
	static char page[1];
	uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE);
	unsigned char present;

	/* no core file of it */
	prctl(PR_SET_DUMPABLE, 0);
	_exit(mincore((void *)((uintptr_t)page & ~(size - 1)), size, &present) != 0);
}

uint8_t look_probe(void)
{
	unsigned filters = own_filters();
	pid_t child;
	int status;

	if (filters == 0 || filters == SECCOMP_FILTERS_UNKNOWN)
		return 1;
	child = fork();
	if (child == 0)
		try_it();
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		return 1;
	return (uint8_t)(1 + filters);
}
