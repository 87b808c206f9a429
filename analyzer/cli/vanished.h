/*
 * vanished.h - is a process over that told its pid and was never found under it? It may as well
 * live in another pid namespace, where it has that pid and here another one.
 *
 * A recorder sees the processes of its own namespace and of those below it, where
 * all that it started live: /proc/PID/status tells each one's pid in its own (NSpid, from Linux
 * 4.1). Where /proc does not show all (hidepid, none mounted) nobody is said to be over.
 */
#ifndef CLI_VANISHED_H
#define CLI_VANISHED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct vanished {
	bool sees_all;
	pid_t *inner;      /* pids that processes of namespaces below have there */
	size_t count, capacity;
};

/* One look at all of /proc: some 20 us a process. PROC is "/proc". */
void vanished_look(struct vanished *v, const char *proc);
void vanished_release(struct vanished *v);

/* True where no process has PID, in this namespace or one below, of those that ran before V's look. */
bool vanished_is_over(const struct vanished *v, pid_t pid);

#endif
