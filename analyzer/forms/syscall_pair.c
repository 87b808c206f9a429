/*
 * syscall_pair.c - see syscall_pair.h.
 */
#include "forms/syscall_pair.h"

#include <string.h>

void syscall_pair_begin(struct syscall_pair *p, const struct event *event)
{
	const struct record *r = &event->r;

	*p = (struct syscall_pair){
		.begin_stamp = r->stamp,
		.stack = event->stack,
		.thread = r->thread,
		.number = r->number,
		.flags = r->flags,
		.func = r->flags & SYSCALL_IN_ALLOCATOR ? r->func : FUNC_COUNT,
		.is_open = true,
	};
	memcpy(p->args, r->args, sizeof(p->args));
}

bool syscall_pair_end(struct syscall_pair *p, const struct event *event)
{
	if (!p->is_open || p->number != event->r.number)
		return false;
	p->is_open = false;
	p->end_stamp = event->r.stamp;
	p->result = event->r.result;
	return true;
}
