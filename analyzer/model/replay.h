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
 * block (in its site) and begins a new one in the realloc's own site; mremap
 * does the same to a mapping. live = inherited + total - freed, where only a
 * forked image has inherited (live at the fork; not part of any other figure).
 *
 * `peak` belongs to the peak of the site's own kind: the sites of KIND_HEAP add
 * up to heap.peak, those of KIND_MAPPING to heap.mapped_peak. massif_peak is
 * KIND_HEAP only. peak, massif_peak and end are right after replay_finish, and
 * live, total, freed always.
 */
struct site {
	stack_id stack;
	uint32_t peak_epoch, massif_epoch; /* private to the replay */
	uint8_t kind;                /* enum alloc_kind */
	struct amount live;
	struct amount total;         /* acquired in all */
	struct amount peak;          /* live when the heap's live bytes were largest */
	struct amount massif_peak;   /* live at the maximum of Massif's measure (requested) */
	uint64_t usable_bytes;       /* of total: what the allocator gave */
	uint64_t main_size;          /* the size that more than half have, if there is one */
	uint64_t main_blocks;        /* of main_size: at least so many; exact for one size */
	uint64_t main_votes;         /* private to the replay: majority vote (Boyer and Moore) */
	struct amount freed;         /* released in all */
	struct amount temporary;     /* released by a free before the stream's next acquire */
	uint64_t lifetime_ticks;     /* sum over released blocks */
	uint64_t reallocs;           /* of total.blocks: made by resizing an older block */
	struct amount moved;         /* of reallocs: to another address; bytes kept, so copied */
	struct amount end;           /* live at the end (or at --until) */
};

/*
 * A live block. Of KIND_MAPPING: addr and size are the part concerned, in whole
 * pages (a mapping may be given back in parts, and counts as one block until
 * its last byte is gone); slack, origin and birth_serial mean nothing.
 */
struct block {
	uint64_t addr;
	uint64_t size;        /* requested; at most BLOCK_SIZE_MAX */
	uint64_t birth_stamp;
	site_id site;
	site_id origin;       /* site of the first allocation of a chain of reallocs */
	uint32_t slack;       /* usable - requested, saturated */
	uint32_t birth_serial;/* low bits of the stream's count of acquires: temporary blocks */
	uint32_t stream;      /* that acquired it */
	uint32_t cls : 8;     /* enum block_class */
	uint32_t massif_excess : 24; /* see heap.massif_peak_bytes; in 16 bytes, saturated */
};

/* No block can be larger (user space is 47 bits); what claims to be is counted as this. */
#define BLOCK_SIZE_MAX ((uint64_t)1 << 47)

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
	uint64_t timed, ticks;        /* calls that were seen to end, and their time */
	uint64_t shortest, longest;   /* of those: ticks of one */
	uint64_t grow, trim;          /* brk: calls that moved the break up, down */
	uint64_t grow_bytes, trim_bytes; /* brk; mmap, munmap and mremap: bytes of whole pages */
	uint64_t turns;               /* brk: times the break changed its direction */
};

/* Requested sizes: one row per distinct size. */
struct size_row { uint64_t size, count, bytes, usable_bytes; };

struct unmatched;

/*
 * One image's memory. Mapped bytes are address space in whole pages, whether
 * touched or not: a reservation with PROT_NONE counts. What the allocator maps
 * for itself is not KIND_MAPPING but heap_mapped_*, and maps of files are only in
 * syscalls. live, mapped_live, break and heap_mapped of a forked image begin
 * with what its parent had; totals do not.
 */
