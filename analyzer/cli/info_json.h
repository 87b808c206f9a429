/*
 * info_json.h - allotrope info as one JSON object on standard output.
 */
#ifndef CLI_INFO_JSON_H
#define CLI_INFO_JSON_H

#include "cli/info_events.h"

void info_json(struct info_events *e);

#endif
