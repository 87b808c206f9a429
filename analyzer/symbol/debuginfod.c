/*
 * debuginfod.c - a client of libdebuginfod. Its functions are declared here as its manual
 * debuginfod_find_debuginfo(3) has them, so that building needs no header of it.
 */
#include "symbol/debuginfod.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmem.h"

#define LIBRARY "libdebuginfod.so.1"

typedef int progress_function(void *client, long a, long b);

struct debuginfod {
	void *library;
	void *client;
	int (*stop)(void *ctx);
	void *ctx;
	bool is_stopped;
	int failure;             /* errno; 0: none */
	void (*end)(void *client);
	int (*find)(void *client, const unsigned char *build_id, int bytes, char **path);
};

/* For libdebuginfod: non-zero ends the transfer. */
static int progress(struct debuginfod *di)
{
	if (di->stop && di->stop(di->ctx))
		di->is_stopped = true;
	return di->is_stopped;
}

/* The callback gets the client only; one file at a time is fetched. */
static struct debuginfod *current;

static int on_progress(void *client, long a, long b)
{
	(void)client;
	(void)a;
	(void)b;
	return current ? progress(current) : 0;
}

struct debuginfod *debuginfod_new(int (*stop)(void *ctx), void *ctx, const char **reason)
{
	struct debuginfod *di = xcalloc(1, sizeof(*di));
	void (*set_progress)(void *client, progress_function *f);
	void *(*begin)(void);

	di->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!di->library) {
		*reason = LIBRARY " is not there (Debian: package libdebuginfod1)";
		free(di);
		return NULL;
	}
	*(void **)&begin = dlsym(di->library, "debuginfod_begin");
	*(void **)&di->end = dlsym(di->library, "debuginfod_end");
	*(void **)&di->find = dlsym(di->library, "debuginfod_find_debuginfo");
	*(void **)&set_progress = dlsym(di->library, "debuginfod_set_progressfn");
	di->stop = stop;
	di->ctx = ctx;
	di->client = begin && di->end && di->find && set_progress ? begin() : NULL;
	if (!di->client) {
		*reason = LIBRARY " cannot be used";
		dlclose(di->library);
		free(di);
		return NULL;
	}
	set_progress(di->client, on_progress);
	return di;
}

void debuginfod_free(struct debuginfod *di)
{
	if (!di)
		return;
	di->end(di->client);
	/* the library stays: libcurl under it does not like to be unloaded */
	free(di);
}

char *debuginfod_find(struct debuginfod *di, const uint8_t *build_id, size_t bytes)
{
	char *path = NULL;
	int fd;

	if (bytes == 0 || bytes > 64 || di->is_stopped || di->failure)
		return NULL;
	current = di;
	fd = di->find(di->client, build_id, (int)bytes, &path);
	current = NULL;
	if (fd >= 0) {
		close(fd);
		return path;
	}
	free(path);
	if (fd != -ENOENT && !di->is_stopped)
		di->failure = -fd;
	return NULL;
}

const char *debuginfod_failure(const struct debuginfod *di)
{
	return di->failure == ENOSYS ? "no server is named in DEBUGINFOD_URLS" :
	       di->failure ? strerror(di->failure) : NULL;
}
