/*
 * recording.h - an open recording: what is known before the first event is
 * read. Opens a packed file (allotrope.data) or a session ring (bare preload,
 * or a recorder that died), tells damage, and holds the tables of processes,
 * threads, modules, marks and samples.
 */
#ifndef TRACE_RECORDING_H
#define TRACE_RECORDING_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/diag.h"
#include "record_kinds.h"
#include "segment.h"
#include "session_ring.h"

struct thread_info {
	uint32_t number;      /* as in records */
	uint32_t tid;
	uint64_t start_stamp;
	uint64_t end_stamp;   /* 0: not seen */
	char *name;           /* last name known; may be empty, never NULL */
};

/* A module as it was mapped for a time. */
struct module_map {
	uint64_t start, end;  /* addresses [start, end) */
	uint64_t bias;        /* address = bias + address in the ELF file */
	uint64_t from_stamp;  /* in force from here ... */
	uint64_t to_stamp;    /* ... to here; UINT64_MAX: to the end */
	char *path;
	uint8_t build_id[32];
	uint8_t build_id_bytes;
	uint32_t module;      /* index in recording.modules: same file, same build */
};

/* A file that was mapped by any image. */
struct module {
	char *path;
	uint8_t build_id[32];
	uint8_t build_id_bytes;
};

struct setting { uint64_t stamp; char *key, *value; };
/* A line of /proc/PID/maps from before the library was there; prot: PROT_*. */
struct region { uint64_t stamp, start, end; uint32_t prot; char *name; };
struct note { uint64_t stamp; uint32_t image; bool fault; char *text; };
struct mark { uint64_t stamp; uint32_t pid; uint32_t image; char *name; };

/* Resident memory of one process at one moment, bytes. */
struct memory_sample {
	uint64_t stamp;
	uint32_t pid;
	uint32_t image;       /* found by pid and stamp */
	uint8_t moment;       /* enum memory_moment */
	bool has_parts;       /* heap, mapped, stack, file, shmem, other are known */
	uint64_t rss, heap, mapped, stack, file, shmem, other, virtual_bytes, swap;
};

/* One program that one process ran: the unit of all reports. */
struct image {
	uint32_t number;         /* as in segment headers */
	uint32_t pid, ppid;
	uint32_t exec_number;    /* 0 for the first image of a pid, then 1, ... */
	/*
	 * Its process: the number of the first image there. A pid may be of several, one after
	 * the other or, in pid namespaces, at the same time.
	 */
	uint32_t process;
	bool shares_pid;         /* some other image has this pid and is of another process */
	bool is_followed;        /* its process went on with a program that is recorded */
	uint64_t start_time;     /* of its process, as /proc/PID/stat says; 0: not known */
	uint32_t parent_image;   /* 0: unknown or none */
	uint8_t how;             /* enum process_how */
	uint32_t features;       /* FEATURE_* */
	uint64_t start_stamp;
	uint64_t end_stamp;      /* EXIT, or the last stamp seen */
	uint64_t fork_stamp;     /* how == PROCESS_FORKED: when the parent forked; 0: not known exactly */
	uint64_t initial_break;
	uint64_t page_size;
	int argc;
	char **argv;             /* NULL terminated */
	char *exe, *cwd, *libc;
	bool has_exit;           /* status and rusage are known */
	int status;              /* as from wait(2) */
	uint64_t utime_us, stime_us, maxrss_bytes, minflt, majflt;
	struct thread_info *threads; size_t thread_count;
	struct module_map *maps;     size_t map_count;   /* ordered by from_stamp */
	struct setting *settings;    size_t setting_count;
	struct region *regions;      size_t region_count;   /* by start */
	size_t segment_count;        /* EVENTS segments */
	uint64_t fork_thread;        /* how == PROCESS_FORKED: thread number of the parent that forked */
	bool is_replaced;            /* its process went on with a program that is not recorded */
	bool is_described;           /* its PROCESS record was found; else only pid and stamps are known */
};

/* A program that one of the images started and that is not in the recording, or was to start. */
struct unrecorded {
	uint64_t stamp;       /* of the exec */
	uint32_t pid;
	uint32_t starter;     /* image that called */
	uint32_t reasons;     /* bits 1 << enum exec_reason: what could have kept it out; 0: not known */
	int error;            /* errno: it was not started; 0: it was */
	bool has_end;         /* its parent was told how it ended: */
	int status;           /* as from wait(2) */
	uint64_t end_stamp;
	char *path;           /* as it was started; cut at 400 bytes */
	char *command;        /* shell-quoted, its beginning; may be empty, never NULL */
};

/* The kernel ended COUNT processes of a cgroup for lack of memory between the two stamps. */
struct oom_kills { uint64_t since_stamp, stamp, count; char *cgroup; };

/* Where a segment of the recording stands. */
struct segment_ref {
	uint64_t offset;          /* of the header in the file */
	struct segment_header header; /* as in the file */
	bool in_ring;             /* a slot: payload is not packed */
	bool is_damaged;          /* could not be read to its end */
	uint16_t source;          /* private: which of the opened files */
};

struct recording_sources;     /* private to trace/ */

