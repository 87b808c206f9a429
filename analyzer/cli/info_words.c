/*
 * info_words.c - see info_words.h. Relies on the tables of the open recording only.
 */
#include "cli/info_words.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

const char *const info_loss_keys[LOSS_COUNT] = {
#define ROW(name, key, text) [LOSS_##name] = key,
	LOSS_CAUSES(ROW)
#undef ROW
};

const char *const info_loss_texts[LOSS_COUNT] = {
#define ROW(name, key, text) [LOSS_##name] = text,
	LOSS_CAUSES(ROW)
#undef ROW
};

const char *info_state(const struct recording *r)
{
	if (r->is_ring)
		return "session ring";
	if (r->complete)
		return "complete";
	return r->ring_path && *r->ring_path ? "unfinished" : "incomplete";
}

const char *info_state_remedy(const struct recording *r)
{
	if (r->is_ring)
		return "reports read it as it is; allotrope recover packs it";
	if (r->complete)
		return "";
	return "it is being made, or its recorder was killed: allotrope recover saves what there is";
}

/* Its process went on with another program. */
static bool was_replaced(const struct recording *r, const struct image *image)
{
	(void)r;
	return image->is_replaced || (!image->has_exit && image->is_followed);
}

static void wait_status(bool has_end, int status, char *buffer, size_t bytes)
{
	const char *name;

	if (!has_end) {
		snprintf(buffer, bytes, "unknown");
	} else if (WIFSIGNALED(status)) {
		name = sigabbrev_np(WTERMSIG(status));
		snprintf(buffer, bytes, "SIG%s", name ? name : "?");
	} else {
		snprintf(buffer, bytes, "exit %d", WEXITSTATUS(status));
	}
}

void info_status(const struct recording *r, const struct image *image, char *buffer, size_t bytes)
{
	if (was_replaced(r, image))
		snprintf(buffer, bytes, "exec");
	else
		wait_status(image->has_exit, image->status, buffer, bytes);
}

void info_unrecorded_status(const struct unrecorded *u, char *buffer, size_t bytes)
{
	wait_status(u->has_end, u->status, buffer, bytes);
}

const char *info_status_note(const struct recording *r, bool has_end, int status, uint64_t stamp)
{
	if (!has_end || !WIFSIGNALED(status))
		return "";
	if (WCOREDUMP(status))
		return " core";
	return WTERMSIG(status) == SIGKILL && recording_is_oom_kill(r, stamp) ? " oom" : "";
}

const char *info_syscalls(const struct recording *r, const struct image *image)
{
	(void)r;
	return image->features & FEATURE_SITES_EXACT ? "exact" :
	       image->features & FEATURE_SITES_INFERRED ? "inferred" : "off";
}

/* Frame pointers have no feature bit: only the session's options tell. */
const char *info_unwinder(const struct recording *r, const struct image *image)
{
	bool fp = r->has_options ? r->options.callgraph == CALLGRAPH_FP :
		  r->options_text && strstr(r->options_text, "--call-graph=fp");

	return image->features & FEATURE_UNWIND_CFI ? "cfi" :
	       image->features & FEATURE_UNWIND_LIBUNWIND ? "libunwind" : fp ? "fp" : "none";
}

uint64_t info_image_ns(const struct recording *r, const struct image *image)
{
	return recording_span_ns(r, image->start_stamp, image->end_stamp);
}

void info_wall_clock(uint64_t ns, char *buffer, size_t bytes)
{
	time_t seconds = (time_t)(ns / 1000000000u);
	struct tm tm;

	*buffer = '\0';
	if (ns && localtime_r(&seconds, &tm))
		strftime(buffer, bytes, "%Y-%m-%d %H:%M:%S %z", &tm);
}

uint64_t info_stored_bytes(const struct recording *r)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < r->segment_count; i++)
		sum += r->segments[i].header.stored_bytes;
	return sum;
}

/* Of the file that was named. A ring is nearly all hole: what it takes on the disk. */
uint64_t info_disk_bytes(const struct recording *r)
{
	struct stat st;

	if (stat(r->path, &st) != 0)
		return r->file_bytes;
	return r->is_ring ? (uint64_t)st.st_blocks * 512 : (uint64_t)st.st_size;
}
