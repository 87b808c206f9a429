/*
 * peak_log.c - see peak_log.h: the room for counters.
 */
#include "model/peak_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"

void peak_log_release(struct peak_log *log)
{
	free(log->notes);
	*log = (struct peak_log){ 0 };
}

void peak_log_extend(struct peak_log *log, size_t counter)
{
	size_t capacity = log->capacity ? log->capacity : 256;

	while (capacity <= counter)
		capacity *= 2;
	log->notes = xreallocarray(log->notes, capacity, sizeof(*log->notes));
	memset(log->notes + log->capacity, 0,
	       (capacity - log->capacity) * sizeof(*log->notes));
	log->capacity = capacity;
}
