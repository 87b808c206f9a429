/*
 * fuzz_forms.c - target: every report of any recording, and comparisons. The first byte chooses the
 * report and its options, the rest is a packed recording as for fuzz_packed.
 */
#include <string.h>

#include "base/diag.h"
#include "cli/command.h"
#include "fuzz/fuzz.h"

/* Words behind `allotrope`; all are right, as a wrong one ends the program. */
static const char *const words[][6] = {
	{ "summary" },
	{ "summary", "--all" },
	{ "summary", "--format=json" },
	{ "summary", "--format=csv", "--all" },
	{ "summary", "--since=peak" },
	{ "sites" },
	{ "sites", "--all", "--depth=0", "--top=0" },
	{ "sites", "--format=json" },
	{ "sites", "--format=csv", "--wrappers=none" },
	{ "sites", "--since=30ns", "--until=peak" },
	{ "sites", "--depth=1", "--sort=blocks", "--no-demangle" },
	{ "sizes" },
	{ "sizes", "--classes", "--all" },
	{ "sizes", "--log2", "--sort=bytes" },
	{ "sizes", "--format=json", "--since=30ns" },
	{ "ltrace" },
	{ "ltrace", "-f", "-S", "-tt", "-i" },
	{ "ltrace", "-c", "-S" },
	{ "ltrace", "-T", "-e", "*alloc-calloc" },
	{ "ltrace", "--format=csv", "--since=30ns", "--until=60ns" },
	{ "ltrace", "--format=json", "-S" },
	{ "strace", "-f", "-k", "--cause", "-T" },
	{ "strace", "-tt", "-r", "-Z", "-e", "!brk" },
	{ "strace", "-c", "-S", "errors" },
	{ "strace", "--format=csv", "--all", "--since=30ns" },
	{ "strace", "--format=json", "-e", "/^m" },
	{ "threshold", "--explain", "--all" },
	{ "threshold", "--each", "--since=30ns", "--until=60ns" },
	{ "threshold", "--format=json", "--all" },
	{ "threshold", "--format=csv" },
	{ "flame", "--kind=all", "--all" },
	{ "flame", "--inverted", "--by=line" },
	{ "flame", "--format=folded", "--metric=end", "--at=peak" },
	{ "flame", "--format=speedscope", "--kind=all", "--all" },
	{ "tree", "--kind=all", "--all" },
	{ "tree", "--callers", "--threshold=0", "--by=function" },
	{ "tree", "--format=json", "--metric=count", "--all" },
	{ "tree", "--format=csv", "--callers", "--depth=3" },
	{ "massif", "--all", "--max-snapshots=10", "--detailed-freq=1" },
	{ "massif", "--pages-as-heap", "--format=massif", "--time-unit=ms" },
	{ "massif", "--valgrind-extra", "--peak-inaccuracy=1", "--threshold=0", "--format=json" },
	{ "massif", "--exact-extra", "--since=30ns", "--depth=1" },
	{ "dhat", "--all" },
	{ "dhat", "--format=dhat", "--time-unit=B" },
	{ "dhat", "--since=30ns", "--time-unit=calls", "--depth=0" },
	{ "dhat", "--format=csv", "--at=peak", "--valgrind-max" },
	{ "callgrind", "--all" },
	{ "callgrind", "--format=callgrind" },
	{ "callgrind", "--format=json", "--since=30ns" },
	{ "diff", "--all", "--format=json" },
	{ "diff", "--form=sites", "--from=30ns", "--metric=end" },
	{ "diff", "--form=sizes", "--to=peak" },
	{ "diff", "--form=flame", "--format=svg", "--from=peak", "--all" },
	{ "leaks", "--all" },
	{ "leaks", "--kind=all", "--hide-libc", "--since=30ns", "--error-if=1" },
	{ "leaks", "--at=peak", "--format=json" },
	{ "temporary", "--all" },
	{ "temporary", "--age=1us", "--format=csv" },
	{ "sites", "--lifetimes", "--all" },
	{ "sites", "--touched=freed", "--all", "--format=csv" },
	{ "check", "--max-peak=1K", "--max-in=total:*=1", "--all" },
	{ "check", "--max-blocks=10", "--format=junit", "--since=30ns" },
	{ "maps", "--all" },
	{ "maps", "--sites", "--at=end" },
	{ "maps", "--pmap", "--at=peak" },
	{ "maps", "--smaps", "--format=csv" },
	{ "maps", "--list", "--format=json" },
	{ "maps", "--diff", "start", "end" },
	{ "timeline", "--all", "--points=11" },
	{ "timeline", "--format=csv", "--since=30ns" },
	{ "timeline", "--format=json", "--all" },
};

const size_t fuzz_form_rows = sizeof(words) / sizeof(words[0]);

/* diff: two moments of the recording; else it is compared with itself. */
static bool has_moments(const char *const *row)
{
	for (int i = 1; i < 6 && row[i]; i++)
		if (strncmp(row[i], "--from=", 7) == 0 || strncmp(row[i], "--to=", 5) == 0)
			return true;
	return false;
}

int fuzz_forms(const uint8_t *data, size_t size)
{
	char *argv[16] = { NULL };
	const struct form *form;
	const char *name;
	size_t choice, bytes;
	uint8_t *file;
	int argc = 0, status;

	if (size == 0)
		return 0;
	choice = data[0] % fuzz_form_rows;
	form = form_find(words[choice][0]);
	FUZZ_CHECK(form != NULL || command_find(words[choice][0]) != NULL);
	for (int i = 0; i < 6 && words[choice][i]; i++)
		argv[argc++] = (char *)words[choice][i];
	argv[argc++] = (char *)"--output=/dev/null";
	file = fuzz_repair_packed(data + 1, size - 1, &bytes);
	name = fuzz_file(file, bytes);
	argv[argc++] = (char *)name;
	free(file);
	if (!form && !has_moments(words[choice]))
		argv[argc++] = (char *)name;
	status = form ? command_run_form(form, argc, argv) :
		 command_find(words[choice][0])->run(argc, argv);
	FUZZ_CHECK(status == STATUS_OK || status == STATUS_IO || status == STATUS_USAGE ||
		   status == STATUS_CONDITION);
	return 0;
}
