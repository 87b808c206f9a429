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
	enum alloc_kind kind;
	bool has_time;               /* some calls were timed */
	bool is_sample;              /* record --sample: every figure is an estimate */
	uint64_t timed_calls;        /* so many were timed */
	uint64_t all_calls;          /* of so many; the same: each was */
};

static inline bool callgrind_is_estimate(const struct callgrind_report *r)
{
	return r->is_sample || r->timed_calls < r->all_calls;
}

/* The file that callgrind_annotate and KCachegrind read. */
void callgrind_put_file(struct run *run, const struct callgrind_report *report);

#endif
