/*
 * ring_share.h - the ring of a process that changes its user.
 */
#ifndef PRELOAD_RING_SHARE_H
#define PRELOAD_RING_SHARE_H

#include <sys/types.h>

/*
 * This process is about to run as USER: let that user open the ring as well, so that
 * the programs started from now on are recorded. Does nothing for (uid_t)-1, for the
 * superuser and where this process may not change the ring's rights. Blocks for
 * nothing, leaves errno alone.
 */
void ring_share(uid_t user);

#endif
