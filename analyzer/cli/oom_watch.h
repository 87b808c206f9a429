/*
 * oom_watch.h - processes that the kernel kills for lack of memory, by the counters of the
 * cgroups (cgroups(7)) that the session's processes are in. A kill outside of any memory
 * cgroup is not seen.
 */
#ifndef CLI_OOM_WATCH_H
#define CLI_OOM_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct oom_watch;

/* What the counter of a cgroup rose by between two stamps. */
struct oom_rise {
	uint64_t since_stamp, stamp;
	uint64_t count;
	const char *cgroup;    /* its folder */
};

struct oom_watch *oom_watch_new(void);
void oom_watch_free(struct oom_watch *w);

/* Watch the cgroup that process PID is in now (STAMP). At most 64 cgroups, further ones are not seen. */
void oom_watch_process(struct oom_watch *w, pid_t pid, uint64_t stamp);

/* Read the counters at STAMP; EACH is called for those that rose since the last time. */
void oom_watch_poll(struct oom_watch *w, uint64_t stamp,
		    void (*each)(const struct oom_rise *rise, void *ctx), void *ctx);

/* ---- for tests ---- */

/* The number behind "oom_kill" in memory.events or memory.oom_control. False: there is none. */
bool oom_parse_count(const char *text, uint64_t *count);

/*
 * The folder of the cgroup that TEXT (/proc/PID/cgroup) names, in the file system that
 * MOUNTS (/proc/PID/mountinfo) shows; memory cgroups of version 1 come before version 2, which
 * has no memory where they exist. NULL: none. malloc'ed; *FILE is the counter's file in it.
 */
char *oom_parse_folder(const char *text, const char *mounts, const char **file);

#endif