struct heap {
	const struct image *image;
	/*
	 * Not 0: one block in so many bytes was recorded, on average, and all figures of
	 * KIND_HEAP, those of funcs included, are estimates (estimate.h) but events,
	 * unmatched_frees and overlaps; temporary is not known. KIND_MAPPING, syscalls
	 * and break are exact.
	 */
	uint64_t sampling_bytes;
	struct amount total;          /* KIND_HEAP: acquired; a successful realloc counts one */
	struct amount live;
	struct amount peak;           /* by requested bytes; ties take the latest */
	uint64_t peak_stamp;
	struct amount massif_peak;    /* bytes: requested; at the maximum of Massif's measure */
	/*
	 * That maximum: sum over live blocks of (requested rounded up to 16, of
	 * some 4 MiB and more to whole pages) + 8, where a block that realloc made
	 * smaller keeps the room it had, as valgrind's own allocator does; of equal
	 * ones the first, just before what is released next. Measured with valgrind
	 * 3.19: massif's mem_heap_B + mem_heap_extra_B is 24 a block for 1..16
	 * bytes, 40 for 17..32, 8 for 0, and 520 after realloc(malloc(500), 100).
	 * Where a block fills a hole that is 16 bytes larger, or is aligned, Massif counts
	 * more: valgrind_arena.h.
	 */
	uint64_t massif_peak_bytes;
	uint64_t massif_live_bytes;   /* the same measure of what is live now */
	uint64_t massif_peak_stamp;
	struct amount end;
	struct amount freed;          /* blocks released by free and by realloc */
	uint64_t free_calls;          /* frees of a block: free family with a pointer */
	struct amount temporary;
	struct amount mapped_total, mapped_live, mapped_peak, mapped_end; /* KIND_MAPPING */
	uint64_t usable_live, usable_peak; /* usable bytes now; when peak */
	struct amount by_class[CLASS_COUNT]; /* total by enum block_class */
	uint64_t unmatched_frees;     /* frees and reallocs of blocks never seen */
	uint64_t unmatched_first_addr, unmatched_first_stamp;
	struct unmatched *unmatched;  /* by place: unmatched.h; of the whole time, whatever the window */
	uint64_t overlaps;            /* acquires of a live address whose release never came */
	uint64_t inherited_blocks;    /* live at the fork, copied from the parent */
	uint64_t inherited_bytes;
	struct amount inherited_mapped;
	bool inherited_is_exact;      /* the parent had one thread, and nothing was left out */
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
	uint64_t weight;      /* calls that it stands for: 1 but with sampling */
};

/*
 * What one event did. Pointers are valid until the next step. Where a change has
 * `old` and `block`, old went first.
 *
 * An acquire of an address that is still live waits up to 1 us for the release
 * (clocks of two cores differ a little), a release of an address that is not
 * live as long for its acquire. Such an event has its call at once and its block
 * with the later event, in the change of that event or in one of `also`.
 */
struct change {
	const struct change *also;    /* what else fell due; usually NULL. Has no call */
	struct heap *heap;            /* of the event's image; NULL: none */
	bool has_call;                /* `call` is complete with this event */
	bool acquired;                /* `block` is new */
	bool released;                /* `old` is gone */
	bool new_peak;                /* heap.live is a new maximum */
	struct call call;
	struct block block;
	struct block old;
	bool old_is_partial;          /* KIND_MAPPING: a part went, the mapping lives on */
	uint8_t kind;                 /* enum alloc_kind of block and old */
};

struct replay;

/* Which work is wanted. */
#define REPLAY_SIZES 1u  /* fill heap.sizes */
#define REPLAY_BLOCKS 2u /* replay_each_live also for images that have ended: keeps their blocks */

/* Streams are numbered densely by the merge: beyond this one an event is ignored. */
#define STREAM_MAX (1u << 24)

/* How long an acquire or a release waits for its counterpart, see struct change. */
#define SKEW_NS 1000

/*
 * A replay of R, whose stack numbers are those of STACKS; both outlive it. WANTS
 * is a sum of REPLAY_*. Where images fork it must be fed the events of parents
 * too: a child begins with what its parent had.
 */
struct replay *replay_new(struct recording *r, struct stacks *stacks, unsigned wants);
void replay_free(struct replay *rp);

/* Apply EVENT. Never fails: what does not fit is counted in the heap. */
const struct change *replay_step(struct replay *rp, const struct event *event);

/* After the last event: at-end figures, size rows, sites ready to read. */
void replay_finish(struct replay *rp);

size_t replay_heap_count(const struct replay *rp);
struct heap *replay_heap(const struct replay *rp, size_t index);     /* by image start */
struct heap *replay_image_heap(const struct replay *rp, uint32_t image); /* NULL: none */

/*
 * The image shown by default: largest peak of heap and mapped bytes, without what
 * it inherited (else a child that only waits to exec would stand before its
 * parent); ties: the first.
 */
struct heap *replay_default_heap(const struct replay *rp);

/*
 * The blocks and bytes that B, a block of KIND_HEAP of HEAP, stands for: itself, or more with
 * sampling. A form that counts blocks itself adds these up, not 1 and B's size.
 */
struct amount replay_weight(const struct heap *heap, const struct block *b);

/*
 * Call VISIT for each live block of KIND_HEAP of HEAP, inherited ones included,
 * in an order that only depends on the events. Without REPLAY_BLOCKS an image
 * whose last event has passed has none any more.
 */
void replay_each_live(const struct replay *rp, const struct heap *heap,
		      void (*visit)(const struct block *b, void *ctx), void *ctx);

/* The same for KIND_MAPPING: a call for each contiguous part, by address. */
void replay_each_mapping(const struct replay *rp, const struct heap *heap,
			 void (*visit)(const struct block *b, void *ctx), void *ctx);

#endif
