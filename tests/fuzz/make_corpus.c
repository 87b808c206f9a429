/*
 * make_corpus.c - the first inputs of the fuzz targets: `make_corpus FOLDER
 * [RECORDING...]` writes FOLDER/packed, ring, symbols, records, replay, suppressions,
 * baseline, smaps, recover, words, proc, environment, cfi. Made from stories and from
 * real recordings; the payloads are unpacked, so that a fuzzer changes records and not
 * compressed bytes (fuzz_repair_packed packs them again).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

#include "base/xmem.h"
#include "fixture/mktrace.h"
#include "fuzz/fuzz.h"
#include "look_record.h"
#include "session_ring.h"
#include "symbol/symbol_codec.h"
#include "version.h"

#define PARTS_MAX 256
/* Larger ones are left to the targets that read them alone. */
#define CORPUS_FILE_MAX 24576
#define RING_SLOT 1280
#define RING_META_AT 1024

/* One segment with its plain payload. */
struct part {
	struct segment_header h;
	uint8_t *payload;
};

struct parts {
	struct file_header head;
	struct part items[PARTS_MAX];
	size_t count;
};

static const char *folder;

static void save(const char *target, const char *name, const void *bytes, size_t count)
{
	char path[512];
	FILE *f;

	if (count > CORPUS_FILE_MAX)
		return;
	snprintf(path, sizeof(path), "%s/%s", folder, target);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/%s/%s", folder, target, name);
	f = fopen(path, "wb");
	if (!f || fwrite(bytes, 1, count, f) != count || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

static struct parts *take_apart(const uint8_t *data, size_t size)
{
	struct parts *p = xcalloc(1, sizeof(*p));
	size_t at = sizeof(p->head);

	memcpy(&p->head, data, sizeof(p->head));
	while (at + sizeof(struct segment_header) <= size && p->count < PARTS_MAX) {
		struct part *part = &p->items[p->count];
		const uint8_t *stored = data + at + sizeof(part->h);

		memcpy(&part->h, data + at, sizeof(part->h));
		at += sizeof(part->h) + part->h.stored_bytes;
		if (part->h.kind == SEGMENT_INDEX)
			continue;
		part->payload = xmalloc(part->h.committed + 1);
		if (part->h.flags & SEGMENT_ZSTD)
			ZSTD_decompress(part->payload, part->h.committed, stored,
					part->h.stored_bytes);
		else
			memcpy(part->payload, stored, part->h.committed);
		p->count++;
	}
	return p;
}

static void release(struct parts *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->items[i].payload);
	free(p);
}

/* All of P one after another; *BYTES of them, the caller's. */
static uint8_t *join(const struct parts *p, size_t *bytes)
{
	uint8_t *out = xmalloc(1 << 24);
	size_t used = sizeof(p->head);

	memcpy(out, &p->head, used);
	for (size_t i = 0; i < p->count; i++) {
		const struct part *part = &p->items[i];

		memcpy(out + used, &part->h, sizeof(part->h));
		memcpy(out + used + sizeof(part->h), part->payload, part->h.committed);
		used += sizeof(part->h) + part->h.committed;
	}
	*bytes = used;
	return out;
}

static void save_packed(const struct parts *p, const char *name)
{
	size_t used;
	uint8_t *out = join(p, &used);

	save("packed", name, out, used);
	/* the byte before chooses the report */
	memmove(out + 1, out, used);
	out[0] = 0;
	save("forms", name, out, used + 1);
	free(out);
}

static void save_pieces(const struct parts *p, const char *name)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct part *part = &p->items[i];
		char title[64];

		snprintf(title, sizeof(title), "%s-%zu", name, i);
		if (part->h.kind == SEGMENT_SYMBOLS)
			save("symbols", title, part->payload, part->h.committed);
		if (part->h.kind == SEGMENT_EVENTS) {
			uint8_t *copy = xmalloc(part->h.committed + 1);

			copy[0] = 0;
			memcpy(copy + 1, part->payload, part->h.committed);
			save("records", title, copy, part->h.committed + 1);
			free(copy);
		}
	}
}

static uint32_t ring_slots(const struct parts *p)
{
	uint32_t slots = 1;

	for (size_t i = 0; i < p->count; i++)
		slots += p->items[i].h.kind == SEGMENT_EVENTS;
	return slots;
}

