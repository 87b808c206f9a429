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

int term_width(int fd, int fallback)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return fallback;
	return size.ws_col < 40 ? 40 : size.ws_col;
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
