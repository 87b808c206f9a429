/*
 * frame_set.h - the distinct code addresses of a recording, gathered while it is
 * packed, so that symbolising at the end need not read the recording again.
 * A table of its own because each pushed frame of each event goes through it.
 */
#ifndef CLI_FRAME_SET_H
#define CLI_FRAME_SET_H

#include <stddef.h>
#include <stdint.h>

struct frame_entry {
	uint64_t pc;
	uint64_t stamp;  /* first seen: decides which module was mapped there */
	uint32_t image;  /* 0: the entry is free */
};

/* All zero: empty. */
struct frame_set {
	struct frame_entry *entries;
	size_t capacity; /* a power of two, or 0 */
	size_t count;
};

/* Add (IMAGE, PC), first seen at STAMP. IMAGE 0 is ignored. */
void frame_set_add(struct frame_set *s, uint32_t image, uint64_t pc, uint64_t stamp);

void frame_set_release(struct frame_set *s);

#endif
