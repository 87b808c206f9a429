/*
 * exit.c - the last records of a process. Relies on its guard being free or not:
 * exit may be called from anywhere. Promises to write them once, whichever of
 * exit, _exit and quick_exit comes first.
 */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "clock.h"
#include "exit.h"
#include "fork.h"
#include "meta.h"
#include "process_record.h"
#include "session.h"
#include "snapshot.h"
#include "sys.h"
#include "tstate.h"
#include "unwind.h"

#define SAMPLE_LEAST_NS 1000000ull
#define SAMPLE_PART 50

/* A process that lived so long is worth a snapshot of its address space. */
#define SNAPSHOT_LIFE_NS 50000000ull

/* The pid that has written its end: a forked child has another one. */
static uint32_t recorded_pid;

static uint64_t microseconds(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000u + (uint64_t)t->tv_usec;
}

/* A part of the process's LIFE; a millisecond in any case for the program that was asked for. */
static uint64_t sample_budget_ns(uint64_t life)
{
	uint64_t part = life / SAMPLE_PART;
	uint32_t root = __atomic_load_n(&session.ring->root_pid, __ATOMIC_RELAXED);

	return root == session.pid && part < SAMPLE_LEAST_NS ? SAMPLE_LEAST_NS : part;
}

/*
 * A build starts programs by the thousand that live for a few milliseconds: nobody asks for the
 * address space of these, nor for the parts of their memory, which would make each a fifth
 * slower. The program that was started by `record`, or by hand, always counts.
 */
static bool is_worth_a_snapshot(uint64_t life)
{
	uint32_t recorder = session.ring->recorder_pid;

	return !recorder || (uint32_t)SYS0(getppid) == recorder || life >= SNAPSHOT_LIFE_NS;
}

static void exit_write(int status)
{
	uint64_t life = clock_monotonic_ns() - process_record_started_ns();
	bool is_worth = is_worth_a_snapshot(life);
	struct rusage usage;
	uint8_t small[96];
	struct meta_builder b;

	tstate_collect();
	unwind_finish();
	snapshot_at_exit(is_worth ? sample_budget_ns(life) : 0, is_worth);
	process_record_clock();
	memset(&usage, 0, sizeof(usage));
	SYS2(getrusage, RUSAGE_SELF, &usage);
	meta_init(&b, small, sizeof(small));
	meta_number(&b, session.image);
	meta_number(&b, clock_stamp());
	meta_number(&b, zigzag(status));
	meta_number(&b, microseconds(&usage.ru_utime));
	meta_number(&b, microseconds(&usage.ru_stime));
	meta_number(&b, (uint64_t)usage.ru_maxrss);
	meta_number(&b, (uint64_t)usage.ru_minflt);
	meta_number(&b, (uint64_t)usage.ru_majflt);
	meta_append(META_EXIT, &b);
}

/*
 * Who was made by a bare clone with a thread pointer of its own has no variables of a thread,
 * not even errno: Chromium's zygote changes its root in such a child. None is touched before
 * it is known that this process is the recorded one, or a fork of it with all that it had.
 */
static bool has_thread_variables(void)
{
	return __builtin_thread_pointer() != NULL;
}

void exit_record(int status)
{
	struct thread *t;
	uint32_t pid;
	uint64_t guard;
	uint8_t phase;
	int saved;

	/* in a sandbox the end is the recorder's to tell: it waits for the process */
	if (!session.recording || session.sandboxed || !has_thread_variables())
		return;
	/* a child made by fork becomes a process of its own, one made by vfork is none */
	if (session_is_forked())
		fork_adopt();
	pid = (uint32_t)SYS0(getpid);
	if (!session.recording || pid != session.pid ||
	    __atomic_exchange_n(&recorded_pid, pid, __ATOMIC_RELAXED) == pid)
		return;
	t = &thread;
	saved = errno;
	guard = t->guard_sp;
	phase = t->phase;
	t->guard_sp = (uint64_t)__builtin_frame_address(0);
	t->phase = PHASE_OWN;
	exit_write(status);
	t->phase = phase;
	t->guard_sp = guard;
	errno = saved;
}
