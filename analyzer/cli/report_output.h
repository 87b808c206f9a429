/*
 * report_output.h - the output of a report, opened as its options say.
 */
#ifndef CLI_REPORT_OUTPUT_H
#define CLI_REPORT_OUTPUT_H

#include "base/out.h"
#include "cli/form_options.h"
#include "forms/form.h"

/*
 * Open OUT as O says, with the user's pager on a terminal, and set what belongs to it in
 * RUN: out, out_path, color, width and the like. Returns 0, or -1 with run->diag set: it cannot be
 * written, or a terminal cannot show the format.
 */
int report_output_open(struct out *out, struct run *run, const struct form_options *o);

#endif
