/*
 * lookup.c - what an open recording answers: images by number or by pid and moment,
 * threads, modules by address, stamps as time. Relies on the order that
 * images.c made.
 */
#include "trace/recording.h"
#include "trace/recording_parts.h"

struct image *recording_image(const struct recording *r, uint32_t number)
{
	const uint32_t *order = r->sources->by_number;
	size_t low = 0, high = r->image_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		struct image *im = &r->images[order[mid]];

		if (im->number == number)
			return im;
		if (im->number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct image *image_parent(const struct recording *r, const struct image *image)
{
	const struct image *parent = image->parent_image ?
				     recording_image(r, image->parent_image) : NULL;

	return parent && parent < image ? parent : NULL;
}

struct image *recording_image_at(const struct recording *r, uint32_t pid, uint64_t stamp)
{
	const uint32_t *order = r->sources->by_pid;
	size_t low = 0, high = r->image_count;
	struct image *im;

	/* the first of PID that starts later, or of a larger pid */
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		im = &r->images[order[mid]];
		if (im->pid < pid || (im->pid == pid && im->start_stamp <= stamp))
			low = mid + 1;
		else
			high = mid;
	}
	if (low > 0 && r->images[order[low - 1]].pid == pid)
		return &r->images[order[low - 1]];
	if (low < r->image_count && r->images[order[low]].pid == pid)
		return &r->images[order[low]];
	return NULL;
}

const struct thread_info *image_thread(const struct image *image, uint32_t number)
{
	size_t low = 0, high = image->thread_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (image->threads[mid].number == number)
			return &image->threads[mid];
		if (image->threads[mid].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static bool map_holds(const struct module_map *m, uint64_t address)
{
	return address >= m->start && address < m->end;
}

const struct module_map *image_module(const struct recording *r,
				      const struct image *image,
				      uint64_t address, uint64_t stamp)
{
	const struct module_map *later = NULL;
	const struct image *own = image;

	while (image) {
		for (size_t i = image->map_count; i-- > 0;) {
			const struct module_map *m = &image->maps[i];

			if (!map_holds(m, address) || stamp >= m->to_stamp)
				continue;
			if (m->from_stamp <= stamp)
				return m;
			/* its constructors ran before it was noted */
			if (image == own)
				later = m;
		}
		if (image->how != PROCESS_FORKED)
			break;
		stamp = image->fork_stamp ? image->fork_stamp : image->start_stamp;
		image = image_parent(r, image);
	}
	return later;
}

uint16_t image_generation(const struct image *image, uint64_t address, uint64_t stamp)
{
	uint16_t ended = 0;

	for (size_t i = 0; i < image->map_count; i++)
		ended += image->maps[i].to_stamp <= stamp && map_holds(&image->maps[i], address);
	return ended;
}

void recording_each_meta(struct recording *r,
			 void (*visit)(enum meta_kind kind, const uint8_t *payload,
				       size_t bytes, void *ctx),
			 void *ctx)
{
	const struct recording_sources *src = r->sources;

	for (size_t i = 0; i < src->meta_count; i++)
		visit((enum meta_kind)src->meta[i].kind, src->meta[i].payload,
		      src->meta[i].bytes, ctx);
}

int64_t recording_ns(const struct recording *r, uint64_t stamp)
{
	double ticks = stamp >= r->start_stamp ? (double)(stamp - r->start_stamp)
					       : -(double)(r->start_stamp - stamp);
	double ns = ticks * r->ns_per_tick;

	/* stamps of a damaged recording: the difference of two moments must fit too */
	if (ns >= 4e18)
		return 4000000000000000000;
	if (ns <= -4e18)
		return -4000000000000000000;
	return (int64_t)(ns < 0 ? ns - 0.5 : ns + 0.5);
}

uint64_t recording_span_ns(const struct recording *r, uint64_t from, uint64_t to)
{
	int64_t ns = recording_ns(r, to) - recording_ns(r, from);

	return ns > 0 ? (uint64_t)ns : 0;
}

uint64_t recording_stamp(const struct recording *r, int64_t ns)
{
	double ticks = (double)ns / r->ns_per_tick;
	uint64_t distance;

	if (ticks >= 1.8e19 || ticks <= -1.8e19)
		return ticks < 0 ? 0 : UINT64_MAX;
	if (ticks < 0) {
		distance = (uint64_t)(0.5 - ticks);
		return distance > r->start_stamp ? 0 : r->start_stamp - distance;
	}
	distance = (uint64_t)(ticks + 0.5);
	return distance > UINT64_MAX - r->start_stamp ? UINT64_MAX
						     : r->start_stamp + distance;
}
