/*
 * health.h - what a reader must know before trusting a report: losses, damage,
 * estimates, missing symbols. Every report carries it.
 */
#ifndef FORMS_HEALTH_H
#define FORMS_HEALTH_H

#include <jansson.h>

#include "forms/form.h"

struct health {
	char **notes;      /* one line each, no "note:" before it, escaped */
	size_t count, capacity;
};

/* Call in end() or after it. */
struct health *health_new(const struct run *run);
void health_free(struct health *h);

/* Losses of the session by cause: non-zero ones only. */
json_t *health_losses(const struct run *run);

/* Add the notes as the list "notes", and "damage" (null: none), to OBJECT. */
void health_add_json(const struct health *h, const struct run *run, json_t *object);

#endif
