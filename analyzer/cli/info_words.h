/*
 * info_words.h - what allotrope info says in one word or one figure: text and JSON share it.
 */
#ifndef CLI_INFO_WORDS_H
#define CLI_INFO_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/recording.h"

/* By enum loss_cause: the key in JSON, the sentence. */
extern const char *const info_loss_keys[LOSS_COUNT];
extern const char *const info_loss_texts[LOSS_COUNT];

/* How the recording stands: "complete", "session ring", "unfinished", "incomplete". */
const char *info_state(const struct recording *r);

/* What to do about it, "" nothing. */
const char *info_state_remedy(const struct recording *r);

/* How IMAGE ended: "exit 0", "SIGKILL", "exec", "unknown". */
void info_status(const struct recording *r, const struct image *image, char *buffer, size_t bytes);

/* The same for what is not recorded. */
void info_unrecorded_status(const struct unrecorded *u, char *buffer, size_t bytes);

/* What a wait status says beside: " core" (a core was dumped), " oom" (killed for lack of memory). */
const char *info_status_note(const struct recording *r, bool has_end, int status, uint64_t stamp);

/* How memory system calls were seen, how call stacks were taken. */
const char *info_syscalls(const struct recording *r, const struct image *image);
const char *info_unwinder(const struct recording *r, const struct image *image);

/* How long it ran. */
uint64_t info_image_ns(const struct recording *r, const struct image *image);

/* The date of NS (CLOCK_REALTIME), "" for 0. */
void info_wall_clock(uint64_t ns, char *buffer, size_t bytes);

/* Payload of all event segments as it is stored. */
uint64_t info_stored_bytes(const struct recording *r);

/* Of the file that was named. A ring is nearly all hole: what it takes on the disk. */
uint64_t info_disk_bytes(const struct recording *r);

#endif
