/*
 * lock_all.h - mlockall() without the ring.
 */
#ifndef PRELOAD_LOCK_ALL_H
#define PRELOAD_LOCK_ALL_H

/*
 * Do what mlockall(FLAGS) does for the program's memory, but leave the ring alone:
 * the kernel would make every page of that large sparse file. Returns the
 * kernel's result.
 */
long lock_all(int flags);

#endif
