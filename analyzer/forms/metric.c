/*
 * metric.c - the table of metrics.
 */
#include "forms/metric.h"

#include <string.h>

static const struct {
	const char *name, *help;
	bool is_blocks;
} metrics[METRIC_WORDS] = {
	[METRIC_PEAK] = { "peak", "bytes live at the peak", false },
	[METRIC_TOTAL] = { "total", "bytes allocated in all", false },
	[METRIC_COUNT] = { "count", "blocks allocated in all", true },
	[METRIC_END] = { "end", "bytes live at the end", false },
	[METRIC_TEMPORARY] = { "temporary", "blocks freed before the thread's next allocation", true },
};

const char *metric_name(enum metric m)
{
	return metrics[m].name;
}

const char *metric_help(enum metric m)
{
	return metrics[m].help;
}

bool metric_is_blocks(enum metric m)
{
	return metrics[m].is_blocks;
}

bool metric_parse(const char *word, enum metric *m)
{
	for (int i = 0; i < METRIC_WORDS; i++) {
		if (strcmp(metrics[i].name, word) == 0) {
			*m = (enum metric)i;
			return true;
		}
	}
	return false;
}

const char *metric_words(void)
{
	return "peak, total, count, end or temporary";
}

struct amount metric_amount(const struct site *site, enum metric m)
{
	switch (m) {
	case METRIC_PEAK:
		return site->peak;
	case METRIC_TOTAL:
	case METRIC_COUNT:
		return site->total;
	case METRIC_END:
		return site->end;
	default:
		return site->temporary;
	}
}

uint64_t metric_of(struct amount amount, enum metric m)
{
	return metric_is_blocks(m) ? amount.blocks : amount.bytes;
}

uint64_t metric_value(const struct site *site, enum metric m)
{
	return metric_of(metric_amount(site, m), m);
}
