/*
 * fork.h - a forked child becomes a process of its own in the recording.
 */
#ifndef PRELOAD_FORK_H
#define PRELOAD_FORK_H

/* Have the forks of this process noticed at once (pthread_atfork). Once, at start. */
void fork_init(void);

/*
 * In a child that session_is_forked(): new image, META_PROCESS, no slots. Called at
 * its first event, or by the atfork handler. Does nothing while the thread's
 * interrupted record is unfinished (fork in a signal handler). Keeps errno.
 */
void fork_adopt(void);

#endif
