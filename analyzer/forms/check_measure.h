/*
 * check_measure.h - the recording's figures as a baseline, and the figure of a function: what
 * `check` judges.
 */
#ifndef FORMS_CHECK_MEASURE_H
#define FORMS_CHECK_MEASURE_H

#include "forms/baseline.h"
#include "forms/form.h"
#include "forms/frame_tree.h"
#include "forms/metric.h"

/*
 * The images shown as programs, those of one name as one: peak, end and mapped of the process
 * that has most, blocks and bytes in all of all of them. In the order of the first processes.
 */
void check_measure(struct run *run, struct baseline *b);

/*
 * Fill in the largest sites of each program of B (that check_measure made): those of its process
 * with the largest peak. Only this looks up names.
 */
void check_measure_sites(struct run *run, struct frame_tree *tree, struct baseline *b);

/* The base name of IMAGE's command, printable; a new string. */
char *check_program_name(const struct image *image);

/*
 * The figure M of all call stacks of the heap that a function matching PATTERN (fnmatch(3),
 * with or without its parameters) is in, over the images shown called PROGRAM, put together as
 * for check_measure. *IS_FOUND: some call stack has one.
 */
uint64_t check_function(struct run *run, struct frame_tree *tree, const char *program,
			const char *pattern, enum metric m, bool *is_found);

#endif
