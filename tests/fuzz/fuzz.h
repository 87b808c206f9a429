/*
 * fuzz.h - the fuzz targets and what they share. Each target is a function of
 * bytes that must come back, whatever the bytes are: run by libFuzzer (fuzz_main.c,
 * `make fuzz`) and over the kept corpus by test_corpus.c (`make check`). Its
 * corpus is the folder tests/fuzz/corpus/NAME; inputs that once broke something
 * are kept there too, as crash-*.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FUZZ_TARGETS(ROW) \
	ROW(packed)  /* a packed recording: open, merge, replay, resolve */ \
	ROW(ring)    /* a session ring's file: the same */ \
	ROW(symbols) /* the payload of a SYMBOLS segment */ \
	ROW(perfmap) /* a map of code made at run time; each line as a name to shorten */ \
	ROW(smaps) /* the text of /proc/PID/smaps */ \
	ROW(suppressions) /* a file of suppressions */ \
	ROW(baseline) /* the figures that `check` compares with */ \
	ROW(records) /* the records of one segment */ \
	ROW(replay)  /* any events for the model */ \
	ROW(recover) /* an unfinished recording and its ring: what is recovered */ \
	ROW(words)   /* sizes, durations, moments, choices of calls */ \
	ROW(module)  /* the file of a module: builds, debug files, symbols, lines */ \
	ROW(proc)    /* files of /proc, as the library reads them */ \
	ROW(environment) /* the environment that the library starts in */ \
	ROW(object)  /* the headers of a loaded object */ \
	ROW(cfi)     /* unwind tables, and the walk by them */ \
	ROW(code)    /* machine code before it is patched */ \
	ROW(forms)   /* a packed recording: every report */

/* Always returns 0. */
typedef int fuzz_target(const uint8_t *data, size_t size);

#define ROW(name) fuzz_target fuzz_##name;
FUZZ_TARGETS(ROW)
#undef ROW

/* Rows of options that the first byte of fuzz_forms chooses from. */
extern const size_t fuzz_form_rows;

/* Where fuzz_recover keeps the ring: in the SESSION record of its inputs. */
#define RECOVER_RING "/proc/self/fd/199"

/* What a target promises beyond not crashing; abort() is what a fuzzer sees. */
#define FUZZ_CHECK(condition) do { \
	if (!(condition)) { \
		fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #condition); \
		abort(); \
	} \
} while (0)

/*
 * SIZE bytes of DATA as a file that can be opened by name; valid until the next
 * call. The file lies in memory.
 */
const char *fuzz_file(const uint8_t *data, size_t size);

/*
 * Open PATHS as one recording and read all there is: tables, events, replay, findings,
 * symbols as stored. Checks what the headers promise.
 */
void fuzz_read_all(const char *const paths[], size_t count);

/*
 * Bytes that may be damaged in every place, made into a packed file whose
 * magics, lengths and checksums agree, so that a fuzzer gets past them: a file header,
 * then segments with plain payload, split at each "LSEG". Segments with
 * SEGMENT_ZSTD are compressed. Control bits leave a part as it is: REPAIR_*, in
 * the last byte of the file header and of each segment header. The result is malloc'ed.
 */
uint8_t *fuzz_repair_packed(const uint8_t *data, size_t size, size_t *bytes);

#define REPAIR_NOTHING  1u  /* this header and its payload as they are */
#define REPAIR_NO_SUM   2u  /* a wrong checksum stays wrong */
#define REPAIR_NO_IDENT 4u  /* version and header length as they are */
#define REPAIR_NO_SIZE  8u  /* lengths as they are; nothing is compressed */
#define REPAIR_NO_META  16u /* metadata records as they are */
#define REPAIR_TWICE    32u /* file header: open the file twice, as one recording */

/*
 * The same for a session ring, in place: identity, checksums of metadata, the headers
 * of slots. The control byte of the file is ring_header.pad0[3].
 */
void fuzz_repair_ring(uint8_t *data, size_t size);

#endif
