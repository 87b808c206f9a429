/*
 * valgrind_arena.c - see valgrind_arena.h. Only sizes and places are kept, no memory: a piece
 * is a part of a superblock, free or given out. Pieces are told by numbers; 0 is none.
 */
#include "model/valgrind_arena.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"
#include "model/blocktable.h"

#define UNIT 16                     /* all sizes are multiples */
#define OVERHEAD 32                 /* of a piece: 16 bytes before and behind */
#define OVERHEAD_LOW 16
#define SUPER_HEADER 32
#define SUPER_BYTES ((uint64_t)4 << 20) /* a larger superblock is never split */
#define PAGE 4096
#define ADMIN 8                     /* Massif's --heap-admin */
#define LISTS 112
#define EXACT_LISTS 64              /* the first so many hold one size each */
#define SEARCH_MAX 100              /* pieces looked at in one list */
#define NEIGHBOURS 5                /* looked at in search of a lower address */
#define FIRST_ADDRESS ((uint64_t)0x4a00000)
_Static_assert(VALGRIND_SPLIT_MAX + OVERHEAD + SUPER_HEADER == SUPER_BYTES, "one piece");
#define SIZE_MAX_BYTES ((uint64_t)1 << 48)

struct piece {
	uint64_t address;
	uint64_t bytes;             /* overhead included */
	uint32_t before, after;     /* neighbours in the superblock; 0: its edge */
	uint32_t previous, next;    /* in the list, a ring; of unused numbers: next only */
	uint32_t super;
	bool is_free;
};

struct super {
	uint64_t address, bytes;    /* of the whole mapping */
	uint32_t first;             /* piece; 0: this number is unused */
	uint32_t next_unused;
	bool is_whole;              /* one piece, never split */
};

struct valgrind_arena {
	struct blocktable blocks;   /* the program's address -> size: piece */
	struct piece *pieces;
	size_t piece_count, piece_capacity;
	uint32_t unused_piece;
	struct super *supers;
	size_t super_count, super_capacity;
	uint32_t unused_super;
	uint32_t *by_address;       /* supers in use */
	size_t used, used_capacity;
	uint32_t deferred;          /* an empty superblock that may be given back; 0: none */
	uint32_t lists[LISTS];      /* where the search begins; 0: empty */
	uint64_t measure;
};

static uint64_t round_to(uint64_t bytes, uint64_t unit)
{
	return (bytes + unit - 1) & ~(unit - 1);
}

/* From which size on, in units of 16 bytes, a payload belongs to list 64, 65, ...: slopes of 5, 10, 20 %. */
static const uint16_t list_starts[LISTS - EXACT_LISTS] = {
	64, 67, 70, 74, 77, 81, 85, 90, 94, 99, 104, 109, 114, 120, 126, 133,
	139, 153, 169, 185, 204, 224, 247, 272, 299, 329, 362, 398, 438, 482, 530, 583,
	641, 770, 924, 1109, 1331, 1597, 1916, 2300, 2760, 3312, 3974, 4769, 5723, 6868, 8241, 9890,
};

static unsigned list_of(uint64_t payload)
{
	uint64_t units = payload / UNIT;
	unsigned low = 0, high = LISTS - EXACT_LISTS;

	if (units < EXACT_LISTS)
		return (unsigned)units;
	while (high - low > 1) {
		unsigned middle = (low + high) / 2;

		if (list_starts[middle] <= units)
			low = middle;
		else
			high = middle;
	}
	return EXACT_LISTS + low;
}

uint64_t valgrind_room(uint64_t size)
{
	uint64_t room = round_to(size, UNIT);

	if (room <= VALGRIND_SPLIT_MAX)
		return room;
	return round_to(room + OVERHEAD + SUPER_HEADER, PAGE) - OVERHEAD - SUPER_HEADER;
}

/* ---- pieces ---- */

static struct piece *piece_at(struct valgrind_arena *a, uint32_t piece)
{
	return &a->pieces[piece];
}

