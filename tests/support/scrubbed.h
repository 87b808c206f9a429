/*
 * scrubbed.h - for tests that run a program under valgrind and under allotrope: both runs
 * see one environment (tests/subjects/scrub.so), and addresses of both are told by
 * file and place in it.
 */
#ifndef SUPPORT_SCRUBBED_H
#define SUPPORT_SCRUBBED_H

#include <stddef.h>
#include <stdint.h>

#include "support/run.h"

/*
 * What stands before COMMAND (shell words) so that it runs scrubbed, ENVIRONMENT
 * ("NAME=VALUE ...") included; its mappings go to MAPS. The caller's.
 */
char *scrubbed_words(const char *environment, const char *command, const char *maps);

/* Record COMMAND so: ./test.data, ./test.maps. Fails the test where that fails. */
void record_scrubbed(const char *environment, const char *command);

/* ./in.json for jq, sed and awk, ./in.sql for sqlite3. */
void make_inputs(void);

/* A file as a process had it mapped: what stands at ADDRESS is at address - base in it. */
struct mapped { uint64_t start, end, base; char name[256]; };

struct maps { struct mapped *rows; size_t count; };

struct maps maps_read(const char *path);
const struct mapped *maps_find(const struct maps *m, uint64_t address); /* NULL: none */
void maps_free(struct maps *m);

#endif