/* A ring of the smallest size; segments that do not fit into its slots are left out. The caller's. */
static uint8_t *make_ring(const struct parts *p, bool bare, size_t *bytes)
{
	uint8_t *out = aligned_alloc(64, 1 << 24), *slot;
	struct ring_header *h = (struct ring_header *)out;
	uint64_t meta = 0, used = 0;
	uint64_t *words;

	if (!out)
		abort();
	memset(out, 0, 1 << 24);
	for (size_t i = 0; i < p->count; i++)
		if (p->items[i].h.kind == SEGMENT_META)
			meta += p->items[i].h.committed;
	*h = (struct ring_header){
		.endian = ENDIAN_MARK, .version = FORMAT_VERSION, .header_bytes = sizeof(*h),
		.meta_offset = RING_META_AT, .meta_bytes = meta, .meta_tail = meta,
		.slot_bytes = RING_SLOT, .slot_count = ring_slots(p), .soft_slots = 4,
		.clock = CLOCK_KIND_MONOTONIC, .root_pid = 100, .options = { .bare = bare },
	};
	memcpy(h->magic, RING_MAGIC, sizeof(h->magic));
	h->table_offset = h->meta_offset + h->meta_bytes;
	h->slots_offset = h->table_offset + 8 * (uint64_t)h->slot_count;
	h->ring_bytes = h->slots_offset + (uint64_t)h->slot_count * RING_SLOT;
	words = (uint64_t *)(out + h->table_offset);
	slot = out + h->slots_offset;
	for (size_t i = 0; i < p->count; i++) {
		struct segment_header head = p->items[i].h;

		if (head.kind == SEGMENT_META) {
			memcpy(out + h->meta_offset + used, p->items[i].payload, head.committed);
			used += head.committed;
		}
		if (head.kind != SEGMENT_EVENTS || sizeof(head) + head.committed > RING_SLOT)
			continue;
		/* the last one is still owned: its end must be found by decoding */
		if (i + 3 > p->count)
			head.last_stamp = 0;
		memcpy(slot, &head, sizeof(head));
		memcpy(slot + sizeof(head), p->items[i].payload, head.committed);
		*words++ = slot_word(head.last_stamp ? SLOT_FULL : SLOT_OWNED, head.tid, (uint32_t)i);
		slot += RING_SLOT;
	}
	*bytes = (size_t)(slot - out);
	return out;
}

static void save_ring(const struct parts *p, const char *name, bool bare)
{
	size_t bytes;
	uint8_t *ring = make_ring(p, bare, &bytes);

	save("ring", name, ring, bytes);
	free(ring);
}

/* Of fuzz_recover: the first segments were written, the ring has all; or there is a ring only. */
static void save_recover(struct parts *p, const char *name)
{
	size_t count = p->count, file_bytes, ring_bytes;
	uint8_t *ring = make_ring(p, false, &ring_bytes), *file, *both;
	char title[64];
	uint16_t length;

	p->count = count / 2;
	file = join(p, &file_bytes);
	p->count = count;
	length = (uint16_t)file_bytes;
	both = xcalloc(2, file_bytes + ring_bytes + 2);
	memcpy(both + 2, ring, ring_bytes);
	snprintf(title, sizeof(title), "%s-bare", name);
	save("recover", title, both, ring_bytes + 2);
	memcpy(both, &length, 2);
	memcpy(both + 2, file, file_bytes);
	memcpy(both + 2 + file_bytes, ring, ring_bytes);
	if (length == file_bytes)
		save("recover", name, both, 2 + file_bytes + ring_bytes);
	free(both);
	free(file);
	free(ring);
}

static void save_all(const uint8_t *data, size_t size, const char *name)
{
	struct parts *p = take_apart(data, size);

	save_packed(p, name);
	save_pieces(p, name);
	save_ring(p, name, p->count & 1);
	save_recover(p, name);
	release(p);
}

/* ---- stories ---- */

static const char smaps_text[] =
	"00010000-00012000 r-xp 00000000 fe:01 9                 /usr/bin/prog\nRss:    8 kB\n"
	"Shared_Clean: 8 kB\nTHPeligible:    0\nVmFlags: rd ex mr mw me\n"
	"00100000-00142000 rw-p 00000000 00:00 0                 [heap]\nRss: 40 kB\nPss: 40 kB\n"
	"Anonymous: 40 kB\nPrivate_Dirty: 40 kB\nSwap: 4 kB\nLocked: 0 kB\n"
	"7f0000000000-7f0000240000 rw-s 00001000 00:05 77 /dev/shm/a b (deleted)\nRss: 4 kB\n";

