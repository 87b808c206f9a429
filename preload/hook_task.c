/*
 * hook_task.c - calls that change what the recording must know of the process:
 * its end without exit(3), settings of the allocator, loading and unloading of objects, what
 * would make the library's own instructions fatal, and a change of the user.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "deep_binding.h"
#include "exit.h"
#include "modules.h"
#include "ring_share.h"
#include "sandbox.h"
#include "session.h"
#include "settings.h"
#include "task_real.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT void _exit(int status)
{
	exit_record(status);
	task_real._exit(status);
	__builtin_unreachable();
}

EXPORT void _Exit(int status)
{
	exit_record(status);
	task_real._Exit(status);
	__builtin_unreachable();
}

/* Its handlers still run, and are recorded, after this. */
EXPORT void quick_exit(int status)
{
	exit_record(status);
	task_real.quick_exit(status);
	__builtin_unreachable();
}

/* Programs that are started as another user must find the ring open to them. */

EXPORT int setuid(uid_t user)
{
	ring_share(user);
	return task_real.setuid(user);
}

EXPORT int seteuid(uid_t effective)
{
	ring_share(effective);
	return task_real.seteuid(effective);
}

EXPORT int setreuid(uid_t real_user, uid_t effective)
{
	ring_share(real_user);
	ring_share(effective);
	return task_real.setreuid(real_user, effective);
}

EXPORT int setresuid(uid_t real_user, uid_t effective, uid_t saved)
{
	ring_share(real_user);
	ring_share(effective);
	ring_share(saved);
	return task_real.setresuid(real_user, effective, saved);
}

EXPORT void *dlopen(const char *file, int mode)
{
	deep_binding_announce(mode);
	/* a tail call: the loader looks for FILE where the one who called it says */
	return task_real.dlopen(file, mode);
}

EXPORT int dlclose(void *handle)
{
	int result;

	/* a tail call: what the destructors free is not freed under this library */
	if (modules_exact)
		return task_real.dlclose(handle);
	result = task_real.dlclose(handle);
	modules_poll();
	return result;
}

EXPORT int mallopt(int parameter, int value)
{
	int result = task_real.mallopt(parameter, value);

	if (result && session.recording)
		settings_mallopt(parameter, value);
	return result;
}

EXPORT int prctl(int option, ...)
{
	unsigned long a, b, c, d;
	va_list list;

	va_start(list, option);
	a = va_arg(list, unsigned long);
	b = va_arg(list, unsigned long);
	c = va_arg(list, unsigned long);
	d = va_arg(list, unsigned long);
	va_end(list);
	sandbox_prctl(option, a);
	return task_real.prctl(option, a, b, c, d);
}
