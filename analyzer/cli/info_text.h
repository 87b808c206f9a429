/*
 * info_text.h - allotrope info as text on standard output.
 */
#ifndef CLI_INFO_TEXT_H
#define CLI_INFO_TEXT_H

#include "cli/info_events.h"

void info_text(struct info_events *e);

#endif