static void tell_small(struct mktrace *t)
{
	mk_stream s = mk_process(t, 1, 100, "prog");

	mk_module(t, 1, 1, 0x1000, 0x2000, "/usr/bin/prog");
	mk_malloc(t, s, 20, 0x5000, 32, 0x1100, 0x1200);
	mk_free(t, s, 30, 0x5000);
}

static void tell_calls(struct mktrace *t, mk_stream s)
{
	mk_malloc(t, s, 20, 0x5000, 32, 0x1100, 0x1200, 0x1300);
	mk_malloc(t, s, 22, 0x5040, 24, 0x1104, 0x1200, 0x1300);
	mk_calloc(t, s, 24, 0x6000, 10, 100, 0x1108, 0x1200, 0x1300);
	mk_usable(t, s, 4096);
	mk_aligned(t, s, 26, FUNC_POSIX_MEMALIGN, 0x8000, 4096, 100, 0x1110, 0x1300);
	mk_realloc(t, s, 28, 0x5000, 0x9000, 2000, 0x1120, 0x1300);
	mk_realloc(t, s, 30, 0, 0xa000, 10, 0x1120);
	mk_realloc_begin(t, s, 32, 0x9000, MK_STACK(0x1124));
	mk_realloc_end(t, s, 34, 0x9000, 4, 25);
	mk_malloc_mapped(t, s, 35, 0x7f0000200010, 1 << 20, 0x1128);
	mk_realloc_begin(t, s, 35, 0x7f0000200010, MK_STACK(0x1128));
	mk_look(t, s, 35, 1, (1 << 20) - 4080, LOOK_LAST_ABSENT);
	mk_realloc_end(t, s, 35, 0x7f0000200010, 0, 1 << 17);
	mk_free(t, s, 35, 0x7f0000200010);
	mk_look(t, s, 35, 3, 4096, LOOK_PARTIAL);
	mk_malloc_mapped(t, s, 36, 0x7f0000000010, 1 << 20, 0x1130);
	mk_failed(t, s, 38, FUNC_CALLOC, 12, 1ull << 40, 1ull << 40);
	mk_null_call(t, s, 40, FUNC_FREE);
	mk_free_func(t, s, 42, FUNC_FREE_SIZED, 0x6000);
	mk_timing(t, s, 44, 1000);
	mk_event_mark(t, s, 46, "half");
	mk_loss(t, s, 48, LOSS_NESTED, 3);
}

static void tell_mappings(struct mktrace *t, mk_stream s)
{
	mk_syscall_inside(t, s, 50, SYS_MEM_brk, MK_ARGS(0x555555580000), 0x555555580000,
			  FUNC_MALLOC, MK_STACK(0x1140));
	mk_syscall(t, s, 54, SYS_MEM_mmap, MK_ARGS(0, 0x4000, 3, 0x22, -1ull, 0),
		   0x7f1000000000, SYSCALL_BY_HOOK, 0x1150);
	mk_syscall(t, s, 58, SYS_MEM_mremap, MK_ARGS(0x7f1000000000, 0x4000, 0x8000, 1, 0),
		   0x7f2000000000, 0, 0x1150);
	mk_syscall(t, s, 62, SYS_MEM_munmap, MK_ARGS(0x7f2000001000, 0x1000), 0, 0, 0x1160);
	mk_syscall(t, s, 66, SYS_MEM_madvise, MK_ARGS(0x7f2000002000, 0x1000, 4), -22,
		   SYSCALL_INFERRED, 0x1160);
	mk_syscall(t, s, 70, SYS_MEM_brk, MK_ARGS(0x555555570000), 0x555555570000, 0, 0x1170);
}

