/*
 * info_json.h - allotrope info as one JSON object on standard output.
 */
#ifndef CLI_INFO_JSON_H
#define CLI_INFO_JSON_H

#include "trace/recording.h"

void info_json(const struct recording *r);

#endif
