/*
 * session_file.h - the session ring as a file: made by `record`, mapped by it
 * and by every process of the tree; opened again by `mark`.
 */
#ifndef CLI_SESSION_FILE_H
#define CLI_SESSION_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "session_ring.h"

/* The ring's default size, and its bounds. */
#define RING_BYTES_DEFAULT (16u << 20)
#define RING_BYTES_MIN (1u << 20)
#define RING_BYTES_MAX (64ull << 30)

struct session_file {
	char *path;                /* absolute */
	int fd;                    /* close-on-exec */
	size_t bytes;              /* of the mapping */
	struct ring_header fixed;  /* as checked: a target may change what is in the file */
	struct ring_header *ring;  /* shared: only for what changes */
	uint64_t *words;           /* fixed.slot_count of them */
	uint8_t *slots;
	uint8_t *meta;
};

/*
 * Make a ring of RING_BYTES of slots with OPTIONS under a random name, mode 0600, in
 * /dev/shm where there is room, else in DIRECTORY (of the output). The mapping
 * is not inherited by fork. Returns 0, or -1 with D set.
 */
int session_file_create(struct session_file *s, const char *directory,
			uint64_t ring_bytes, const struct ring_options *options,
			struct diag *d);

/* Map the existing ring PATH. Everything in its header is checked against the file. */
int session_file_open(struct session_file *s, const char *path, struct diag *d);

/* Remove the file; the mapping stays, here and in the targets. */
void session_file_remove(struct session_file *s);

void session_file_close(struct session_file *s);

/*
 * Append one metadata record, as the library does: lock-free, in the ring's order.
 * Returns 0, or -1 where the area or the disk is full.
 */
int session_file_append(struct session_file *s, enum meta_kind kind,
			const void *payload, size_t bytes);

/* Give the pages of metadata area bytes [FROM, TO) back to the system. */
void session_file_punch(struct session_file *s, uint64_t from, uint64_t to);

#endif
