/*
 * option_names.c - finds options that cannot be any. Relies on the tables that argp is given; promises
 * to leave to argp whatever it can say itself.
 */
#include "cli/option_names.h"

#include <stdbool.h>
#include <string.h>

static bool is_plain(char c)
{
	return c >= 0x20 && c <= 0x7e;
}

/* The option that A is, or is an alias of. */
static const struct argp_option *aliased(const struct argp_option *first, const struct argp_option *a)
{
	while (a > first && (a->flags & OPTION_ALIAS))
		a--;
	return a;
}

/* Does an option of ARGP that is called so (KEY, or a name that begins so) need an argument? */
static bool takes_argument(const struct argp *argp, int key, const char *name, size_t bytes)
{
	const struct argp_option *first = argp->options;

	for (const struct argp_option *o = first; o && (o->name || o->key || o->doc); o++) {
		const struct argp_option *whole = aliased(first, o);

		if ((key ? o->key == key : o->name && strncmp(o->name, name, bytes) == 0) &&
		    whole->arg && !(whole->flags & OPTION_ARG_OPTIONAL))
			return true;
	}
	for (const struct argp_child *c = argp->children; c && c->argp; c++)
		if (takes_argument(c->argp, key, name, bytes))
			return true;
	return false;
}

/* Of "-abc": true where a letter of it is strange. SKIP: the next word is an argument. */
static bool is_strange_cluster(const struct argp *argp, const char *letters, bool *skip)
{
	for (const char *p = letters; *p; p++) {
		if (!is_plain(*p))
			return true;
		if (takes_argument(argp, *p, NULL, 0)) {
			*skip = p[1] == '\0';
			return false;
		}
	}
	return false;
}

/* The same of "--name" or "--name=argument". */
static bool is_strange_name(const struct argp *argp, const char *name, bool *skip)
{
	size_t bytes = strcspn(name, "=");

	for (size_t i = 0; i < bytes; i++)
		if (!is_plain(name[i]))
			return true;
	*skip = !name[bytes] && takes_argument(argp, 0, name, bytes);
	return false;
}

const char *option_names_strange(const struct argp *argp, unsigned flags, int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		bool skip = false, strange;

		if (argv[i][0] != '-' || !argv[i][1]) {
			if (flags & ARGP_IN_ORDER)
				return NULL;
			continue;
		}
		strange = argv[i][1] == '-' ? is_strange_name(argp, argv[i] + 2, &skip) :
					      is_strange_cluster(argp, argv[i] + 1, &skip);
		if (strange)
			return argv[i];
		i += skip;
	}
	return NULL;
}
