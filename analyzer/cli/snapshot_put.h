/*
 * snapshot_put.h - the address space of another process as records of a recording: the text of its
 * smaps, and which pages of its private anonymous memory were touched.
 */
#ifndef CLI_SNAPSHOT_PUT_H
#define CLI_SNAPSHOT_PUT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "record_kinds.h"

/* Hand over one record. */
typedef void snapshot_sink(void *ctx, enum meta_kind kind, const uint8_t *bytes, size_t count);

/*
 * All of /proc/PID/NAME in *TEXT (malloc'ed, grown, the caller's, reusable; a NUL behind it) of
 * *CAPACITY bytes. Returns its bytes; 0: the process is gone, is not ours, or the text is longer
 * than 64 MiB.
 */
size_t proc_text(pid_t pid, const char *name, char **text, size_t *capacity);

/*
 * Give SINK the records of a snapshot of PID, whose smaps is SMAPS of BYTES bytes. STAMP is that of
 * the snapshot, LABEL the name of a mark, or "".
 */
void snapshot_put(pid_t pid, uint64_t stamp, enum memory_moment moment, const char *label,
		  const char *smaps, size_t bytes, snapshot_sink *sink, void *ctx);

#endif
