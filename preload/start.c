/*
 * start.c - the order in which the library comes to life. Relies on the dynamic
 * loader having relocated libc; not on libc's constructors, as the loader itself
 * allocates before they run.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "block.h"
#include "exit.h"
#include "fork.h"
#include "modules.h"
#include "process_record.h"
#include "real.h"
#include "regions.h"
#include "sample.h"
#include "session.h"
#include "settings.h"
#include "start.h"
#include "syscall_sites.h"
#include "tstate.h"
#include "unwind.h"

enum start_state { START_NOT_YET, START_RUNNING, START_DONE };

static uint32_t state;

/* Where the kernel put argc, argv and the environment; ld.so exports it. */
extern void *__libc_stack_end;

static void at_exit(int status, void *unused)
{
	(void)unused;
	exit_record(status);
}

/*
 * As the kernel gave it: constructors of other libraries may have replaced environ
 * before ours runs, and libc may not have set it yet.
 */
static char *const *environment(void)
{
	const long *stack = (const long *)__libc_stack_end;

	return stack ? (char *const *)(stack + 1 + stack[0] + 1) : environ;
}

static uint32_t option_features(void)
{
	return (session.options.free_stacks ? FEATURE_FREE_STACKS : 0) |
	       (session.options.timing_all ? FEATURE_TIMING_ALL : 0);
}

static void begin(void)
{
	char *const *env = environment();

	real_resolve();
	if (!session_open(env))
		return;
	unwind_init();
	session.features = block_init() | unwind_features() | option_features();
	session.features |= syscall_sites_install();
	sample_init();
	process_record_started();
	settings_record(env);
	regions_record();
	modules_record_all();
	tstate_init();
	fork_init();
	on_exit(at_exit, NULL);
	session_resume();
}

void start_run(void)
{
	struct thread *t = &thread;
	uint32_t not_yet = START_NOT_YET;
	int saved = errno;

	if (!__atomic_compare_exchange_n(&state, &not_yet, START_RUNNING, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	t->guard_sp = (uint64_t)__builtin_frame_address(0);
	t->phase = PHASE_OWN;
	begin();
	t->guard_sp = 0;
	__atomic_store_n(&state, START_DONE, __ATOMIC_RELEASE);
	errno = saved;
}

bool start_is_done(void)
{
	return __atomic_load_n(&state, __ATOMIC_ACQUIRE) == START_DONE;
}
