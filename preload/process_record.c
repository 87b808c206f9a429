/*
 * process_record.c - composes the records of process_record.h from /proc and
 * system calls. Relies on being called by one thread at a time (start, fork
 * child), but for the clock.
 */
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <string.h>
#include <sys/auxv.h>

#include "clock.h"
#include "meta.h"
#include "process_record.h"
#include "session.h"
#include "sys.h"
#include "sysfile.h"

#define ARGV_BYTES (32u * 1024)
#define PATH_BYTES 4096
#define RECORD_BYTES (ARGV_BYTES + 3 * PATH_BYTES)
#define CLOCK_INTERVAL_NS 1000000000ull

/* Taken at start, and used again by forked children. */
static char argv_text[ARGV_BYTES];
static size_t argv_bytes;
static uint8_t buffer[RECORD_BYTES];

static uint64_t last_clock_ns;
static uint64_t started_ns;

/*
 * The arguments as the kernel laid them out, which is what it shows as cmdline. Not
 * where the loader was started as a program: it takes its own ones away.
 */
static bool argv_copy(char *const *argv)
{
	if (!argv || getauxval(AT_BASE) == 0)
		return false;
	argv_bytes = 0;
	for (; *argv; argv++) {
		size_t bytes = strlen(*argv) + 1, room = sizeof(argv_text) - argv_bytes;

		if (bytes > room)
			bytes = room;
		memcpy(argv_text + argv_bytes, *argv, bytes);
		argv_bytes += bytes;
	}
	return true;
}

static void arguments_read(char *const *argv)
{
	long n;

	if (argv_copy(argv))
		return;
	n = sysfile_read("/proc/self/cmdline", argv_text, sizeof(argv_text));
	argv_bytes = n > 0 ? (size_t)n : 0;
}

static void process_record(enum process_how how, uint32_t parent_image, uint64_t fork_stamp,
			   uint32_t fork_thread)
{
	/* a child may be forked on a very small stack */
	static char cwd[PATH_BYTES];
	struct meta_builder b;
	char libc[32] = "glibc ";

	started_ns = clock_monotonic_ns();
	if (sys_failed(SYS2(getcwd, cwd, sizeof(cwd))))
		cwd[0] = '\0';
	strncat(libc, gnu_get_libc_version(), sizeof(libc) - strlen(libc) - 1);
	meta_init(&b, buffer, sizeof(buffer));
	meta_number(&b, session.image);
	meta_number(&b, session.pid);
	meta_number(&b, (uint64_t)SYS0(getppid));
	meta_number(&b, parent_image);
	meta_number(&b, how);
	meta_number(&b, clock_stamp());
	meta_number(&b, session.owner_start);
	meta_number(&b, session.features);
	meta_bytes(&b, argv_text, argv_bytes);
	meta_string(&b, sysfile_exe());
	meta_string(&b, cwd);
	meta_string(&b, libc);
	meta_number(&b, (uint64_t)SYS1(brk, 0));
	meta_number(&b, fork_stamp);
	meta_number(&b, fork_thread);
	meta_number(&b, getauxval(AT_PAGESZ));
	meta_number(&b, clock_realtime_ns());
	meta_append(META_PROCESS, &b);
}

void process_record_started(char *const *argv)
{
	arguments_read(argv);
	process_record(PROCESS_STARTED, 0, 0, 0);
	meta_notes_release();
	process_record_clock();
}

void process_record_forked(uint32_t parent_image, uint64_t fork_stamp, uint32_t fork_thread)
{
	process_record(PROCESS_FORKED, parent_image, fork_stamp, fork_thread);
	process_record_clock();
}

uint64_t process_record_started_ns(void)
{
	return started_ns;
}

void process_record_clock(void)
{
	uint8_t small[64];
	struct meta_builder b;
	uint64_t before, monotonic, after;

	/* the kernel's clock lies between two stamps: take their middle */
	before = clock_stamp();
	monotonic = clock_monotonic_ns();
	after = clock_stamp();
	__atomic_store_n(&last_clock_ns, monotonic, __ATOMIC_RELAXED);
	meta_init(&b, small, sizeof(small));
	meta_number(&b, session.image);
	meta_number(&b, before + (after - before) / 2);
	meta_number(&b, monotonic);
	meta_number(&b, clock_realtime_ns());
	meta_append(META_CLOCK, &b);
}

void process_record_clock_if_due(void)
{
	uint64_t last = __atomic_load_n(&last_clock_ns, __ATOMIC_RELAXED);

	if (clock_monotonic_ns() - last >= CLOCK_INTERVAL_NS)
		process_record_clock();
}
