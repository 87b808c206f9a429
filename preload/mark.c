/*
 * mark.c - the function behind allotrope_mark() of include/allotrope.h.
 */
#include "allotrope.h"
#include "event.h"
#include "snapshot.h"

__attribute__((visibility("default"))) void allotrope_mark_event(const char *name)
{
	if (!name)
		return;
	event_mark(name);
	snapshot_at_mark(name);
}
