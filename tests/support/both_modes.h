/*
 * both_modes.h - a program under the library in the two ways there are: drained by
 * `allotrope record`, and bare (LD_PRELOAD alone), where the ring is the recording.
 */
#ifndef SUPPORT_BOTH_MODES_H
#define SUPPORT_BOTH_MODES_H

#include "support/run.h"

/*
 * MODE ("record" or "bare") of COMMAND (shell words; it replaces the shell) after the shell
 * commands BEFORE ("" none), which run without the library. The recording, if one is made,
 * is ./test.data in both; the same of an earlier call is removed.
 */
struct result run_in_mode(const char *mode, const char *before, const char *command);

/*
 * Both modes one after the other: the program must end with STATUS and print OUT (NULL: whatever
 * it prints without the library), nothing may be lost, no free may be unmatched.
 * Fails the test with the name of the mode. Returns the summaries, {drained, bare}, the caller's.
 */
struct both_modes { json_t *drained, *bare; };
struct both_modes run_in_both(const char *before, const char *command, int status, const char *out);
void both_modes_free(struct both_modes *b);

/* The same integer at PATH in both, at least LEAST and at most MOST. */
void assert_both_in_range(const struct both_modes *b, const char *path, long long least,
			  long long most);

#endif