static uint32_t piece_new(struct valgrind_arena *a)
{
	uint32_t piece = a->unused_piece;

	if (piece) {
		a->unused_piece = a->pieces[piece].next;
	} else {
		xgrow(&a->pieces, &a->piece_capacity, a->piece_count, sizeof(*a->pieces));
		piece = (uint32_t)a->piece_count++;
	}
	a->pieces[piece] = (struct piece){ 0 };
	return piece;
}

static void piece_drop(struct valgrind_arena *a, uint32_t piece)
{
	a->pieces[piece].next = a->unused_piece;
	a->unused_piece = piece;
}

static unsigned piece_list(const struct valgrind_arena *a, uint32_t piece)
{
	return list_of(a->pieces[piece].bytes - OVERHEAD);
}

/* At the end of its list, that is before the one where the search begins. */
static void list_add(struct valgrind_arena *a, uint32_t piece)
{
	uint32_t *start = &a->lists[piece_list(a, piece)];
	struct piece *p = piece_at(a, piece);

	p->is_free = true;
	if (*start == 0) {
		p->previous = p->next = piece;
		*start = piece;
		return;
	}
	p->next = *start;
	p->previous = a->pieces[*start].previous;
	a->pieces[p->previous].next = piece;
	a->pieces[*start].previous = piece;
}

/* Begin the search at a piece with a lower address, if one stands close by. */
static void list_settle(struct valgrind_arena *a, unsigned list)
{
	uint32_t best = a->lists[list], up = best, down = best;

	for (int i = 0; i < NEIGHBOURS; i++) {
		up = a->pieces[up].next;
		down = a->pieces[down].previous;
		if (a->pieces[up].address < a->pieces[best].address)
			best = up;
		if (a->pieces[down].address < a->pieces[best].address)
			best = down;
	}
	a->lists[list] = best;
}

static void list_remove(struct valgrind_arena *a, uint32_t piece)
{
	unsigned list = piece_list(a, piece);
	struct piece *p = piece_at(a, piece);

	p->is_free = false;
	if (p->next == piece) {
		a->lists[list] = 0;
		return;
	}
	a->lists[list] = p->previous;
	a->pieces[p->previous].next = p->next;
	a->pieces[p->next].previous = p->previous;
	list_settle(a, list);
}

/* Cut PIECE, which is in no list, after BYTES; the rest is a new piece, in no list either. */
static uint32_t piece_cut(struct valgrind_arena *a, uint32_t piece, uint64_t bytes)
{
	uint32_t rest = piece_new(a);
	struct piece *p = piece_at(a, piece), *r = piece_at(a, rest);

	*r = (struct piece){
		.address = p->address + bytes,
		.bytes = p->bytes - bytes,
		.before = piece,
		.after = p->after,
		.super = p->super,
	};
	if (p->after)
		a->pieces[p->after].before = rest;
	p->after = rest;
	p->bytes = bytes;
	return rest;
}

/* PIECE takes in the one after it; neither is in a list. */
static void piece_join(struct valgrind_arena *a, uint32_t piece)
{
	struct piece *p = piece_at(a, piece);
	uint32_t gone = p->after;

	p->bytes += a->pieces[gone].bytes;
	p->after = a->pieces[gone].after;
	if (p->after)
		a->pieces[p->after].before = piece;
	piece_drop(a, gone);
}

/* ---- superblocks ---- */

static size_t super_place(const struct valgrind_arena *a, uint32_t super)
{
	size_t i = 0;

	while (a->by_address[i] != super)
		i++;
	return i;
}

static void super_drop(struct valgrind_arena *a, uint32_t super)
{
	size_t i = super_place(a, super);

	a->used--;
	memmove(&a->by_address[i], &a->by_address[i + 1], (a->used - i) * sizeof(*a->by_address));
	piece_drop(a, a->supers[super].first);
	a->supers[super] = (struct super){ .next_unused = a->unused_super };
	a->unused_super = super;
}

