/*
 * term.c - terminals: colour and width. Reads no environment; the caller hands
 * in what it found there.
 */
#include "base/term.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool term_has_color(enum color_choice choice, int fd, const char *term,
		    const char *no_color)
{
	if (choice != COLOR_AUTO)
		return choice == COLOR_ALWAYS;
	if (no_color && *no_color)
		return false;
	if (!term || !*term || strcmp(term, "dumb") == 0)
		return false;
	return isatty(fd) == 1;
}

bool term_is_utf8(const char *lc_all, const char *lc_ctype, const char *lang)
{
	const char *locale = lc_all && *lc_all ? lc_all : lc_ctype && *lc_ctype ? lc_ctype : lang;

	return locale && (strcasestr(locale, "UTF-8") || strcasestr(locale, "utf8"));
}

int term_columns(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int term_width(int fd, int fallback)
{
	int columns = term_columns(fd);

	if (columns == 0)
		return fallback;
	return columns < 40 ? 40 : columns;
}

const char *term_style(bool color, enum style style)
{
	static const char *const sequences[STYLE_COUNT] = {
		[STYLE_HEAD] = "\033[1m",
		[STYLE_KEY] = "\033[36m",
		[STYLE_FAINT] = "\033[2m",
		[STYLE_GOOD] = "\033[32m",
		[STYLE_BAD] = "\033[1;31m",
	};

	return color ? sequences[style] : "";
}

const char *term_plain(bool color)
{
	return color ? "\033[0m" : "";
}
