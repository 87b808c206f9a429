/* both_modes.c - the two ways to put the library into a program. Relies on run.h. */
#include "support/both_modes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

struct result run_in_mode(const char *mode, const char *before, const char *command)
{
	unlink("test.data");
	unlink("test.data.old");
	if (strcmp(mode, "record") == 0)
		return run_shell("%s\nexec '%s' record -q -o test.data -- %s", before,
				 built("allotrope"), command);
	return run_shell("%s\nALLOTROPE_OUT=test.data LD_PRELOAD='%s' exec %s", before,
			 built("liballotrope.so"), command);
}

static json_t *one_mode(const char *mode, const char *before, const char *command, int status,
			const char *out)
{
	struct result r = run_in_mode(mode, before, command);
	json_t *root;

	if (r.status != status || strcmp(r.out, out) != 0)
		fail_msg("%s, %s: status %d, not %d; '%s', not '%s': %s", command, mode, r.status,
			 status, r.out, out, r.err);
	result_free(&r);
	root = summary("");
	print_message("%s: ", mode);
	assert_nothing_lost(root);
	print_message("nothing lost\n");
	return root;
}

struct both_modes run_in_both(const char *before, const char *command, int status, const char *out)
{
	struct both_modes b;
	struct result bare = { 0 };

	if (!out) {
		bare = run_shell("%s\nexec %s", before, command);
		out = bare.out;
	}
	b.drained = one_mode("record", before, command, status, out);
	b.bare = one_mode("bare", before, command, status, out);
	result_free(&bare);
	return b;
}

void both_modes_free(struct both_modes *b)
{
	json_decref(b->drained);
	json_decref(b->bare);
}

void assert_both_in_range(const struct both_modes *b, const char *path, long long least,
			  long long most)
{
	long long drained = number_at(b->drained, path), bare = number_at(b->bare, path);

	if (drained < least || drained > most || bare < least || bare > most)
		fail_msg("%s: %lld under record, %lld bare, not within %lld and %lld", path,
			 drained, bare, least, most);
}
