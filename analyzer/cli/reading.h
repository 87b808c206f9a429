/*
 * reading.h - a recording opened for a report and replayed: what one form (run_form.c) and
 * a comparison of two states (cmd_diff.c) have in common. In this order:
 * reading_open, reading_prepare, reading_begin, reading_replay, reading_release.
 */
#ifndef CLI_READING_H
#define CLI_READING_H

#include "base/diag.h"
#include "cli/form_options.h"
#include "forms/form.h"
#include "forms/window.h"

/* All zero but `options` before reading_open. Does not move after it. */
struct reading {
	struct run run;              /* run.out and what belongs to it are the caller's; may be NULL */
	struct form_options options; /* file, format, what is shown, moments */
	struct diag diag;            /* run.diag */
	struct wrappers *wrappers;
	struct debuginfod *servers;  /* NULL: none are asked */
	struct replay *base;         /* events before the window */
	struct window *window;
};

/*
 * Open the recording that the options name, as FORM needs it; `pid` is there. Returns 0, or
 * -1 with `diag` set, as the functions below do; reading_release is due in any case.
 */
int reading_open(struct reading *rd, const struct form *form);

/* What is known only after a look at the whole: default image, moments, the window's base. */
int reading_prepare(struct reading *rd);

/* Make run.replay: a form's begin() may look at it. */
void reading_begin(struct reading *rd);

/* The one replay, with the events that the form asks for; then run.heaps is what it may read. */
int reading_replay(struct reading *rd);

/* Frees all but the form's state and what the caller put into the options. */
void reading_release(struct reading *rd);

#endif
