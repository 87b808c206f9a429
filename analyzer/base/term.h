/*
 * term.h - what is known of a terminal, and the few styles that reports use.
 * Styles carry no meaning of their own: a report reads the same without them.
 */
#ifndef BASE_TERM_H
#define BASE_TERM_H

#include <stdbool.h>

enum color_choice { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

enum style { STYLE_HEAD, STYLE_KEY, STYLE_FAINT, STYLE_GOOD, STYLE_BAD, STYLE_COUNT };

/*
 * Whether to colour the output on descriptor FD: CHOICE decides; COLOR_AUTO is a terminal whose
 * TERM (value of that variable, may be NULL) is not "dumb" and no NO_COLOR (its value; empty
 * and NULL: not set).
 */
bool term_has_color(enum color_choice choice, int fd, const char *term,
		    const char *no_color);

/*
 * Whether the environment asks for UTF-8: LC_ALL, LC_CTYPE and LANG are values of these
 * variables (may be NULL); the first that is set and not empty decides (locale(7)).
 */
bool term_is_utf8(const char *lc_all, const char *lc_ctype, const char *lang);

/* Columns of the terminal FD; 0 where it is none. */
int term_columns(int fd);

/* Columns of the terminal FD; FALLBACK where it is none. At least 40. */
int term_width(int fd, int fallback);

/* The escape sequence that begins STYLE, "" without COLOR; term_plain ends it. */
const char *term_style(bool color, enum style style);
const char *term_plain(bool color);

#endif