struct recording {
	char *path;
	FILE *file;               /* seekable */
	bool is_ring;
	bool complete;            /* has an END segment: `record` finished; bare ring: its program ended */
	struct file_header head;  /* for a ring: filled from its header */
	double ns_per_tick;       /* of stamps */
	bool clock_is_estimate;   /* only one clock sample was found */
	uint64_t start_stamp, end_stamp;
	uint64_t wall_ns;         /* CLOCK_REALTIME at start_stamp */
	uint64_t wall_duration_ns;/* from the recorder; 0: unknown */
	uint32_t root_pid;        /* process that `record` started */
	char *command;            /* shell-quoted command line of the session; may be NULL */
	char *ring_path;          /* of the running session, or NULL */
	struct image *images;     size_t image_count;  /* by start_stamp */
	struct module *modules;   size_t module_count;
	struct mark *marks;       size_t mark_count;   /* by stamp */
	struct note *notes;       size_t note_count;
	struct unrecorded *unrecorded; size_t unrecorded_count; /* by stamp */
	struct oom_kills *oom_kills;   size_t oom_count;        /* by stamp */
	struct memory_sample *samples; size_t sample_count; /* by stamp */
	struct segment_ref *segments;  size_t segment_count; /* EVENTS: by image, stream, sequence */
	struct segment_ref *symbols;   size_t symbol_count;  /* SYMBOLS segments */
	struct segment_ref *bitmaps;   size_t bitmap_count;
	uint64_t losses[LOSS_COUNT];   /* whole session: max of counters and LOSS records seen so far */
	/* Damage: what could not be read. */
	size_t damaged_segments;
	uint64_t damaged_bytes;
	char damage[256];         /* the first damage, in words with offset; "" : none */
	size_t missing_segments;  /* by gaps of sequence numbers; those damaged in place included */
	/*
	 * What a recorder had taken from the ring and not written to the file beside it: in
	 * its memory while it lives, lost when it was killed. The gaps above are among these.
	 */
	uint64_t unwritten_segments, unwritten_bytes;
	struct ring_options options;   /* what was asked of the library */
	bool has_options;         /* false: a packed file; it keeps META_SESSION's text only */
	char *options_text;       /* META_SESSION: options of `record`; may be NULL */
	uint64_t raw_bytes;       /* sum of committed bytes of EVENTS segments */
	uint64_t slots_drained;   /* META_TOTALS; 0: unknown */
	uint64_t file_bytes;      /* size of the opened files, holes included */
	struct recording_sources *sources;
};

/*
 * Open PATH. Returns NULL with D set where nothing can be read: no such file,
 * not a recording, another version (says which and what to do), a directory, a
 * FIFO, empty. A partly readable recording opens; its damage is described in it.
 */
struct recording *recording_open(const char *path, struct diag *d);
/*
 * The same for COUNT (1..16) files that hold one recording together: what a recorder
 * that died had packed, and its ring. What is in several of them counts once.
 * All must open.
 */
struct recording *recording_open_many(const char *const paths[], size_t count,
				      struct diag *d);
void recording_close(struct recording *r);

/*
 * Call VISIT for each metadata record, by stamp; those without a stamp come
 * first. PAYLOAD is valid during the call.
 */
void recording_each_meta(struct recording *r,
			 void (*visit)(enum meta_kind kind, const uint8_t *payload,
				       size_t bytes, void *ctx),
			 void *ctx);

/*
 * Read the payload of S, unpacked, into *BUFFER (malloc'ed, grown, owned by the
 * caller, reusable) of *CAPACITY bytes. Returns its length, or -1 where it is
 * damaged (counted in R, described in R->damage once).
 */
int64_t recording_read(struct recording *r, const struct segment_ref *s,
		       uint8_t **buffer, size_t *capacity);

/*
 * Programs in r->unrecorded that were started; images whose own starts of programs were not
 * seen (syscalls=inferred or off, an older library).
 */
size_t recording_unrecorded_programs(const struct recording *r);
size_t recording_blind_images(const struct recording *r);

/* Why U is not in the recording: a sentence; a word. */
const char *unrecorded_reason(const struct unrecorded *u);
const char *unrecorded_reason_key(const struct unrecorded *u);

/*
 * A process that was killed by SIGKILL, which its parent was told at STAMP: did the kernel kill
 * one in a cgroup of the session for lack of memory then, or up to a second before?
 */
bool recording_is_oom_kill(const struct recording *r, uint64_t stamp);

/* Was no library in the programs (record --no-preload)? Then their calls are not known. */
bool recording_is_outside(const struct recording *r);

/* Mean bytes between the blocks that were recorded (record --sample); 0: all were. */
uint64_t recording_sampling(const struct recording *r);

/* Did `record --syscalls=stacks` note the functions between an allocator call and its system calls? */
bool recording_has_inner(const struct recording *r);

/* The image with NUMBER, or NULL. */
struct image *recording_image(const struct recording *r, uint32_t number);

/*
 * The image that started the process of IMAGE, or NULL: unknown. It stands before IMAGE in
 * r->images, whatever a damaged recording says: a walk from parent to parent ends.
 */
const struct image *image_parent(const struct recording *r, const struct image *image);

/* The thread NUMBER of IMAGE, or NULL. */
const struct thread_info *image_thread(const struct image *image, uint32_t number);

/* The module mapped at ADDRESS of IMAGE at STAMP (of its parent for what was before a fork), or NULL. */
const struct module_map *image_module(const struct recording *r,
				      const struct image *image,
				      uint64_t address, uint64_t stamp);

/* The image of process PID at STAMP: the last one started by then, else its first; NULL: none. */
struct image *recording_image_at(const struct recording *r, uint32_t pid, uint64_t stamp);

/*
 * How many modules had been mapped at ADDRESS of IMAGE and were unmapped by STAMP:
 * tells apart the code that stood at one address one after the other.
 */
uint16_t image_generation(const struct image *image, uint64_t address, uint64_t stamp);

/* Stamp to nanoseconds since the start of the recording (at most 4e18 either way), and back. */
int64_t recording_ns(const struct recording *r, uint64_t stamp);
uint64_t recording_stamp(const struct recording *r, int64_t ns);

/* Nanoseconds from stamp FROM to stamp TO; 0 where that is not later. */
uint64_t recording_span_ns(const struct recording *r, uint64_t from, uint64_t to);

#endif
