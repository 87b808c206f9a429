/*
 * exit.h - the end of the process, recorded.
 */
#ifndef PRELOAD_EXIT_H
#define PRELOAD_EXIT_H

/*
 * The process ends with STATUS (as given to exit or _exit): META_CLOCK, META_MEMORY,
 * META_EXIT. Once; later calls do nothing, nor do those of a child that shares
 * this process's memory (vfork) and ends.
 */
void exit_record(int status);

#endif
