/*
 * segment.h - the header that stands before every run of records, in a slot of
 * the session ring and in the packed file alike.
 *
 * Packed file: struct file_header, then segments one after another (header,
 * stored_bytes of payload), then an optional index. Everything is little
 * endian; a reader on another machine refuses by `endian`.
 */
#ifndef ALLOTROPE_SEGMENT_H
#define ALLOTROPE_SEGMENT_H

#include <stddef.h>
#include <stdint.h>

#define FILE_MAGIC    "ALLOTRP\n"  /* first 8 bytes of a packed file */
#define SEGMENT_MAGIC 0x4745534cu  /* "LSEG" */
#define ENDIAN_MARK   0x0a0b0c0du

struct file_header {
	uint8_t magic[8];
	uint32_t endian;
	uint16_t version;      /* FORMAT_VERSION */
	uint16_t header_bytes; /* of this structure: where the first segment begins */
	uint8_t clock;         /* enum clock_kind */
	uint8_t stamp_shift;   /* stamps are the clock's value >> shift */
	uint8_t reserved[6];
	uint64_t start_stamp;  /* when `record` began */
	uint64_t wall_ns;      /* CLOCK_REALTIME then */
	uint64_t ticks_per_second; /* of stamps; 0: take it from META_CLOCK */
	uint32_t checksum;     /* of this structure with checksum = 0 */
	uint8_t unused[12];
};

enum clock_kind {
	CLOCK_KIND_TSC = 1,       /* rdtsc; cntvct_el0 on aarch64 */
	CLOCK_KIND_MONOTONIC = 2, /* CLOCK_MONOTONIC nanoseconds */
};

enum segment_kind {
	SEGMENT_EVENTS = 1,  /* event records of one stream */
	SEGMENT_META = 2,    /* metadata records */
	SEGMENT_SYMBOLS = 3, /* what addresses mean: docs/format.md */
	SEGMENT_BITMAP = 4,  /* resident pages */
	SEGMENT_INDEX = 5,   /* struct index_entry per segment; last in the file */
	SEGMENT_END = 6,     /* a complete recording has one, before the index */
};

#define SEGMENT_CRITICAL 1u /* a reader that does not know the kind must refuse */
#define SEGMENT_ZSTD     2u /* payload is one zstd frame with content checksum */

/*
 * All decoding state starts afresh in each segment: stamp base first_stamp,
 * address base 0, frame base 0, empty call stack, class CLASS_HEAP, thread
 * `thread`.
 *
 * committed is the only field that changes after the header is written (by a
 * release store, after the record's bytes); lost and last_stamp are final once
 * the slot is FULL.
 */
struct segment_header {
	uint32_t magic;
	uint16_t version;
	uint16_t header_bytes;
	uint16_t kind;          /* enum segment_kind */
	uint16_t flags;
	uint32_t image;         /* process instance: unique in the recording */
	uint32_t pid;
	uint32_t tid;           /* kernel's id of the owner when it claimed the slot */
	uint32_t stream;        /* events of one (image, stream) are in time order */
	uint32_t sequence;      /* of this segment in its stream, from 0 */
	uint32_t thread;        /* thread number in force at the beginning */
	uint32_t lost;          /* events lost in this stream before this segment */
	uint64_t first_stamp;
	uint64_t last_stamp;    /* 0: not closed */
	uint64_t committed;     /* payload bytes before compression */
	uint64_t stored_bytes;  /* packed file: bytes that follow the header */
	uint64_t owner_start;   /* start time of the owner (field 22 of stat), ticks */
	uint64_t sampling;      /* 0: every block; else mean bytes between samples */
	uint32_t events;        /* packed file: records in the segment, 0: not counted; ring: events */
	uint32_t checksum;      /* packed file: of this header with checksum = 0 */
	uint8_t reserved[32];
};

struct index_entry {
	uint64_t offset;       /* of the segment header in the file */
	uint64_t first_stamp;
	uint64_t last_stamp;
	uint32_t image;
	uint32_t stream;
	uint32_t sequence;
	uint16_t kind;
	uint16_t unused;
};

_Static_assert(sizeof(struct file_header) == 64, "packed file header");
_Static_assert(sizeof(struct segment_header) == 128, "segment header");
_Static_assert(offsetof(struct segment_header, committed) == 56, "committed");
_Static_assert(sizeof(struct index_entry) == 40, "index entry");

/* FNV-1a, 32 bits: catches damage, not malice. */
static inline uint32_t fnv1a(const void *bytes, size_t count)
{
	const uint8_t *p = (const uint8_t *)bytes;
	uint32_t sum = 2166136261u;

	for (size_t i = 0; i < count; i++)
		sum = (sum ^ p[i]) * 16777619u;
	return sum;
}

static inline uint32_t header_checksum(const struct segment_header *h)
{
	struct segment_header copy = *h;

	copy.checksum = 0;
	return fnv1a(&copy, sizeof(copy));
}

static inline uint32_t file_header_checksum(const struct file_header *h)
{
	struct file_header copy = *h;

	copy.checksum = 0;
	return fnv1a(&copy, sizeof(copy));
}

#endif
