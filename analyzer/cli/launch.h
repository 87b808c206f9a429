/*
 * launch.h - the recorded program: started as if record were not there, its
 * signals, its end.
 */
#ifndef CLI_LAUNCH_H
#define CLI_LAUNCH_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/diag.h"

/*
 * What a child left behind: its own usage. wait4(2) adds that of the processes it has
 * waited for; HAS_CHILDREN tells that there were such and that USAGE is therefore from
 * /proc: page faults exact, times in clock ticks, ru_maxrss 0 (unknown).
 */
struct child_end {
	pid_t pid;
	int status;
	bool has_children;
	struct rusage usage;
	uint64_t largest_kib;    /* ru_maxrss: the most of itself and those it has waited for */
};

struct launch {
	pid_t root;              /* 0: not started */
	bool root_ended;
	struct child_end end;    /* of the root */
	bool interrupted;        /* after the root's end: a signal asks record to end */
	/* called for each child that was waited for, the root too */
	void (*on_end)(const struct child_end *end, void *ctx);
	void *ctx;
	/* private: as it was before launch_prepare */
	sigset_t mask;
	struct sigaction saved[3];
};

struct launch_program {
	const char *path;        /* file to execute */
	char **argv;
	const char *library;     /* for LD_PRELOAD, before what is there already; NULL: none */
	const char *ring;        /* ALLOTROPE_RING */
	bool python_malloc;      /* PYTHONMALLOC=malloc */
};

/*
 * Take over the signals of this process: block those that launch_wait handles,
 * ignore SIGPIPE and SIGXFSZ; and the numbers of closed standard descriptors. Before
 * any file is opened or thread started.
 */
void launch_prepare(struct launch *l);

/*
 * Start the program with the signals, the process group, the terminal and the
 * descriptors that record was started with. With ADOPT, processes whose parent
 * ends become children of record, so that their end is seen. Returns 0 when the
 * program runs; -1 with D set: 127 no such file, 126 cannot be executed, 125 no process.
 */
int launch_start(struct launch *l, const struct launch_program *p, bool adopt, struct diag *d);

/*
 * Wait for a signal for at most NS nanoseconds. Children that ended are reported.
 * While the root runs, a signal that somebody sent to record is passed on to it, and
 * one from the terminal, which it got itself, is not; afterwards a signal sets
 * INTERRUPTED. Returns false when there is no child left.
 */
bool launch_wait(struct launch *l, uint64_t ns);

/* True where a signal that ends a program is waiting; it is taken. */
bool launch_signal_pending(struct launch *l);

/*
 * The environment for P: that of this process, with the library and the ring in
 * it. An array that ends with NULL; it and its strings are the caller's.
 */
char **launch_environment(const struct launch_program *p, char **old);

/*
 * End this process as the program ended with STATUS (of wait(2)): its exit status, or
 * death of its signal, without a core file of our own. stdout and stderr must be
 * flushed.
 */
void launch_end_alike(int status) __attribute__((noreturn));

#endif