static void tell_world(struct mktrace *t)
{
	mk_module(t, 1, 1, 0x1000, 0x2000, "/usr/bin/prog");
	mk_module(t, 1, 21, 0x3000, 0x4000, "/usr/lib/libplugin.so");
	mk_module_unmap(t, 1, 60, 0x3000);
	mk_setting(t, 1, "GLIBC_TUNABLES", "glibc.malloc.tcache_count=0");
	mk_note(t, 1, 45, "something to know");
	mk_mark(t, 100, 47, "other terminal");
	mk_memory(t, 100, 25, 1 << 20);
	mk_memory(t, 100, 65, 2 << 20);
	mk_meta(t, META_CLOCK, "vvvv", (uint64_t)1, (uint64_t)10, (uint64_t)1000000,
		(uint64_t)1700000000000000000);
	mk_meta(t, META_CLOCK, "vvvv", (uint64_t)1, (uint64_t)90, (uint64_t)9000000,
		(uint64_t)1700000000008000000);
	mk_meta(t, META_SESSION, "vvssvvvs", (uint64_t)1, (uint64_t)1700000000000000000,
		"prog 'an argument'", RECOVER_RING, (uint64_t)100, (uint64_t)100,
		(uint64_t)99, "--depth=64");
	mk_meta(t, META_TOTALS, "vvvv", (uint64_t)5, (uint64_t)1000, (uint64_t)LOSS_NO_SLOT,
		(uint64_t)7);
	mk_meta(t, META_REGION, "vvvvvs", (uint64_t)1, (uint64_t)1, (uint64_t)0x555555560000,
		(uint64_t)0x555555580000, (uint64_t)3, "[heap]");
	mk_exit(t, 1, 95, 0);
}

static void tell_symbols(struct mktrace *t)
{
	const struct stored_frame frames[] = {
		{ "_ZN3foo3barEi", "/src/foo.cc", 10, 0 }, { "main", "/src/main.c", 20, 9 },
	};
	struct segment_header h = { .kind = SEGMENT_SYMBOLS };
	struct symbol_writer *w = symbol_writer_new();
	uint8_t build_id[20] = { 1, 2, 3 };
	uint8_t *payload;
	size_t bytes;

	symbol_writer_module(w, "/usr/bin/prog", build_id, sizeof(build_id), 0);
	symbol_writer_row(w, 0x100, frames, 2);
	symbol_writer_row(w, 0x104, frames + 1, 1);
	symbol_writer_module(w, "/usr/lib/libplugin.so", build_id, 0, 1);
	symbol_writer_row(w, 0x10, &(struct stored_frame){ NULL, NULL, 0, 0 }, 1);
	payload = symbol_writer_finish(w, &bytes);
	h.committed = bytes;
	mk_raw(t, &h, payload);
	free(payload);
	symbol_writer_free(w);
}

static void tell_large(struct mktrace *t)
{
	mk_stream s = mk_process(t, 1, 100, "prog"), thread, child;

	tell_world(t);
	thread = mk_thread(t, 1, 101, 15, "worker");
	child = mk_fork(t, 2, 102, 1, 45);
	tell_calls(t, s);
	mk_malloc(t, thread, 21, 0x5000, 64, 0x3010, 0x1300);
	mk_free(t, thread, 27, 0x5040);
	mk_segment(t, thread);
	mk_malloc(t, thread, 29, 0x5040, 64, 0x3010, 0x1300);
	mk_thread_switch(t, thread, 61, 103);
	mk_malloc(t, thread, 64, 0xb000, 64, 0x3010);
	mk_lose_segments(t, thread, 2);
	mk_free(t, thread, 66, 0xb000);
	mk_thread_end(t, 1, 101, 70);
	mk_free(t, child, 50, 0x8000);
	mk_malloc(t, child, 52, 0x8000, 500, 0x1100);
	mk_exit(t, 2, 60, 9);
	tell_mappings(t, s);
	tell_symbols(t);
}

static void tell_maps(struct mktrace *t)
{
	mk_stream s = mk_process(t, 1, 100, "/usr/bin/prog");

	mk_malloc(t, s, 1000, 0x100010, 1000);
	mk_meta(t, META_SMAPS, "vvvsvvs", (uint64_t)100, (uint64_t)1500, (uint64_t)MEMORY_AT_MARK, "one",
		(uint64_t)0, (uint64_t)1, smaps_text);
	mk_malloc(t, s, 2000, 0x101000, 16384);
	mk_meta(t, META_PAGES, "vvvvvv", (uint64_t)100, (uint64_t)2500, (uint64_t)4096, (uint64_t)0,
		(uint64_t)0x101, (uint64_t)1);
	mk_meta(t, META_SMAPS, "vvvsvvs", (uint64_t)100, (uint64_t)2500, (uint64_t)MEMORY_AT_EXIT, "",
		(uint64_t)0, (uint64_t)1, smaps_text);
	mk_meta(t, META_OWN_MEMORY, "vvvv", (uint64_t)100, (uint64_t)2600, (uint64_t)0x7f0000000000,
		(uint64_t)8192);
	mk_free(t, s, 3000, 0x101000);
	mk_exit(t, 1, 4000, 0);
}

