/*
 * call_choice.h - which figure of which memory a tree of calls shows: the options that
 * `flame` and `tree` share (--metric, --kind, --by), and the same in words.
 */
#ifndef FORMS_CALL_CHOICE_H
#define FORMS_CALL_CHOICE_H

#include <argp.h>

#include "forms/form.h"
#include "forms/metric.h"

struct call_choice {
	enum metric metric;
	bool has_metric;      /* --metric was given */
	bool kinds[KIND_COUNT]; /* which are shown, by enum alloc_kind */
	bool by_line;         /* frames of one function at several lines stay apart */
};

/* What the options are parsed into: a part of the state of the form. */
struct call_choice_input {
	struct form_input form;       /* first: form_usage_error looks for it there */
	struct call_choice *choice;
};

/*
 * The parser of the three options: the first child of the form's own argp, whose parser calls
 * call_choice_init in ARGP_KEY_INIT. Without options: the heap, by line or not; the
 * metric is that of call_choice_settle.
 */
extern const struct argp call_choice_argp;
void call_choice_init(struct argp_state *state, struct call_choice_input *input,
		      struct call_choice *choice, bool by_line);

/*
 * The metric without --metric: live at the moment with --at, else at the peak. Returns 0, or -1
 * with run->diag set where the recording cannot know what was asked for.
 */
int call_choice_settle(struct call_choice *c, struct run *run);

/*
 * "bytes live at the peak", "mappings: bytes live at mark:full". IS_SUM: of several programs or
 * kinds, which do not have their peaks at one moment: "... the peak of each". The caller's.
 */
char *call_choice_text(const struct call_choice *c, const struct run *run, bool is_sum);

/* AMOUNT with the metric's own figure first: "12.3 MiB in 4,567 blocks"; the caller's. */
char *call_choice_amount(const struct call_choice *c, struct amount amount);

/*
 * Returns 0; -1 with run->diag set where the images shown have no call stack at all, because
 * none were recorded. In end().
 */
int call_choice_check_stacks(struct run *run);

/*
 * Add to RUN the note that the program mapped more itself than is shown, where only the heap is
 * shown and it did.
 */
void call_choice_note(const struct call_choice *c, struct run *run);

#endif
