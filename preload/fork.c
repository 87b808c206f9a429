/*
 * fork.c - fork as seen from both sides. Relies on the page that fork wipes
 * (session.c) to tell a child that it is one. Promises never to write to a
 * slot that was claimed by the parent.
 */
#include <errno.h>
#include <pthread.h>

#include "clock.h"
#include "fork.h"
#include "process_record.h"
#include "session.h"
#include "tstate.h"
#include "unwind.h"

static void before_fork(void)
{
	thread.fork_stamp = clock_stamp();
}

static void after_fork_in_parent(void)
{
	thread.fork_stamp = 0;
}

/* MADV_WIPEONFORK came with Linux 4.14, and emulators ignore it. */
static void after_fork_in_child(void)
{
	session_wipe();
	fork_adopt();
}

static void adopt(struct thread *t)
{
	uint32_t parent = session.image, number = t->number;
	/* a raw clone told nobody: it was after the last event of its thread */
	uint64_t stamp = t->fork_stamp > t->ring.base.stamp ? t->fork_stamp : t->ring.base.stamp;

	t->fork_stamp = 0;
	if (!session_adopt_fork())
		return;
	unwind_forked();
	/* the process is announced before its thread */
	process_record_forked(parent, stamp, number);
	tstate_fork(t);
	session_resume();
}

void fork_adopt(void)
{
	struct thread *t = &thread;
	uint64_t guard = t->guard_sp;
	uint8_t phase = t->phase;
	int saved = errno;

	if (!session_is_forked() || (guard && (phase == PHASE_RECORD || phase == PHASE_OWN)))
		return;
	t->guard_sp = (uint64_t)__builtin_frame_address(0);
	t->phase = PHASE_OWN;
	adopt(t);
	t->phase = phase;
	t->guard_sp = guard;
	errno = saved;
}

void fork_init(void)
{
	pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}
