/*
 * check_judge.h - limits, and what became of them: each thing that `check` looks at is a verdict,
 * with its reason in one line.
 */
#ifndef FORMS_CHECK_JUDGE_H
#define FORMS_CHECK_JUDGE_H

#include "forms/baseline.h"
#include "forms/form.h"
#include "forms/metric.h"

/* A limit of the command line. */
struct check_limit {
	const char *option;      /* "--max-peak" */
	enum figure figure;      /* FIGURE_COUNT: of a function */
	const char *function;    /* a pattern */
	enum metric metric;      /* of a function */
	uint64_t limit;          /* may be reached, not passed */
};

/* How much more than the baseline a figure may be. */
struct check_tolerance {
	bool is_percent;
	double percent;
	uint64_t amount;         /* bytes or blocks, where it is no percentage */
};

/* The largest value that TOLERANCE allows over VALUE. */
uint64_t check_allowed(const struct check_tolerance *tolerance, uint64_t value);

struct check_verdict {
	char *check;             /* "peak_bytes", "end in parse_*", "complete" */
	char *program;           /* NULL: the recording as such */
	char *source;            /* "--max-peak", "base.txt:4"; NULL */
	bool is_ok, is_bytes, has_numbers, has_baseline;
	uint64_t actual, limit;  /* has_numbers */
	uint64_t baseline;       /* has_baseline: limit is this and the tolerance */
	char *text;              /* one line, no line end, printable */
};

/* All zero is empty. */
struct check_result {
	struct check_verdict *verdicts;
	size_t count, capacity, failed;
};

void check_result_release(struct check_result *r);

/* Is the recording whole? A verdict for each loss and damage, or one that there is none. */
void check_judge_recording(struct run *run, struct check_result *r);

/* P's own figure against L; ACTUAL is what was measured. */
void check_judge_limit(const struct baseline_program *p, const struct check_limit *l, uint64_t actual,
		       struct check_result *r);

/*
 * Each figure of OLD, from the file PATH, against that of P. TOLERANCES: by figure. Figures that are
 * as much smaller are counted in *BETTER.
 */
void check_judge_baseline(const struct baseline_program *p, const struct baseline_program *old,
			  const char *path, const struct check_tolerance *tolerances,
			  struct check_result *r, size_t *better);

#endif
