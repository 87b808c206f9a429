/*
 * packed_writer.h - the writing side of a packed file (allotrope.data): header,
 * segments, END, index. Used by `record`, by `recover` and by tests.
 *
 *	w = packed_writer_open(fd, &head);
 *	packed_writer_meta(w, META_SESSION, payload, bytes);   any time
 *	packed_writer_segment(w, &header, payload, 3);         any number
 *	packed_writer_finish(w);                               complete from here
 *	packed_writer_segment(w, &symbols, payload, 3);        optional: more
 *	packed_writer_finish(w);
 *	packed_writer_close(w);
 *
 * Each segment is one write: whatever stops the program in between leaves a file that
 * can be read up to there. Functions that fail return -1 (or NULL) with
 * errno set (ENOSPC: no room; EFBIG; EIO); a segment that was written in part is taken
 * back (ftruncate), and the writer can be used again. Not thread-safe.
 */
#ifndef TRACE_PACKED_WRITER_H
#define TRACE_PACKED_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "record_kinds.h"
#include "segment.h"

struct packed_writer;

/*
 * Begin a packed file in FD, which must be open for writing, seekable, and stays the
 * caller's; what it held is cut off. HEAD gives clock, stamp_shift,
 * start_stamp, wall_ns and ticks_per_second; magic, version and lengths are filled in.
 */
struct packed_writer *packed_writer_open(int fd, const struct file_header *head);

/*
 * Append one segment: H as in the slot (kind, image, pid, tid, stream, sequence, thread, lost,
 * stamps, sampling, flags), H->committed bytes of PAYLOAD. LEVEL is zstd's
 * (1..19, negative: faster); 0 stores the bytes as they are, without the checksum that
 * a zstd frame has. H->last_stamp may be 0 (the owner died): it is then found by
 * decoding. Returns the bytes that the file grew by, header included.
 */
int64_t packed_writer_segment(struct packed_writer *w, const struct segment_header *h,
			      const void *payload, int level);

/*
 * Add one metadata record (trace/meta_fields.h composes payloads). Records are
 * gathered and written as a META segment when 48 KiB are together, at
 * packed_writer_flush and at packed_writer_finish.
 */
int packed_writer_meta(struct packed_writer *w, enum meta_kind kind,
		       const void *payload, size_t bytes);

/* Write what packed_writer_meta has gathered. */
int packed_writer_flush(struct packed_writer *w);

/*
 * Complete the recording: gathered metadata, an END segment (once), the index. More segments may
 * follow: the first one takes the place of the index, and a further finish
 * writes a new one. In between the file is complete but for its index.
 */
int packed_writer_finish(struct packed_writer *w);

/* Bytes of the file so far. */
uint64_t packed_writer_bytes(const struct packed_writer *w);

/* Free W. Does not close the descriptor and writes nothing. NULL: nothing. */
void packed_writer_close(struct packed_writer *w);

#endif
