/*
 * start.c - the order in which the library comes to life. Relies on the dynamic
 * loader having relocated libc; not on libc's constructors, as the loader itself
 * allocates before they run.
 */
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "block.h"
#include "elf_object.h"
#include "exit.h"
#include "filters.h"
#include "fork.h"
#include "freed_look.h"
#include "meta.h"
#include "modules.h"
#include "process_record.h"
#include "real.h"
#include "regions.h"
#include "sample.h"
#include "session.h"
#include "settings.h"
#include "start.h"
#include "syscall_sites.h"
#include "task_real.h"
#include "tstate.h"
#include "unwind.h"

/* The end of an object's path that a note holds. */
#define NAME_SHOWN 128

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

static char *const *arguments(void)
{
	return __libc_stack_end ? (char *const *)__libc_stack_end + 1 : NULL;
}

static uint32_t option_features(void)
{
	return (session.options.free_stacks ? FEATURE_FREE_STACKS : 0) |
	       (session.options.timing_all ? FEATURE_TIMING_ALL : 0);
}

/* A report of such a program is empty, or nearly so: its reader must be told why. */
static void say_own_malloc(void)
{
	static const char before[] = "not seen: calls of the malloc that ",
			  behind[] = " brings itself";
	char text[sizeof(before) + NAME_SHOWN + sizeof(behind)], *p = text;
	const char *object = real_first_object();
	size_t n;

	if (!object)
		return;
	n = strlen(object);
	if (n > NAME_SHOWN) {
		object += n - NAME_SHOWN;
		n = NAME_SHOWN;
	}
	memcpy(p, before, sizeof(before) - 1);
	p += sizeof(before) - 1;
	memcpy(p, object, n);
	memcpy(p + n, behind, sizeof(behind));
	meta_fault(text);
}

static bool is_called(const struct link_map *map, const char *prefix)
{
	const char *slash = strrchr(map->l_name, '/');

	return strncmp(slash ? slash + 1 : map->l_name, prefix, strlen(prefix)) == 0;
}

/*
 * The runtimes of sanitizers call malloc before they are ready for their own functions, which
 * are what this library would call: their programs are left alone.
 */
static bool is_left_alone(void)
{
	const struct r_debug *list = elf_loader();

	for (const struct link_map *map = list ? list->r_map : NULL; map; map = map->l_next)
		if (is_called(map, "libasan.so") || is_called(map, "libtsan.so") ||
		    is_called(map, "liblsan.so"))
			return true;
	return false;
}

static void begin(void)
{
	char *const *env = environment();

	real_resolve();
	task_real_resolve();
	if (is_left_alone() || !session_open(env))
		return;
	filters_init();
	unwind_init();
	session.features = block_init() | unwind_features() | option_features();
	session.features |= syscall_sites_install() | freed_look_init();
	sample_init();
	process_record_started(arguments());
	say_own_malloc();
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
