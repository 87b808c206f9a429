/*
 * lock_all.c - locks the mappings of /proc/self/maps one by one. Relies on the
 * ring being the only mapping of the library that is too large to be locked.
 * Differs from mlockall(MCL_CURRENT) in this: mappings made by other threads
 * meanwhile are not seen, and the limit is checked mapping by mapping.
 */
#include "lock_all.h"

#include <errno.h>
#include <sys/mman.h>

#include "proc_maps.h"
#include "session.h"
#include "sys.h"

#ifndef MCL_ONFAULT
#define MCL_ONFAULT 4
#endif
#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif

static long lock_current(bool on_fault)
{
	struct maps_reader reader;
	struct maps_line line;
	long result = 0;

	if (!maps_open(&reader))
		return -ENOMEM;
	while (result == 0 && maps_next(&reader, &line)) {
		uint64_t bytes = line.end - line.start;

		if (session_maps(line.start))
			continue;
		result = on_fault ? SYS3(mlock2, line.start, bytes, MLOCK_ONFAULT) :
				    SYS2(mlock, line.start, bytes);
		/* what cannot be read is locked all the same; mlockall says nothing then */
		if (!(line.prot & PROT_READ) || line.name[0] == '[')
			result = 0;
	}
	maps_close(&reader);
	return result;
}

long lock_all(int flags)
{
	long result;

	if (!(flags & MCL_CURRENT) || !session.ring ||
	    (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)))
		return SYS1(mlockall, flags);
	result = lock_current(flags & MCL_ONFAULT);
	if (result == 0 && (flags & MCL_FUTURE))
		result = SYS1(mlockall, flags & ~MCL_CURRENT);
	return result;
}
