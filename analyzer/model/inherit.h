/*
 * inherit.h - what a forked image has from its parent. Nothing is copied block
 * by block: a child that frees an inherited block looks it up in its parent as
 * that was at the fork. To make that possible a parent with children buries
 * what it releases of the blocks that existed at its last fork, until its
 * children have ended. Sites and mappings are copied, within a budget.
 *
 * So a fork costs the parent's sites and mappings, not its blocks, and a child
 * without events costs nothing.
 */
#ifndef MODEL_INHERIT_H
#define MODEL_INHERIT_H

#include "model/heap.h"

/* What all forks of a replay may copy together; beyond it one nameless site holds the sum. */
#define INHERIT_SITES_MAX (1u << 20)
#define INHERIT_MAPPINGS_MAX (1u << 20)
/* Released blocks that one parent keeps for its children; then it forgets them all. */
#define INHERIT_BURIED_MAX (1u << 22)
/* Forks of forks that a look-up follows. */
#define INHERIT_GENERATIONS_MAX 64

struct dead_block {
	struct block block;
	uint64_t release_stamp;
	uint32_t older;            /* of the same address: index + 1; 0: none */
};

struct grave;

struct inheritance {
	/* as a child */
	struct heap_state *parent; /* NULL: inherits nothing */
	uint64_t fork_stamp;
	struct blocktable gone;    /* inherited blocks that are no more; birth_stamp: since when */
	site_id nameless;          /* SITE_NONE: every site was copied */
	/* as a parent */
	uint64_t last_fork_stamp;
	size_t children;           /* that have not ended */
	bool is_incomplete;        /* some buried blocks were forgotten */
	struct grave *graves;      /* uthash by address: index of the latest dead block */
	struct dead_block *dead;
	size_t dead_count, dead_capacity;
};

struct inherit_budget { size_t sites, mappings; };

/*
 * CHILD begins with what PARENT has now: to be called when exactly the events of
 * PARENT up to FORK_STAMP have been applied. IS_EXACT: PARENT had one thread.
 */
void inherit_fork(struct heap_state *child, struct heap_state *parent,
		  uint64_t fork_stamp, bool is_exact, struct inherit_budget *spent);

/*
 * Take the block at ADDR that CHILD inherited and still has out, at STAMP; its
 * sites in *OLD are CHILD's. Returns false: there is none.
 */
bool inherit_take(struct heap_state *child, uint64_t addr, uint64_t stamp,
		  struct block *old);

/* B has left the table of H at STAMP: keep it where a child may want it. */
void inherit_bury_slow(struct heap_state *h, const struct block *b, uint64_t stamp);

static inline void inherit_bury(struct heap_state *h, const struct block *b,
				uint64_t stamp)
{
	if (h->inheritance && h->inheritance->children &&
	    b->birth_stamp <= h->inheritance->last_fork_stamp)
		inherit_bury_slow(h, b, stamp);
}

/* B, buried last at its address, is back in the table of H (a realloc failed). */
void inherit_unbury(struct heap_state *h, const struct block *b);

/* Call VISIT for each inherited block that H still has; sites are H's. */
void inherit_each(struct heap_state *h,
		  void (*visit)(const struct block *b, void *ctx), void *ctx);

/* H has ended: its parent may forget, unless KEEP_BLOCKS. */
void inherit_child_ended(struct heap_state *h, bool keep_blocks);

void inherit_release(struct heap_state *h);

#endif
