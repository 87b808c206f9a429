/*
 * option_names.h - options as they are typed, before argp sees them.
 */
#ifndef CLI_OPTION_NAMES_H
#define CLI_OPTION_NAMES_H

#include <argp.h>

/*
 * getopt(3) repeats a wrong option on the terminal as it is. The first argument of ARGV that names an
 * option with other characters than printable ASCII, which no option has; NULL where there is none.
 * Arguments of options may hold anything: those of ARGP and of its children are known. FLAGS as of
 * argp_parse: with ARGP_IN_ORDER the first word that is no option ends the search.
 */
const char *option_names_strange(const struct argp *argp, unsigned flags, int argc, char **argv);

#endif
