/*
 * meta.c - appends to the metadata area: bytes are reserved by compare-and-swap,
 * their pages made, then written, the magic last. Promises that a reader never
 * sees half a record and that a full disk is a counted loss.
 */
#include "clock.h"
#include "meta.h"
#include "prefault.h"
#include "session.h"

#define NOTE_BYTES 1024
#define NOTES_WAITING 8
#define NOTE_WAITING_BYTES 256

/* Pages are made in steps, so that small records do not cost a system call each. */
#define PREFAULT_STEP (16u * 1024)

/* Bytes of the area below this offset and at or above the step's start are made. */
static uint64_t ready_start, ready_end;

/* Notes from before META_PROCESS; written by the starting thread only. */
static char waiting[NOTES_WAITING][NOTE_WAITING_BYTES];
static unsigned notes_waiting;
static bool notes_released;

static bool area_ready(uint64_t from, uint64_t to)
{
	uint64_t start = from & ~(uint64_t)(PREFAULT_STEP - 1);
	uint64_t end = (to + PREFAULT_STEP - 1) & ~(uint64_t)(PREFAULT_STEP - 1);

	/* racing threads at worst make the same pages twice */
	if (from >= __atomic_load_n(&ready_start, __ATOMIC_RELAXED) &&
	    to <= __atomic_load_n(&ready_end, __ATOMIC_RELAXED))
		return true;
	if (end > session.meta_mapped)
		end = session.meta_mapped;
	if (!prefault_write(session.meta + start, end - start))
		return false;
	__atomic_store_n(&ready_end, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&ready_start, start, __ATOMIC_SEQ_CST);
	__atomic_store_n(&ready_end, end, __ATOMIC_SEQ_CST);
	return true;
}

void meta_append(enum meta_kind kind, const struct meta_builder *b)
{
	struct ring_header *ring = session.ring;
	uint32_t bytes = (uint32_t)(b->p - b->start);
	uint64_t span = META_SPAN(bytes), tail;
	struct meta_header *header;

	if (!ring)
		return;
	tail = __atomic_load_n(&ring->meta_tail, __ATOMIC_RELAXED);
	do {
		if (tail > session.meta_mapped || span > session.meta_mapped - tail) {
			session_loss(LOSS_META_FULL, 1);
			return;
		}
	} while (!__atomic_compare_exchange_n(&ring->meta_tail, &tail, tail + span, true,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	if (!area_ready(tail, tail + span)) {
		session_loss(LOSS_NO_SPACE, 1);
		return;
	}
	header = (struct meta_header *)(session.meta + tail);
	header->kind = (uint16_t)kind;
	header->unused = 0;
	header->bytes = bytes;
	header->checksum = meta_checksum((uint16_t)kind, bytes, b->start);
	memcpy(header + 1, b->start, bytes);
	memset((uint8_t *)(header + 1) + bytes, 0, span - sizeof(*header) - bytes);
	__atomic_store_n(&header->magic, META_MAGIC, __ATOMIC_RELEASE);
}

static void note_write(enum meta_kind kind, const char *text)
{
	uint8_t buffer[NOTE_BYTES];
	struct meta_builder b;

	meta_init(&b, buffer, sizeof(buffer));
	meta_number(&b, session.image);
	meta_number(&b, clock_stamp());
	meta_string(&b, text);
	meta_append(kind, &b);
}

void meta_note(const char *text)
{
	if (notes_released) {
		note_write(META_NOTE, text);
	} else if (notes_waiting < NOTES_WAITING) {
		char *place = waiting[notes_waiting++];
		size_t n = strnlen(text, NOTE_WAITING_BYTES - 1);

		memcpy(place, text, n);
		place[n] = '\0';
	}
}

void meta_notes_release(void)
{
	notes_released = true;
	for (unsigned i = 0; i < notes_waiting; i++)
		note_write(META_NOTE, waiting[i]);
	notes_waiting = 0;
}

void meta_fault(const char *text)
{
	note_write(META_FAULT, text);
}

void meta_setting_number(const char *key, uint64_t value)
{
	char digits[24];
	int first = sizeof(digits) - 1;
	uint8_t buffer[128];
	struct meta_builder b;

	digits[first] = '\0';
	do {
		digits[--first] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	meta_init(&b, buffer, sizeof(buffer));
	meta_number(&b, session.image);
	meta_number(&b, clock_stamp());
	meta_string(&b, key);
	meta_string(&b, digits + first);
	meta_append(META_SETTING, &b);
}
