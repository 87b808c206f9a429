/*
 * exit_list.h - the programs of a recording in the order in which they ended, for
 * reports whose lines say so: "+++ exited with 0 +++".
 */
#ifndef FORMS_EXIT_LIST_H
#define FORMS_EXIT_LIST_H

#include "forms/form.h"

struct exit_list {
	const struct image **images;
	size_t count, next;
};

/* Those of the run's window whose end was recorded. */
void exit_list_init(struct exit_list *l, const struct run *run);
void exit_list_release(struct exit_list *l);

/* The next image shown that ended before STAMP; NULL: none any more. */
const struct image *exit_list_next(struct exit_list *l, const struct run *run, uint64_t stamp);

#endif
