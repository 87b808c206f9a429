/*
 * replay_until.h - a replay that ends at a moment: for a report that compares the state then with
 * that of the driver's own replay.
 */
#ifndef MODEL_REPLAY_UNTIL_H
#define MODEL_REPLAY_UNTIL_H

#include "model/replay.h"

/*
 * The heaps of R as they were at UNTIL_STAMP, that of the last event inclusive; 0 stands for
 * before all events. WANTS as of replay_new. STACKS and R outlive it; replay_free.
 */
struct replay *replay_until(struct recording *r, struct stacks *stacks, unsigned wants,
			    uint64_t until_stamp);

#endif
