/*
 * replay_until.c - events up to a moment, through a replay of their own.
 */
#include "model/replay_until.h"

#include "trace/merge.h"

struct replay *replay_until(struct recording *r, struct stacks *stacks, unsigned wants,
			    uint64_t until_stamp)
{
	/* to the merge 0 is no limit */
	const struct merge_select select = { .until_stamp = until_stamp ? until_stamp : 1 };
	struct replay *rp = replay_new(r, stacks, wants);
	struct merge *m = merge_open(r, stacks, &select);
	const struct event *event;

	while ((event = merge_next(m)) != NULL)
		replay_step(rp, event);
	merge_close(m);
	replay_finish(rp);
	return rp;
}
