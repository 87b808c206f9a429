/*
 * images.h - the table of images while a recording is opened. Private to
 * trace/: readers use recording.h. What is passed in is taken over.
 */
#ifndef TRACE_IMAGES_H
#define TRACE_IMAGES_H

#include "trace/recording_parts.h"

/* The image NUMBER, made where it is new. Pointers to images die with the next call. */
struct image *images_obtain(struct recording *r, uint32_t number);

/* The thread NUMBER of IM, made where it is new; valid until the next call for IM. */
struct thread_info *images_thread(struct recording *r, struct image *im, uint32_t number);

void images_add_map(struct recording *r, struct image *im, const struct module_map *map);
/* The map at START ends at STAMP. */
void images_unmap(struct recording *r, struct image *im, uint64_t start, uint64_t stamp);
void images_add_setting(struct image *im, const struct setting *s);
void images_add_region(struct image *im, const struct region *g);

/* After all records: order, parents, exec numbers, ends, modules. The functions above end here. */
void images_finish(struct recording *r);

/* Drop the hash table: part of images_finish, alone where opening failed before. */
void images_abandon(struct recording *r);

#endif
