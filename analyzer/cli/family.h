/*
 * family.h - the processes of a session: which images the recording has met,
 * and which of them still run. All functions may be called from any thread.
 *
 * A process is known by pid and start time (field 22 of /proc/PID/stat), so a pid
 * that was given away again is never taken for the old process. A process that could
 * not be found under its pid even once (it ended at once, or it lives in
 * another pid namespace) counts as unknown, neither running nor gone, until no process has
 * that pid any more, there or here.
 */
#ifndef CLI_FAMILY_H
#define CLI_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct family;

struct family *family_new(void);
void family_free(struct family *f);

/*
 * An image was announced (META_PROCESS). It replaces an earlier image of the
 * same process (exec). Image numbers above 2^24 are ignored: damage.
 */
void family_add(struct family *f, uint32_t image, pid_t pid, uint64_t start_time);

/*
 * Look again which processes run. Costs one small read of /proc for each, and once a second,
 * while there are unknown ones, one for each process of the machine.
 */
void family_poll(struct family *f);

/*
 * True where IMAGE will certainly write nothing more: its process ended, or runs
 * another program now.
 */
bool family_image_is_gone(struct family *f, uint32_t image);

/*
 * Pids of the processes seen running at the last poll: at most COUNT into PIDS; returns how
 * many there are.
 */
size_t family_running(struct family *f, pid_t *pids, size_t count);

/* Processes and images met so far. */
size_t family_process_count(struct family *f);
size_t family_image_count(struct family *f);

/* State letter and start time of process PID from /proc; false: no such process. */
bool process_stat(pid_t pid, char *state, uint64_t *start_time);

#endif
