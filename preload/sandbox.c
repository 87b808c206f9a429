/*
 * sandbox.c - what is done before a program locks itself in. Relies on being called
 * before the call takes effect.
 */
#include <linux/seccomp.h>
#include <stdbool.h>
#include <sys/prctl.h>

#include "meta.h"
#include "sandbox.h"
#include "session.h"

/* Strict seccomp kills for any system call but four; both forbid rdtsc. */
static void end_recording(void)
{
	if (!session.recording)
		return;
	meta_note("recording ends here: the program gives up the system calls "
		  "or the clock that it needs");
	session_stop();
}

/* A filter without rights of its own needs the first; libseccomp(3) sets it too, by this function. */
static bool may_filter(int option, unsigned long argument)
{
	return option == PR_SET_NO_NEW_PRIVS ||
	       (option == PR_SET_SECCOMP && argument == SECCOMP_MODE_FILTER);
}

void sandbox_prctl(int option, unsigned long argument)
{
	if ((option == PR_SET_SECCOMP && argument == SECCOMP_MODE_STRICT) ||
	    (option == PR_SET_TSC && argument == PR_TSC_SIGSEGV))
		end_recording();
	if (may_filter(option, argument))
		session.sandboxed = true;
}

void sandbox_seccomp(unsigned operation)
{
	if (operation == SECCOMP_SET_MODE_STRICT)
		end_recording();
	if (operation == SECCOMP_SET_MODE_FILTER)
		session.sandboxed = true;
}