static void save_story(const char *name, void (*tell)(struct mktrace *t))
{
	struct mktrace *t = mktrace_new();
	uint8_t *data;
	size_t size;

	tell(t);
	data = mktrace_bytes(t, &size);
	save_all(data, size, name);
	free(data);
	mktrace_free(t);
}

static void save_recording(const char *path)
{
	const char *name = strrchr(path, '/');
	uint8_t *data = xmalloc(1 << 24);
	FILE *f = fopen(path, "rb");
	size_t size = f ? fread(data, 1, 1 << 24, f) : 0;

	if (size < sizeof(struct file_header)) {
		perror(path);
		exit(1);
	}
	fclose(f);
	save_all(data, size, name ? name + 1 : path);
	free(data);
}

/* Of fuzz_replay: images 2 to 4, then events of 8 bytes. */
static void save_events(void)
{
	static const uint8_t events[] = {
		1, 0, 1, 2,
		0x01, 1, 10, 20, 1, 20, 0, 0,   0x06, 1, 10, 0, 0, 0, 0, 0,
		0x12, 1, 30, 4, 5, 20, 0, 0,    0x14, 1, 30, 0, 0, 0, 0, 0,
		0x15, 1, 40, 50, 1, 50, 0, 0,   0x09, 1, 70, 80, 3, 1, 0, 0,
		0x0a, 1, 0, 0, 0, 1, 90, 0,     0x26, 1, 40, 0, 0, 0, 0, 0,
	};

	save("replay", "events", events, sizeof(events));
}

static void save_texts(void)
{
	static const char leak_lines[] = "f<int>(char)\n# known\nleak:^f*$\nleak:liba.so\n";
	static const char blocks[] =
		"ns::g(int)\n{\n name\n Memcheck,DRD:Leak\n match-leak-kinds: definite,reachable\n"
		" fun:malloc\n ...\n obj:*/lib?.so\n src:a.c:4\n fun:g<>\n}\n"
		"{\n other\n Memcheck:Param\n write(buf)\n fun:a\n}\n{\n b\n Memcheck:Leak\n fun:_Zn?m\n}\n";
	static const char no_fields[] =
		"Rss: 1 kB\n1-2 r 0 0:0 0\nab-ac rwxs 1 1:2 3 x\nRss: 99999999999999999999 kB\n";
	static const char figures[] =
		"# allotrope baseline 1\n# c\nsampling 524288\nall\n\nprogram p\npeak_bytes 10\nblocks 2\n"
		"site 5 1 f(int)\nprogram q\nend_bytes 0\n";

	save("suppressions", "leak-lines", leak_lines, sizeof(leak_lines) - 1);
	save("suppressions", "blocks", blocks, sizeof(blocks) - 1);
	save("smaps", "three", smaps_text, sizeof(smaps_text) - 1);
	save("smaps", "no-fields", no_fields, sizeof(no_fields) - 1);
	save("baseline", "figures", figures, sizeof(figures) - 1);
}

static void save_words(void)
{
	static const char *const words[] = {
		"18446744073709551615", "1.5s", "1.50 KiB", "1e3m", "mark:inside", "mark:none", "peak", "end",
		"trace=!mprotect,brk", "/^m.*p$", "*alloc-calloc+free@MAIN", "temporary", "3 h", "0x10",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char title[16];

		snprintf(title, sizeof(title), "%zu", i);
		save("words", title, words[i], strlen(words[i]));
	}
}

/* A NUL stands behind each entry. */
static void save_environment(void)
{
	static const char good[] =
		"ALLOTROPE_OUT=/tmp/%p.ring\0ALLOTROPE_SIZE=12M\0ALLOTROPE_DEPTH=4096\0ALLOTROPE_FOLLOW=no\0"
		"ALLOTROPE_SYSCALLS=inferred\0ALLOTROPE_CALL_GRAPH=libunwind\0ALLOTROPE_RING=/dev/shm/r";
	static const char more[] =
		"ALLOTROPE_SAMPLE=512K\0ALLOTROPE_TIMING=all\0ALLOTROPE_CHECK_STACKS=4294967295\0"
		"ALLOTROPE_WHEN_FULL=overwrite\0ALLOTROPE_VERBOSE=1\0ALLOTROPE_FREE_STACKS=1\0"
		"GLIBC_TUNABLES=glibc.malloc.tcache_count=0\0MALLOC_=\0LD_PRELOAD=a:b\0ALLOTROPE_SIZE=";

	save("environment", "good", good, sizeof(good));
	save("environment", "more", more, sizeof(more));
}

