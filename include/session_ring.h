/*
 * session_ring.h - the session ring: one file, mapped shared by the recorder and by
 * every process of the tree.
 *
 *	0                struct ring_header
 *	meta_offset      metadata area, append only: struct meta_header + payload
 *	table_offset     slot words, one uint64_t a slot
 *	slots_offset     slot_count slots of slot_bytes: segment header + records
 *
 * The file is sparse: only what was used exists.
 */
#ifndef ALLOTROPE_SESSION_RING_H
#define ALLOTROPE_SESSION_RING_H

#include <stddef.h>
#include <stdint.h>

#include "record_kinds.h"
#include "segment.h"

#define RING_MAGIC "ALLORING"

enum when_full { WHEN_FULL_WAIT = 0, WHEN_FULL_DROP = 1, WHEN_FULL_OVERWRITE = 2 };
enum syscalls_mode { SYSCALLS_EXACT = 0, SYSCALLS_INFERRED = 1, SYSCALLS_OFF = 2, SYSCALLS_STACKS = 3 };
enum follow_mode { FOLLOW_TREE = 0, FOLLOW_EXEC = 1, FOLLOW_NO = 2 };
enum callgraph_mode { CALLGRAPH_CFI = 0, CALLGRAPH_FP = 1, CALLGRAPH_NO = 2, CALLGRAPH_LIBUNWIND = 3 };

/* What `record` asked of the library; the bare library fills it from the environment. */
struct ring_options {
	uint8_t when_full;    /* enum when_full */
	uint8_t syscalls;     /* enum syscalls_mode */
	uint8_t follow;       /* enum follow_mode */
	uint8_t callgraph;    /* enum callgraph_mode */
	uint8_t timing_all;   /* 1: measure each call */
	uint8_t free_stacks;  /* 1: call stacks of releases too */
	uint8_t bare;         /* 1: no recorder; slots are never freed */
	uint8_t look_at_free; /* 0, or look at the pages of large blocks when they are released: */
			      /* under less than so many seccomp filters */
	uint32_t depth;       /* call stack limit in frames */
	uint32_t check_stacks;/* 0, or compare each Nth stack with the oracles */
	uint64_t sample_bytes;/* 0: all; else mean bytes between samples */
};

/* Bounds of sample_bytes; the setting by which an image says that it samples. */
#define SAMPLE_BYTES_MIN (1ull << 10)
#define SAMPLE_BYTES_MAX (1ull << 30)
#define SETTING_SAMPLE "ALLOTROPE_SAMPLE"

/* Cache lines are kept apart: constants, recorder's, targets' counters. */
struct ring_header {
	uint8_t magic[8];
	uint32_t endian;
	uint16_t version;
	uint16_t header_bytes;
	uint64_t ring_bytes;   /* size of the mapping */
	uint64_t meta_offset;
	uint64_t meta_bytes;
	uint64_t table_offset;
	uint64_t slots_offset;
	uint32_t slot_bytes;
	uint32_t slot_count;   /* slots that exist: soft + one for each possible live thread */
	uint32_t soft_slots;   /* at most this many may be FULL at a time */
	uint8_t clock;         /* enum clock_kind */
	uint8_t stamp_shift;
	uint8_t unused[2];
	uint64_t start_stamp;
	uint64_t wall_ns;
	struct ring_options options;
	uint32_t root_pid;     /* bare: the pid of the first image */
	uint8_t pad0[4];

	/* written by the recorder */
	_Alignas(64) uint64_t heartbeat_ns; /* CLOCK_MONOTONIC of its last round; 0: none yet */
	uint32_t recorder_pid;
	uint32_t stopping;     /* 1: the recorder ends; do not wait for it */
	uint64_t taken_slots;  /* slots with records that it copied and gave back; ... */
	uint64_t taken_bytes;  /* ... bytes of records in them: what its file lacks died with it */

	/* written by the targets, seldom */
	_Alignas(64) uint64_t meta_tail;  /* bytes of the metadata area handed out */
	_Alignas(64) uint32_t next_image; /* last image number handed out */
	uint32_t full_slots;              /* slots in state FULL */
	uint32_t claim_hint;              /* no slot below this one is FREE (bare mode) */
	uint32_t claim_order;             /* counts claims, for the oldest */
	_Alignas(64) uint64_t losses[16]; /* by enum loss_cause, whole session */
	/* One locked slot for events of threads that are past their end. */
	_Alignas(64) uint64_t late_lock;
};

_Static_assert(sizeof(struct ring_header) <= 4096, "ring header fits its page");
_Static_assert(LOSS_COUNT <= 16, "loss counters");

/*
 * A slot word: state in the low 2 bits, the owner's tid in bits 32..63, the low
 * 30 bits of claim_order in bits 2..31. FREE -> OWNED by compare-and-swap of a
 * thread; OWNED -> FULL by a store of the owner (or the reaper); FULL -> FREE by
 * the recorder, after `committed` of the slot is zeroed; FULL -> OWNED by a
 * thread in overwrite mode.
 */
enum slot_state { SLOT_FREE = 0, SLOT_OWNED = 1, SLOT_FULL = 2, SLOT_DRAINING = 3 };

static inline uint64_t slot_word(enum slot_state state, uint32_t tid, uint32_t order)
{
	return (uint64_t)state | ((uint64_t)(order & 0x3fffffffu) << 2) |
	       ((uint64_t)tid << 32);
}

static inline enum slot_state slot_word_state(uint64_t word)
{
	return (enum slot_state)(word & 3);
}

static inline uint32_t slot_word_tid(uint64_t word)
{
	return (uint32_t)(word >> 32);
}

static inline uint32_t slot_word_order(uint64_t word)
{
	return (uint32_t)(word >> 2) & 0x3fffffffu;
}

/*
 * A metadata record: this header, 8-byte aligned, then `bytes` of payload,
 * padded with zeros to a multiple of 8. The magic is stored last, with release:
 * a hole (a writer killed in between) is skipped by looking for the next valid
 * header at an 8-byte boundary.
 */
#define META_MAGIC 0x4154454du /* "META" */

struct meta_header {
	uint32_t magic;
	uint16_t kind;     /* enum meta_kind */
	uint16_t unused;
	uint32_t bytes;    /* of payload */
	uint32_t checksum; /* FNV-1a of kind, bytes and the payload */
};

_Static_assert(sizeof(struct meta_header) == 16, "metadata header");

#define META_SPAN(bytes) (sizeof(struct meta_header) + (((size_t)(bytes) + 7) & ~(size_t)7))

static inline uint32_t meta_checksum(uint16_t kind, uint32_t bytes,
				     const uint8_t *payload)
{
	uint32_t sum = 2166136261u;

	sum = (sum ^ kind) * 16777619u;
	sum = (sum ^ bytes) * 16777619u;
	for (uint32_t i = 0; i < bytes; i++)
		sum = (sum ^ payload[i]) * 16777619u;
	return sum;
}

/* The environment variable by which the library finds its ring. */
#define ENV_RING "ALLOTROPE_RING"

#endif
