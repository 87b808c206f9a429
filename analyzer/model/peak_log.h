/*
 * peak_log.h - what each of many counters was at the moment of a peak, with a new peak
 * as cheap as adding one: a counter is noted when it changes for the first time after
 * the peak; one that was not noted still has the value it had then.
 */
#ifndef MODEL_PEAK_LOG_H
#define MODEL_PEAK_LOG_H

#include <stddef.h>
#include <stdint.h>

struct peak_note {
	uint64_t value;
	uint64_t epoch;
};

/* All zero: no peak yet, then every counter was 0. */
struct peak_log {
	struct peak_note *notes; /* by counter */
	size_t capacity;
	uint64_t epoch;
};

void peak_log_release(struct peak_log *log);

/* Room for COUNTER. */
void peak_log_extend(struct peak_log *log, size_t counter);

/* COUNTER is about to change, or has just changed, from BEFORE. */
static inline void peak_log_note(struct peak_log *log, size_t counter, uint64_t before)
{
	struct peak_note *note;

	if (counter >= log->capacity)
		peak_log_extend(log, counter);
	note = &log->notes[counter];
	if (note->epoch == log->epoch)
		return;
	note->epoch = log->epoch;
	note->value = before;
}

/* This is the peak now. */
static inline void peak_log_mark(struct peak_log *log)
{
	log->epoch++;
}

/* COUNTER at the peak, which is NOW at present. */
static inline uint64_t peak_log_value(const struct peak_log *log, size_t counter, uint64_t now)
{
	if (log->epoch == 0)
		return 0;
	if (counter < log->capacity && log->notes[counter].epoch == log->epoch)
		return log->notes[counter].value;
	return now;
}

#endif
