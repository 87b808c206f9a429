/*
 * check_report.h - verdicts as text, JSON and JUnit.
 */
#ifndef FORMS_CHECK_REPORT_H
#define FORMS_CHECK_REPORT_H

#include "forms/check_judge.h"

/* One line where all hold; else one for each that does not. */
void check_report_text(struct run *run, const struct check_result *r, const struct baseline *measured,
		       const char *baseline_path);

/* One object: ok, programs with their figures, checks, reasons, losses, notes, damage. */
void check_report_json(struct run *run, const struct check_result *r, const struct baseline *measured);

/*
 * A test suite in the form that Jenkins, GitLab and others read: a case for each verdict, by class
 * the program. No times, so that equal results are equal files.
 */
void check_report_junit(struct run *run, const struct check_result *r);

#endif
