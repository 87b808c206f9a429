/*
 * session.c - this process's place in a recording: whether it has one, its
 * number, and the word that says that it is live. Promises: nothing at all in a
 * secure-exec process.
 */
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock_init.h"
#include "own_memory.h"
#include "prefault.h"
#include "ring_file.h"
#include "session.h"
#include "sys.h"
#include "sysfile.h"

#define LINE_BYTES 512
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

struct session session;

static const volatile uint64_t never_live;
const volatile uint64_t *session_live = &never_live;

/* A page of our own: word 0 is *session_live; wiped in a forked child. */
static uint64_t *live_page;

static bool export_pending;

/* For ALLOTROPE_VERBOSE only: TEXT and the ring's path on standard error. */
static void say(const char *text)
{
	const char *parts[] = { "allotrope: ", text, session_ring_path(), "\n" };
	char line[LINE_BYTES];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t bytes = strnlen(parts[i], sizeof(line) - n);

		memcpy(line + n, parts[i], bytes);
		n += bytes;
	}
	SYS3(write, 2, line, n);
}

static void live_page_make(void)
{
	size_t page = getauxval(AT_PAGESZ);

	live_page = (uint64_t *)own_map(page);
	if (live_page)
		SYS3(madvise, live_page, page, MADV_WIPEONFORK);
}

/* With FOLLOW_NO only the root is recorded; whoever joins first is the root. */
static bool is_followed(void)
{
	uint32_t none = 0;

	__atomic_compare_exchange_n(&session.ring->root_pid, &none, session.pid, false,
				    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	return session.options.follow != FOLLOW_NO ||
	       __atomic_load_n(&session.ring->root_pid, __ATOMIC_RELAXED) == session.pid;
}

static void identity_take(void)
{
	struct sysfile_self self;

	sysfile_self(&self);
	session.owner_start = self.start_time;
	session.threads = self.threads;
	session.image = __atomic_add_fetch(&session.ring->next_image, 1, __ATOMIC_RELAXED);
}

bool session_open(char *const *env)
{
	struct config config;
	bool opened;

	if (getauxval(AT_SECURE))
		return false;
	config_read(&config, env);
	opened = config.ring ? ring_file_join(config.ring) : ring_file_create(&config);
	if (config.verbose)
		say(opened ? "recording to " : "not recording: cannot use ");
	if (!opened)
		return false;
	export_pending = !config.ring;
	session.options = session.ring->options;
	session.pid = (uint32_t)SYS0(getpid);
	clock_init(session.ring->clock, session.ring->stamp_shift);
	if (!prefault_write(session.ring, session.ring->meta_offset) || !is_followed() ||
	    __atomic_load_n(&session.ring->stopping, __ATOMIC_RELAXED))
		return false;
	live_page_make();
	if (!live_page)
		return false;
	identity_take();
	return true;
}

void session_resume(void)
{
	session.recording = true;
	*(volatile uint64_t *)live_page = 1;
	session_live = live_page;
}

void session_stop(void)
{
	session.recording = false;
	if (live_page)
		*(volatile uint64_t *)live_page = 0;
}

void session_wipe(void)
{
	*(volatile uint64_t *)live_page = 0;
}

bool session_is_forked(void)
{
	return session.recording && !*session_live;
}

bool session_adopt_fork(void)
{
	session.pid = (uint32_t)SYS0(getpid);
	if (session.options.follow != FOLLOW_TREE ||
	    __atomic_load_n(&session.ring->stopping, __ATOMIC_RELAXED)) {
		session_stop();
		return false;
	}
	identity_take();
	return true;
}

/*
 * A new array of pointers takes the place of environ: setenv() would allocate
 * from the target's heap. libc copies the array before it changes it.
 */
void session_export(void)
{
	static const char prefix[] = ENV_RING "=";
	size_t count = 0;
	const char *path = session_ring_path();
	char **array, *text;

	if (!export_pending || !environ)
		return;
	export_pending = false;
	while (environ[count])
		count++;
	array = (char **)own_map((count + 2) * sizeof(char *) + sizeof(prefix) + strlen(path));
	if (!array)
		return;
	text = (char *)(array + count + 2);
	memcpy(array, environ, count * sizeof(char *));
	memcpy(text, prefix, sizeof(prefix) - 1);
	strcpy(text + sizeof(prefix) - 1, path);
	array[count] = text;
	environ = array;
}
