/*
 * mark.c - the function behind allotrope_mark() of include/allotrope.h.
 */
#include "allotrope.h"
#include "event.h"

__attribute__((visibility("default"))) void allotrope_mark_event(const char *name)
{
	if (name)
		event_mark(name);
}
