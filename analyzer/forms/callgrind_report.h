/*
 * callgrind_report.h - what the outputs of the form callgrind share.
 */
#ifndef FORMS_CALLGRIND_REPORT_H
#define FORMS_CALLGRIND_REPORT_H

#include "forms/callgraph.h"
#include "forms/form.h"

struct callgrind_report {
	const struct image *image;
	const struct callgraph *graph;
	bool has_time;               /* some calls were timed */
	uint64_t timed_calls;        /* so many */
	uint64_t all_calls;          /* of so many; the same: each was */
};

/* The file that callgrind_annotate and KCachegrind read. */
void callgrind_put_file(struct run *run, const struct callgrind_report *report);

#endif
