/*
 * exit_list.c - see exit_list.h. Ends at the same stamp come by image number.
 */
#include "forms/exit_list.h"

#include <stdlib.h>

#include "base/xmem.h"

static int compare_ends(const void *pa, const void *pb)
{
	const struct image *a = *(const struct image *const *)pa;
	const struct image *b = *(const struct image *const *)pb;

	if (a->end_stamp != b->end_stamp)
		return a->end_stamp < b->end_stamp ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

void exit_list_init(struct exit_list *l, const struct run *run)
{
	const struct recording *r = run->recording;

	*l = (struct exit_list){ xcalloc(r->image_count + 1, sizeof(*l->images)), 0, 0 };
	for (size_t i = 0; i < r->image_count; i++)
		if (r->images[i].has_exit && r->images[i].end_stamp >= run->since_stamp &&
		    r->images[i].end_stamp <= run->until_stamp)
			l->images[l->count++] = &r->images[i];
	qsort(l->images, l->count, sizeof(*l->images), compare_ends);
}

void exit_list_release(struct exit_list *l)
{
	free(l->images);
}

const struct image *exit_list_next(struct exit_list *l, const struct run *run, uint64_t stamp)
{
	while (l->next < l->count && l->images[l->next]->end_stamp < stamp) {
		const struct image *image = l->images[l->next++];

		if (run_shows(run, image->number))
			return image;
	}
	return NULL;
}
