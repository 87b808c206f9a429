/*
 * packed_writer.c - writes allotrope.data: one write per segment, each with its own
 * header and checksums, so that a cut anywhere costs what is behind the cut
 * only. Relies on libzstd; keeps 40 bytes of index per segment in memory.
 */
#include "trace/packed_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include <zstd.h>

#include "base/xmem.h"
#include "record_codec.h"
#include "session_ring.h"
#include "version.h"

/* Metadata records are gathered up to this. */
#define META_BATCH_BYTES (48 * 1024)
#define META_LEVEL 3

struct packed_writer {
	int fd;
	bool has_end;               /* the END segment is written */
	bool has_index;             /* the file ends with an index at `bytes` */
	uint64_t bytes;             /* where the next segment goes */
	uint64_t file_bytes;        /* bytes plus the index, where there is one */
	uint64_t last_stamp;        /* largest seen: END's */
	struct index_entry *index;
	size_t index_count, index_capacity;
	uint8_t *meta;              /* gathered records */
	size_t meta_bytes, meta_capacity;
	uint32_t meta_sequence;
	ZSTD_CCtx *zstd;
	uint8_t *packed;
	size_t packed_capacity;
	struct decoder decoder;     /* for segments without a last stamp */
};

/* All of IOV or nothing: what was written in part is cut off again. */
static int write_all(struct packed_writer *w, struct iovec *iov, int count)
{
	uint64_t at = w->bytes;

	while (count > 0) {
		ssize_t n = pwritev(w->fd, iov, count, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int error = n < 0 ? errno : ENOSPC;

			if (ftruncate(w->fd, (off_t)w->bytes) == 0)
				w->has_index = false;
			errno = error;
			return -1;
		}
		at += (uint64_t)n;
		while (count > 0 && (size_t)n >= iov->iov_len) {
			n -= (ssize_t)iov->iov_len;
			iov++;
			count--;
		}
		if (count > 0) {
			iov->iov_base = (uint8_t *)iov->iov_base + n;
			iov->iov_len -= (size_t)n;
		}
	}
	return 0;
}

struct packed_writer *packed_writer_open(int fd, const struct file_header *head)
{
	struct file_header h = *head;
	struct packed_writer *w;

	memcpy(h.magic, FILE_MAGIC, sizeof(h.magic));
	h.endian = ENDIAN_MARK;
	h.version = FORMAT_VERSION;
	h.header_bytes = sizeof(h);
	h.checksum = file_header_checksum(&h);
	if (ftruncate(fd, 0) < 0)
		return NULL;
	w = xcalloc(1, sizeof(*w));
	w->fd = fd;
	w->last_stamp = h.start_stamp;
	w->zstd = ZSTD_createCCtx();
	if (!w->zstd) {
		errno = ENOMEM;
		goto fail;
	}
	if (write_all(w, &(struct iovec){ &h, sizeof(h) }, 1) < 0)
		goto fail;
	w->bytes = w->file_bytes = sizeof(h);
	return w;
fail:
	packed_writer_close(w);
	return NULL;
}

/* The payload as it will be stored. Returns its bytes. */
static size_t pack(struct packed_writer *w, const void *payload, size_t bytes,
		   int level, const void **stored)
{
	size_t packed;

	*stored = payload;
	if (!level || !bytes)
		return bytes;
	xgrow(&w->packed, &w->packed_capacity, ZSTD_compressBound(bytes), 1);
	ZSTD_CCtx_reset(w->zstd, ZSTD_reset_session_and_parameters);
	ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, level);
	ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1);
	packed = ZSTD_compress2(w->zstd, w->packed, w->packed_capacity, payload, bytes);
	if (ZSTD_isError(packed))
		return bytes;
	*stored = w->packed;
	return packed;
}

/* The stamp of the last record, for a segment whose owner did not close it. */
static uint64_t last_stamp(struct packed_writer *w, const struct segment_header *h,
			   const void *payload)
{
	struct record r;

	decoder_init(&w->decoder, payload, h->committed, h->first_stamp, h->thread);
	while (record_decode(&w->decoder, &r) > 0)
		continue;
	return w->decoder.base.stamp;
}

static void drop_index(struct packed_writer *w)
{
	/* a shorter segment over the index would leave the index's tail behind it */
	if (w->has_index && ftruncate(w->fd, (off_t)w->bytes) == 0)
		w->has_index = false;
	w->file_bytes = w->bytes;
}

