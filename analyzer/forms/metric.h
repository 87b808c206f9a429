/*
 * metric.h - which figure of a call stack is meant: the word of --metric, as the forms that
 * show one number for each stack take it (flame, tree, diff).
 */
#ifndef FORMS_METRIC_H
#define FORMS_METRIC_H

#include <stdbool.h>

#include "model/replay.h"

enum metric {
	METRIC_PEAK,      /* bytes live at the peak of the kind's live bytes */
	METRIC_TOTAL,     /* bytes acquired in all */
	METRIC_COUNT,     /* blocks acquired in all */
	METRIC_END,       /* bytes live at the end (or at --until, --at) */
	METRIC_TEMPORARY, /* blocks released before the stream's next acquire; heap only */
	METRIC_WORDS,
};

/* The word: "peak". */
const char *metric_name(enum metric m);

/* Half a line: "bytes live at the peak". */
const char *metric_help(enum metric m);

/* Counts blocks, not bytes. */
bool metric_is_blocks(enum metric m);

/* The metric called WORD into M; false where there is none. */
bool metric_parse(const char *word, enum metric *m);

/* "peak, total, count, end or temporary", for messages. */
const char *metric_words(void);

/* Blocks and bytes of SITE that the metric speaks of: peak, total (also of count), ... */
struct amount metric_amount(const struct site *site, enum metric m);

/* The metric's own figure of AMOUNT: its bytes or its blocks. */
uint64_t metric_of(struct amount amount, enum metric m);

/* The figure of SITE; one of KIND_MAPPING has no temporary blocks (0). */
uint64_t metric_value(const struct site *site, enum metric m);

#endif
