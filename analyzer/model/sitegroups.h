/*
 * sitegroups.h - sites of the same kind and name added up: what findings speak
 * about. A program has thousands of call stacks, and few places that allocate.
 */
#ifndef MODEL_SITEGROUPS_H
#define MODEL_SITEGROUPS_H

#include "model/findings.h"
#include "model/freed_pages.h"
#include "model/replay.h"

struct sitegroup {
	char *name;              /* never NULL */
	stack_id stack;          /* of the site with the most bytes at peak, then in total */
	uint8_t kind;            /* enum alloc_kind */
	struct amount total, peak, end, temporary, moved;
	uint64_t reallocs;
	struct freed_row large;  /* large blocks and what of them was touched; its heap and site are 0 */
	uint64_t main_size;      /* a size that has more than half of the blocks, if one has */
	uint64_t main_blocks;    /* blocks of main_size: at least so many */
	uint64_t main_votes;
	uint64_t best_peak_bytes, best_total_bytes; /* of the site of `stack` */
};

struct sitegroups {
	struct sitegroup *items; /* in the order of their first site */
	size_t count;
};

/* FREED may be NULL: `large` is then empty. */
struct sitegroups *sitegroups_new(const struct heap *h, const struct site_naming *naming,
				  const struct freed_pages *freed);
void sitegroups_free(struct sitegroups *g);

#endif