/* Complete HEADER, write it and the payload; the index gets a row. */
static int64_t append(struct packed_writer *w, struct segment_header h,
		      const void *payload, int level)
{
	const void *stored;
	size_t bytes = pack(w, payload, h.committed, level, &stored);
	uint64_t offset = w->bytes;

	h.magic = SEGMENT_MAGIC;
	h.version = FORMAT_VERSION;
	h.header_bytes = sizeof(h);
	h.flags &= (uint16_t)~SEGMENT_ZSTD;
	if (h.kind == SEGMENT_EVENTS || h.kind == SEGMENT_META || h.kind == SEGMENT_END)
		h.flags |= SEGMENT_CRITICAL;
	if (stored != payload)
		h.flags |= SEGMENT_ZSTD;
	h.stored_bytes = bytes;
	h.checksum = 0;
	memset(h.reserved, 0, sizeof(h.reserved));
	h.checksum = header_checksum(&h);
	drop_index(w);
	if (write_all(w, (struct iovec[]){ { &h, sizeof(h) }, { (void *)stored, bytes } }, 2) < 0)
		return -1;
	xgrow(&w->index, &w->index_capacity, w->index_count, sizeof(*w->index));
	w->index[w->index_count++] = (struct index_entry){
		.offset = offset, .first_stamp = h.first_stamp,
		.last_stamp = h.last_stamp, .image = h.image, .stream = h.stream,
		.sequence = h.sequence, .kind = h.kind,
	};
	w->bytes += sizeof(h) + bytes;
	w->file_bytes = w->bytes;
	if (h.last_stamp > w->last_stamp)
		w->last_stamp = h.last_stamp;
	return (int64_t)(sizeof(h) + bytes);
}

int64_t packed_writer_segment(struct packed_writer *w, const struct segment_header *h,
			      const void *payload, int level)
{
	struct segment_header copy = *h;

	if (copy.kind == SEGMENT_EVENTS && !copy.last_stamp)
		copy.last_stamp = last_stamp(w, h, payload);
	return append(w, copy, payload, level);
}

int packed_writer_flush(struct packed_writer *w)
{
	struct segment_header h = {
		.kind = SEGMENT_META, .sequence = w->meta_sequence,
		.committed = w->meta_bytes,
	};

	if (!w->meta_bytes)
		return 0;
	if (append(w, h, w->meta, META_LEVEL) < 0)
		return -1;
	w->meta_sequence++;
	w->meta_bytes = 0;
	return 0;
}

int packed_writer_meta(struct packed_writer *w, enum meta_kind kind,
		       const void *payload, size_t bytes)
{
	struct meta_header m = { .magic = META_MAGIC, .kind = (uint16_t)kind };
	size_t span = META_SPAN(bytes);

	if (bytes > UINT32_MAX - 64) {
		errno = EFBIG;
		return -1;
	}
	m.bytes = (uint32_t)bytes;
	m.checksum = meta_checksum(m.kind, m.bytes, payload);
	if (w->meta_bytes && w->meta_bytes + span > META_BATCH_BYTES &&
	    packed_writer_flush(w) < 0)
		return -1;
	xgrow(&w->meta, &w->meta_capacity, w->meta_bytes + span, 1);
	memset(w->meta + w->meta_bytes, 0, span);
	memcpy(w->meta + w->meta_bytes, &m, sizeof(m));
	if (bytes)
		memcpy(w->meta + w->meta_bytes + sizeof(m), payload, bytes);
	w->meta_bytes += span;
	return 0;
}

/*
 * The last row of the index is the index itself: the last 40 bytes of the file
 * say where it begins.
 */
static int write_index(struct packed_writer *w)
{
	struct segment_header h = {
		.magic = SEGMENT_MAGIC, .version = FORMAT_VERSION,
		.header_bytes = sizeof(h), .kind = SEGMENT_INDEX,
	};
	struct index_entry self = { .offset = w->bytes, .kind = SEGMENT_INDEX };
	size_t rows = w->index_count * sizeof(*w->index);

	h.committed = h.stored_bytes = rows + sizeof(self);
	h.checksum = header_checksum(&h);
	if (write_all(w, (struct iovec[]){ { &h, sizeof(h) }, { w->index, rows },
					   { &self, sizeof(self) } }, 3) < 0)
		return -1;
	w->has_index = true;
	w->file_bytes = w->bytes + sizeof(h) + rows + sizeof(self);
	return 0;
}

int packed_writer_finish(struct packed_writer *w)
{
	struct segment_header end = { .kind = SEGMENT_END };

	if (packed_writer_flush(w) < 0)
		return -1;
	if (!w->has_end) {
		end.first_stamp = end.last_stamp = w->last_stamp;
		if (append(w, end, NULL, 0) < 0)
			return -1;
		w->has_end = true;
	}
	if (w->has_index)
		return 0;
	return write_index(w);
}

uint64_t packed_writer_bytes(const struct packed_writer *w)
{
	return w->file_bytes;
}

void packed_writer_close(struct packed_writer *w)
{
	if (!w)
		return;
	ZSTD_freeCCtx(w->zstd);
	free(w->index);
	free(w->meta);
	free(w->packed);
	free(w);
}
