/*
 * summary_facts.h - what `summary` says, as figures: text and JSON print the
 * same facts.
 */
#ifndef FORMS_SUMMARY_FACTS_H
#define FORMS_SUMMARY_FACTS_H

#include "forms/form.h"
#include "forms/frame_tree.h"
#include "forms/rss_moment.h"
#include "forms/site_rows.h"
#include "model/findings.h"
#include "model/freed_pages.h"

struct summary_facts {
	const struct image *image;
	const struct heap *heap;
	char *command;
	uint64_t duration_ns;          /* of the window, else from start to end */
	const struct rss_moment *moment; /* NULL: no such image */
	uint64_t max_rss;              /* 0: unknown */
	struct frame_tree *tree;
	struct site_rows *sites;       /* by allocation site, most bytes at the peak of their kind first */
	struct findings *findings;
};

/* The facts about HEAP, one of the images shown. FREED: of its large blocks. */
struct summary_facts *summary_facts_new(struct run *run, struct rss_moments *moments,
					const struct freed_pages *freed, const struct heap *heap);
void summary_facts_free(struct summary_facts *f);

/* STAMP in nanoseconds after the start of F's program, 0 where it was before. */
uint64_t summary_moment_ns(const struct run *run, const struct summary_facts *f,
			   uint64_t stamp);

/* The allocation site of a finding, 0: none. */
frame_node summary_finding_site(const struct summary_facts *f, const struct finding *finding,
				const struct run *run);

/* The threads of IMAGE: the first is there also where it made no call; 0: unknown. */
size_t summary_threads(const struct recording *r, const struct image *image);

/* "malloc", ... by enum alloc_func; "brk", ... by enum memory_syscall. */
extern const char *const summary_func_names[];
extern const char *const summary_syscall_names[];

/* "exited with 0", "killed by SIGKILL", "did not end by itself": how IMAGE ended; BUFFER of 64 bytes. */
const char *summary_end_text(const struct recording *r, const struct image *image,
			     char *buffer);

/* The whole report as text. */
void summary_put_screen(struct run *run, const struct summary_facts *f);

/* The whole report as JSON; F may be NULL: no program was recorded. */
json_t *summary_json(struct run *run, const struct summary_facts *f);

#endif
