/*
 * findings.h - what a replayed heap says in plain words: each finding is one
 * sentence with figures, and a remedy. The thresholds stand in findings.c.
 *
 * Findings come most severe first, then by the memory or the calls they
 * concern, so that the same recording gives the same list.
 */
#ifndef MODEL_FINDINGS_H
#define MODEL_FINDINGS_H

#include <stddef.h>
#include <stdint.h>

#include "model/replay.h"

struct freed_pages;

/* Every finding: identifier, key in JSON. */
#define FINDING_KINDS(ROW) \
	ROW(HIDDEN_ARENAS, "hidden_arenas")   /* CPython's arenas hide the objects in them */ \
	ROW(TRIM_STORM, "trim_storm")         /* the break goes up and down */ \
	ROW(MAPPING_CHURN, "mapping_churn")   /* malloc maps and unmaps block after block */ \
	ROW(SIZE_STORM, "size_storm")         /* one site, one size, very many blocks */ \
	ROW(TEMPORARY, "temporary")           /* blocks freed before the next is made */ \
	ROW(REALLOC_GROWTH, "realloc_growth") /* blocks that grow and move again and again */ \
	ROW(NEVER_TOUCHED, "never_touched")   /* large blocks of which little is used */ \
	ROW(NEVER_FREED, "never_freed")       /* most of the peak is still there at the end */ \
	ROW(BIGGEST_SITE, "biggest_site")     /* where the peak is */

enum finding_kind {
#define ROW(name, key) FINDING_##name,
	FINDING_KINDS(ROW)
#undef ROW
	FINDING_COUNT,
};

enum finding_severity {
	SEVERITY_PROBLEM, /* costs time or memory, and has a remedy */
	SEVERITY_HINT,    /* worth a look */
	SEVERITY_FACT,    /* where things are */
};

struct finding {
	uint8_t kind;      /* enum finding_kind */
	uint8_t severity;  /* enum finding_severity */
	stack_id stack;    /* a call stack of the site concerned; STACK_NONE: no single one */
	uint64_t count;    /* calls or blocks concerned; 0: does not apply */
	uint64_t bytes;    /* bytes concerned; 0: does not apply */
	uint64_t size;     /* size of each block, where it is one size; else 0 */
	double share;      /* 0 .. 1 of what the sentence compares with; 0: no comparison */
	char *text;        /* one sentence, no full stop, no line break */
	char *remedy;      /* what to do or which command to run next; same form; never NULL */
};

struct findings {
	struct finding *items;
	size_t count;
};

/*
 * How a site is called in sentences: "fill_free_list (intobject.c:52)". NAME
 * gets the call stack of a site, its kind and CTX and gives the name of its
 * allocation site (wrappers skipped); sites of the same kind and name are added
 * up. Called once for each site of the heap: make it cheap. The text is copied.
 * Returns NULL where nothing is known: such sites are "unknown code" together.
 */
struct site_naming {
	const char *(*name)(stack_id stack, enum alloc_kind kind, void *ctx);
	void *ctx;
};

/*
 * The findings on H, an image of R, after replay_finish. NAMING may be NULL
 * (all sites are then unknown code). FREED: what is known of the pages of large blocks, or NULL.
 * The result is the caller's: findings_free.
 */
struct findings *findings_new(const struct recording *r, const struct heap *h,
			      const struct site_naming *naming, const struct freed_pages *freed);
void findings_free(struct findings *f);

/* The key of KIND as in JSON, and "problem", "hint", "fact". */
const char *finding_key(enum finding_kind kind);
const char *finding_severity_name(enum finding_severity severity);

#endif
