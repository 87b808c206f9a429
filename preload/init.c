/*
 * init.c - the constructor of the library. The start itself is start.c's: a hook
 * may have been called before this.
 */
#include "session.h"
#include "start.h"

static __attribute__((constructor)) void init(void)
{
	start_run();
	/* not in start_run(): libc's constructor may have come after that */
	session_export();
}