/* Give back the superblock that waits for it, if it is still empty; SUPER waits from now on. */
static void super_defer(struct valgrind_arena *a, uint32_t super)
{
	uint32_t waiting = a->deferred;

	if (waiting && waiting != super) {
		const struct piece *p = piece_at(a, a->supers[waiting].first);

		if (p->is_free && p->after == 0) {
			list_remove(a, a->supers[waiting].first);
			super_drop(a, waiting);
		}
	}
	a->deferred = super;
}

/* The lowest place with BYTES: before which of by_address. */
static size_t find_place(const struct valgrind_arena *a, uint64_t bytes, uint64_t *address)
{
	size_t i;

	*address = FIRST_ADDRESS;
	for (i = 0; i < a->used; i++) {
		const struct super *s = &a->supers[a->by_address[i]];

		if (s->address - *address >= bytes)
			break;
		*address = s->address + s->bytes;
	}
	return i;
}

/* A superblock for a piece of BYTES: its one piece, in its list. IS_SPLIT: whatever its size. */
static uint32_t super_new(struct valgrind_arena *a, uint64_t bytes, bool is_split)
{
	uint32_t super = a->unused_super, piece;
	struct super *s;
	size_t place;

	super_defer(a, 0);
	bytes = round_to(bytes + SUPER_HEADER, PAGE);
	if (bytes < SUPER_BYTES)
		bytes = SUPER_BYTES;
	if (super) {
		a->unused_super = a->supers[super].next_unused;
	} else {
		xgrow(&a->supers, &a->super_capacity, a->super_count, sizeof(*a->supers));
		super = (uint32_t)a->super_count++;
	}
	piece = piece_new(a);
	s = &a->supers[super];
	*s = (struct super){
		.bytes = bytes, .first = piece, .is_whole = bytes > SUPER_BYTES && !is_split,
	};
	place = find_place(a, bytes, &s->address);
	xgrow(&a->by_address, &a->used_capacity, a->used, sizeof(*a->by_address));
	memmove(&a->by_address[place + 1], &a->by_address[place],
		(a->used - place) * sizeof(*a->by_address));
	a->by_address[place] = super;
	a->used++;
	a->pieces[piece] = (struct piece){
		.address = s->address + SUPER_HEADER,
		.bytes = bytes - SUPER_HEADER,
		.super = super,
	};
	list_add(a, piece);
	return piece;
}

/* ---- giving out and taking back ---- */

/* A free piece of at least BYTES, or 0. */
static uint32_t find_piece(struct valgrind_arena *a, uint64_t bytes)
{
	for (unsigned list = list_of(bytes - OVERHEAD); list < LISTS; list++) {
		uint32_t piece = a->lists[list];

		for (unsigned looks = 1; piece; looks++) {
			if (looks >= SEARCH_MAX && list < LISTS - 1) {
				a->lists[list] = a->pieces[a->lists[list]].next;
				break;
			}
			if (a->pieces[piece].bytes >= bytes)
				return piece;
			piece = a->pieces[piece].next;
			if (piece == a->lists[list])
				break;
		}
	}
	return 0;
}

static uint32_t give(struct valgrind_arena *a, uint64_t payload, bool is_split)
{
	uint64_t bytes = payload + OVERHEAD;
	uint32_t piece = find_piece(a, bytes);
	bool may_cut = true;

	if (!piece) {
		piece = super_new(a, bytes, is_split);
		may_cut = !a->supers[a->pieces[piece].super].is_whole;
	}
	list_remove(a, piece);
	if (a->pieces[piece].bytes - bytes >= OVERHEAD && may_cut)
		list_add(a, piece_cut(a, piece, bytes));
	return piece;
}

static uint32_t give_aligned(struct valgrind_arena *a, uint64_t payload, uint64_t alignment)
{
	uint32_t base = give(a, payload + OVERHEAD + alignment, true), piece;
	uint64_t start = a->pieces[base].address;
	uint64_t at = round_to(start + OVERHEAD + OVERHEAD_LOW, alignment);

	piece = piece_cut(a, base, at - OVERHEAD_LOW - start);
	/* what is before stays a piece of its own, even beside another free one */
	list_add(a, base);
	return piece;
}

