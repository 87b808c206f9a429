/*
 * threshold_facts.h - what the report `threshold` says of one program, as figures: text,
 * CSV and JSON print the same.
 */
#ifndef FORMS_THRESHOLD_FACTS_H
#define FORMS_THRESHOLD_FACTS_H

#include "forms/cause_text.h"
#include "forms/form.h"
#include "model/findings.h"
#include "model/served.h"
#include "model/threshold_track.h"

/* What was seen of the boundary, while the first threshold was in force under which a mapping was made. */
struct threshold_found {
	size_t moves;          /* how often it had moved by then */
	bool has_mapped;       /* a request got a mapping of its own, */
	uint64_t smallest;     /* the smallest of them; aligned requests aside */
	bool has_grown;        /* the heap grew for one, */
	uint64_t largest;      /* the largest of them */
	/* Requests no smaller than a threshold that yet came from the heap or from an arena: */
	uint64_t reused;       /* than that in force: enough was free there */
	uint64_t refused;      /* than that in force, and the heap grew: no mapping was to be had */
	uint64_t moved;        /* than the first, not than that in force, and the heap grew */
};

struct threshold_facts {
	const struct image *image;
	const struct heap *heap;
	const struct threshold_track *track;
	struct malloc_settings first, last;   /* in force at the begin and the end of the window */
	const struct threshold_move *moves;   /* in the window */
	size_t move_count;
	struct threshold_found found;
	const struct malloc_settings *found_settings; /* in force when that was found */
	const struct served_row *rows;        /* by size */
	size_t row_count;
	struct served_row sum;
	struct findings *findings;            /* of all kinds: threshold_finding_is_shown */
	struct cause_texts *places;
	bool is_glibc;
};

/* Trim storms and mapping churn: what this report is about. */
static inline bool threshold_finding_is_shown(const struct finding *x)
{
	return x->kind == FINDING_TRIM_STORM || x->kind == FINDING_MAPPING_CHURN;
}

/* Sizes FROM to TO (UINT64_MAX: no limit) as one row; sum.size is the size where all have one. */
struct threshold_group {
	uint64_t from, to;
	bool is_one_size;
	struct served_row sum;
};

/*
 * The rows of F in ranges that a reader takes in, with a boundary at the thresholds; each size
 * by itself where there are few or EACH is true. *COUNT of them, the caller's.
 */
struct threshold_group *threshold_groups(const struct threshold_facts *f, bool each, size_t *count);

/* Requests of SUM's sizes that were freed. */
static inline uint64_t served_freed(const struct served_row *row)
{
	return row->kept + row->trimmed + row->unmapped;
}

/* What the figures mean, in sentences: *COUNT paragraphs, each one and the list the caller's. */
char **threshold_paragraphs(const struct threshold_facts *f, size_t *count);

/* The parameters of malloc and what they did in this program: the same. */
char **threshold_terms(const struct threshold_facts *f, size_t *count);

void threshold_put_text(struct run *run, const struct threshold_facts *f, bool each, bool explains);
json_t *threshold_json(struct run *run, const struct threshold_facts *f);

#endif
