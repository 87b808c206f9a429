/*
 * filters.c - which calls that the library can do without may kill. Most filters let mincore
 * pass; the recorder has tried those that it is under itself (options.look_at_free), and
 * those come first: a process has at least the filters of the one that started it.
 */
#include "filters.h"

#include <sys/prctl.h>

#include "seccomp_filters.h"
#include "session.h"
#include "sys.h"
#include "sysfile.h"

#define STATUS_BYTES 4096

void filters_init(void)
{
	char status[STATUS_BYTES];

	session.no_mincore = false;
	if (SYS1(prctl, PR_GET_SECCOMP) == 0)
		return;
	session.no_mincore = sysfile_read("/proc/self/status", status, sizeof(status)) <= 0 ||
			     seccomp_filters_parse(status) >= session.options.look_at_free;
}