static void take(struct valgrind_arena *a, uint32_t piece)
{
	uint32_t super = a->pieces[piece].super, other;

	if (a->supers[super].is_whole) {
		super_drop(a, super);
		return;
	}
	list_add(a, piece);
	other = a->pieces[piece].after;
	if (other && a->pieces[other].is_free) {
		list_remove(a, piece);
		list_remove(a, other);
		piece_join(a, piece);
		list_add(a, piece);
	}
	other = a->pieces[piece].before;
	if (other && a->pieces[other].is_free) {
		list_remove(a, piece);
		list_remove(a, other);
		piece_join(a, other);
		list_add(a, other);
		piece = other;
	}
	if (!a->pieces[piece].before && !a->pieces[piece].after)
		super_defer(a, super);
}

/* ---- blocks ---- */

struct valgrind_arena *valgrind_arena_new(void)
{
	struct valgrind_arena *a = xcalloc(1, sizeof(*a));

	/* number 0 is none */
	xgrow(&a->pieces, &a->piece_capacity, 0, sizeof(*a->pieces));
	a->pieces[a->piece_count++] = (struct piece){ 0 };
	xgrow(&a->supers, &a->super_capacity, 0, sizeof(*a->supers));
	a->supers[a->super_count++] = (struct super){ 0 };
	return a;
}

void valgrind_arena_free(struct valgrind_arena *a)
{
	if (!a)
		return;
	blocktable_release(&a->blocks);
	free(a->pieces);
	free(a->supers);
	free(a->by_address);
	free(a);
}

static uint64_t room_of(const struct valgrind_arena *a, uint32_t piece)
{
	return a->pieces[piece].bytes - OVERHEAD;
}

static void know(struct valgrind_arena *a, uint64_t addr, uint32_t piece)
{
	struct block *b = blocktable_insert(&a->blocks, addr);

	if (!b) {
		/* its release was not seen */
		valgrind_arena_release(a, addr);
		b = blocktable_insert(&a->blocks, addr);
	}
	b->size = piece;
	a->measure += room_of(a, piece) + ADMIN;
}

/* Forget the block at ADDR: its piece, or 0. */
static uint32_t forget(struct valgrind_arena *a, uint64_t addr)
{
	struct block old;

	if (!blocktable_remove(&a->blocks, addr, &old))
		return 0;
	a->measure -= room_of(a, (uint32_t)old.size) + ADMIN;
	return (uint32_t)old.size;
}

static bool is_power(uint64_t n)
{
	return n && (n & (n - 1)) == 0;
}

void valgrind_arena_acquire(struct valgrind_arena *a, uint64_t addr, uint64_t alignment,
			    uint64_t size)
{
	uint64_t payload;

	if (!addr || size > SIZE_MAX_BYTES)
		return;
	payload = round_to(size, UNIT);
	if (alignment > UNIT && alignment <= SIZE_MAX_BYTES && is_power(alignment))
		know(a, addr, give_aligned(a, payload, alignment));
	else
		know(a, addr, give(a, payload, false));
}

void valgrind_arena_release(struct valgrind_arena *a, uint64_t addr)
{
	uint32_t piece = forget(a, addr);

	if (piece)
		take(a, piece);
}

void valgrind_arena_resize(struct valgrind_arena *a, uint64_t old, uint64_t addr, uint64_t size)
{
	uint32_t piece = forget(a, old);

	if (piece && addr && size <= room_of(a, piece)) {
		know(a, addr, piece);
		return;
	}
	valgrind_arena_acquire(a, addr, 0, size);
	if (piece)
		take(a, piece);
}

uint64_t valgrind_arena_measure(const struct valgrind_arena *a)
{
	return a->measure;
}