static void save_proc(void)
{
	static const char stat[] =
		"4242 (a) b (c\n) S 1 4242 4242 0 -1 4194560 900 0 1 0 3 2 0 0 20 0 7 0 123456 8192000 "
		"800 0";
	static const char other[] =
		"00400000-00401000 ---p 00000000 00:00 0\nSize: 4 kB\nRss: 4 kB\nAnonymous: 4 kB\n"
		"Swap: 8 kB\n"
		"00401000-00402000 rw-p 00000000 00:00 0 [anon:x]\nAnonymous: 4 kB\n"
		"00402000-00500000 rw-s 00000000 00:01 5 /memfd:a b (deleted)\nRss: 16 kB\n"
		"7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0 [stack]\nRss: 12 kB\n"
		"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n";

	save("proc", "smaps", smaps_text, sizeof(smaps_text) - 1);
	save("proc", "kinds", other, sizeof(other) - 1);
	save("proc", "stat", stat, sizeof(stat) - 1);
	save("proc", "statm", "2000 800 400 10 0 300 0\n", 24);
}

/*
 * Of fuzz_cfi: tables of one CIE and one FDE that covers all there is, without an index (so they are
 * looked through), with the INSTRUCTIONS.
 */
static void save_cfi(const char *name, const char *augmentation, const void *instructions, size_t count)
{
	uint8_t out[256] = { 0 }, *p = out + 8, *cie, *fde;
	const size_t letters = strlen(augmentation) + 1;
	uint64_t all = UINT64_MAX;
	uint32_t word;

	out[6] = 0xa5;
	/* version 1; where the entries are: from here, 8 bytes on; no count, no table */
	memcpy(p, "\x01\x1b\xff\xff\x04\0\0\0", 8);
	cie = p += 8;
	p = cie + 8;
	*p++ = 1;
	memcpy(p, augmentation, letters);
	p += letters;
	/* by 1, by -8, the return address in 16; length 1: absolute addresses; cfa r7+8, r16 at cfa-8 */
	memcpy(p, "\x01\x78\x10\x01\x00\x0c\x07\x08\x90\x01", 10);
	p += 10;
	word = (uint32_t)(p - cie - 4);
	memcpy(cie, &word, 4);
	fde = p;
	word = (uint32_t)(fde + 4 - cie);
	memcpy(fde + 4, &word, 4);
	memcpy(fde + 16, &all, 8);
	p = fde + 24;
	*p++ = 0;
	memcpy(p, instructions, count);
	p += count;
	word = (uint32_t)(p - fde - 4);
	memcpy(fde, &word, 4);
	save("cfi", name, out, (size_t)(p - out) + 4);
}

#define SAVE_CFI(name, augmentation, instructions) \
	save_cfi(name, augmentation, instructions, sizeof(instructions) - 1)

static void save_tables(void)
{
	SAVE_CFI("push", "zR", "\x41\x0e\x10\x86\x02\x43\x0d\x06\x0a\x0b\xc6\x0c\x07\x08");
	SAVE_CFI("realigned", "zR", "\x0f\x03\x76\x78\x06\x10\x06\x02\x76\x00\x16\x03\x02\x76\x70");
	SAVE_CFI("plt", "zR", "\x0f\x0b\x77\x08\x80\x00\x3f\x1a\x3b\x2a\x33\x24\x22");
	SAVE_CFI("signal", "zRS", "\x0f\x03\x77\xa0\x01\x10\x10\x03\x77\xa8\x01\x10\x06\x02\x77\x78");
	SAVE_CFI("offset-of-expression", "zR", "\x0f\x02\x77\x08\x0e\x90\x20");
	SAVE_CFI("others", "zR", "\x09\x03\x0c\x14\x0d\x02\x07\x10\x08\x06\x2e\x10\x2f\x03\x01"
		 "\x12\x07\x7f\x13\x02\x15\x0e\x7e\x04\x01\x00\x00\x00");
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: make_corpus FOLDER [RECORDING...]\n");
		return 2;
	}
	folder = argv[1];
	mkdir(folder, 0755);
	save_story("small", tell_small);
	save_story("large", tell_large);
	save_story("maps", tell_maps);
	save_events();
	save_texts();
	save_words();
	save_environment();
	save_proc();
	save_tables();
	for (int i = 2; i < argc; i++)
		save_recording(argv[i]);
	return 0;
}
