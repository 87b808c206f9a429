/*
 * info_text.h - allotrope info as text on standard output.
 */
#ifndef CLI_INFO_TEXT_H
#define CLI_INFO_TEXT_H

#include "trace/recording.h"

void info_text(const struct recording *r);

#endif
