/*
 * replay.h - the heap as it was: events in time order turned into live blocks,
 * sites, peaks and regions. Forms read the tables here; none of them keeps a
 * heap of its own.
 *
 * Two kinds of allocation: KIND_HEAP (a block from the allocator) and
 * KIND_MAPPING (memory the program mapped itself: mmap outside the allocator).
 * All figures are bytes and blocks as requested unless the name says otherwise.
 */
#ifndef MODEL_REPLAY_H
#define MODEL_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/event.h"
#include "trace/recording.h"

enum alloc_kind { KIND_HEAP = 0, KIND_MAPPING = 1, KIND_COUNT };

typedef uint32_t site_id;       /* index into heap.sites */

/* blocks and bytes */
struct amount { uint64_t blocks, bytes; };

/*
 * All that was allocated with one call stack, one kind. A realloc ends the old
 * block (in its site) and begins a new one in the realloc's own site.
 */
struct site {
	stack_id stack;
	uint8_t kind;                /* enum alloc_kind */
	struct amount total;         /* acquired in all */
	struct amount freed;         /* released in all; live = total - freed */
	struct amount live;
	struct amount peak;          /* live when the heap's live bytes were largest */
	struct amount massif_peak;   /* live when Massif's measure was largest (bytes: requested) */
	struct amount end;           /* live at the end (or at --until) */
	struct amount temporary;     /* released before the thread's next acquire */
	uint64_t lifetime_ticks;     /* sum over released blocks */
	uint64_t usable_bytes;       /* of total: what the allocator gave */
	uint32_t peak_epoch, massif_epoch; /* private to the replay */
};

/* A live block. */
struct block {
	uint64_t addr;
	uint64_t size;        /* requested */
	uint64_t birth_stamp;
	site_id site;
	site_id origin;       /* site of the first allocation of a chain of reallocs */
	uint32_t slack;       /* usable - requested, saturated */
	uint32_t birth_serial;/* low bits of the stream's count of acquires: temporary blocks */
	uint32_t stream;      /* that acquired it */
	uint8_t cls;          /* enum block_class */
};

/* Per allocator function. */
struct func_totals {
	uint64_t calls;       /* all, failed and null ones included */
	uint64_t failed;
	uint64_t bytes;       /* requested by successful calls */
	uint64_t timed_calls; /* calls with a TIMING record */
	uint64_t timed_ticks;
};

struct syscall_totals {
	uint64_t calls, errors;
	uint64_t in_allocator;
	uint64_t inferred;
	uint64_t ticks;
	uint64_t grow, trim;          /* brk: calls that moved the break up, down */
	uint64_t grow_bytes, trim_bytes; /* brk; mmap and munmap use grow_bytes, trim_bytes */
};

/* Requested sizes: one row per distinct size. */
struct size_row { uint64_t size, count, bytes, usable_bytes; };

/* One image's memory. */
struct heap {
	const struct image *image;
	struct amount total;          /* KIND_HEAP: blocks acquired, a successful realloc counts one */
	struct amount live;
	struct amount peak;           /* by requested bytes; ties take the latest */
	uint64_t peak_stamp;
	struct amount massif_peak;    /* bytes: requested; at the maximum of Massif's measure */
	uint64_t massif_peak_bytes;   /* that maximum: sum of (requested + 8, rounded up to 16) */
	uint64_t massif_peak_stamp;
	struct amount end;
	struct amount freed;          /* blocks released by free and by realloc */
	uint64_t free_calls;          /* frees of a block: free family with a pointer */
	struct amount temporary;
	struct amount mapped_total, mapped_live, mapped_peak, mapped_end; /* KIND_MAPPING */
	uint64_t usable_live, usable_peak; /* usable bytes now; when peak */
	uint64_t unmatched_frees;     /* frees of blocks never seen */
	uint64_t unmatched_first_addr, unmatched_first_stamp;
	uint64_t overlaps;            /* acquires of an address that was live (after waiting for its release) */
	uint64_t inherited_blocks;    /* live at the fork, copied from the parent */
	uint64_t inherited_bytes;
	bool inherited_is_exact;      /* the parent had one thread */
	uint64_t break_start, break_now, break_peak; /* program break; 0: unknown */
	uint64_t heap_mapped_live, heap_mapped_peak; /* bytes the allocator itself holds by mmap */
	uint64_t first_stamp, last_stamp;
	uint64_t events;
	struct func_totals funcs[FUNC_COUNT];
	struct syscall_totals syscalls[SYS_MEM_COUNT];
	uint64_t losses[LOSS_COUNT];  /* LOSS records of this image */
	struct site *sites; size_t site_count;
	struct size_row *sizes; size_t size_count; /* by size, ascending; made by replay_finish */
};

/* A completed allocator call, in the words of its caller: what ltrace prints. */
struct call {
	uint8_t func;         /* enum alloc_func */
	uint8_t error;        /* errno where it failed, else 0 */
	uint64_t pointer;     /* argument of free, realloc */
	uint64_t nmemb;       /* calloc, reallocarray */
	uint64_t alignment;   /* aligned family */
	uint64_t size;        /* requested bytes (of one element with nmemb) */
	uint64_t result;      /* address returned; 0: NULL */
	uint64_t stamp;       /* when it was entered where that is known, else when it returned */
};

/* What one event did. Pointers are valid until the next step. */
struct change {
	struct heap *heap;            /* of the event's image; NULL: none */
	bool has_call;                /* `call` is complete with this event */
	bool acquired;                /* `block` is new */
	bool released;                /* `old` is gone */
	bool new_peak;                /* heap.live is a new maximum */
	struct call call;
	struct block block;
	struct block old;
	uint8_t kind;                 /* enum alloc_kind of block and old */
};

struct replay;

/* Which work is wanted. */
#define REPLAY_SIZES 1u  /* fill heap.sizes */

struct replay *replay_new(struct recording *r, struct stacks *stacks, unsigned wants);
void replay_free(struct replay *rp);

/* Apply EVENT. Never fails: what does not fit is counted in the heap. */
const struct change *replay_step(struct replay *rp, const struct event *event);

/* After the last event: at-end figures, size rows, sites ready to read. */
void replay_finish(struct replay *rp);

size_t replay_heap_count(const struct replay *rp);
struct heap *replay_heap(const struct replay *rp, size_t index);     /* by image start */
struct heap *replay_image_heap(const struct replay *rp, uint32_t image); /* NULL: none */

/* The image shown by default: largest peak of heap and mapped bytes; ties: the first. */
struct heap *replay_default_heap(const struct replay *rp);

/* Call VISIT for each live block of HEAP, in no order. */
void replay_each_live(const struct replay *rp, const struct heap *heap,
		      void (*visit)(const struct block *b, void *ctx), void *ctx);

#endif
