/*
 * flame_svg.c - see flame_svg.h. Each box is an <svg> of its own inside the picture: what it
 * holds is clipped to it by every viewer, and to zoom the script moves nothing else.
 */
#include "forms/flame_svg.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/markup.h"
#include "base/xmem.h"
#include "forms/flame_script.h"

#define MARGIN     12
#define ROW        19      /* from one level to the next */
#define BOX        18
#define PADDING    4       /* of the text in its box, left and right */
#define HEAD       76      /* above the boxes: title, subtitle, legend */
#define FOOT       30      /* below them: the line of details */
#define NOTE       15

static int picture_height(const struct flame_picture *p)
{
	uint32_t levels = p->levels ? p->levels : 1;

	return HEAD + (int)levels * ROW + FOOT + (int)p->note_count * NOTE;
}

double flame_svg_pixels(const struct flame_picture *p, uint64_t value)
{
	return p->total ? (double)value / (double)p->total * (p->width - 2 * MARGIN) : 0;
}

double flame_svg_label_room(double pixels)
{
	return pixels > 2 * PADDING ? pixels - 2 * PADDING : 0;
}

/* In units of the font size, 12 pixels; the script measures with the same figures. */
double flame_svg_text_width(const char *text)
{
	double sum = 0;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c & 0xc0) == 0x80)
			continue;
		if (strchr("fijlrtI.,:;'|!()[]/ ", c))
			sum += 0.41;
		else if (c == 'm' || c == 'w' || c == 'M' || c == 'W' || c == '%' || c == '@')
			sum += 0.98;
		else if ((c >= 'A' && c <= 'Z') || strchr("<>=+~", c) || c >= 0x80)
			sum += 0.84;
		else
			sum += 0.64;
	}
	return sum * 12;
}

/* Text of so many pixels at most; what is longer is clipped at the edge. */
static void put_line(FILE *out, int x, int y, const char *class, const char *text)
{
	fprintf(out, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, class);
	markup_put(out, text);
	fputs("</text>\n", out);
}

static void put_legend(FILE *out, const struct flame_picture *p)
{
	double x = MARGIN;

	for (size_t i = 0; i < p->key_count; i++) {
		fprintf(out, "<rect x=\"%.0f\" y=\"53\" width=\"12\" height=\"12\" rx=\"2\" "
			"fill=\"#%06" PRIx32 "\"/>", x, p->keys[i].rgb);
		fprintf(out, "<text x=\"%.0f\" y=\"63\" class=\"s\">", x + 17);
		markup_put(out, p->keys[i].label);
		fputs("</text>\n", out);
		x += 17 + flame_svg_text_width(p->keys[i].label) + 16;
	}
}

void flame_svg_begin(FILE *out, const struct flame_picture *p)
{
	int height = picture_height(p);

	fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\" font-family=\"Verdana,'DejaVu Sans',Geneva,sans-serif\" "
		"font-size=\"12\" data-margin=\"%d\" data-padding=\"%d\" data-hanging=\"%d\">\n"
		"<title>", p->width, height, p->width, height, MARGIN, PADDING, p->is_hanging);
	markup_put(out, p->title);
	fprintf(out, "</title>\n<style>%s</style>\n"
		"<rect id=\"paper\" width=\"%d\" height=\"%d\" fill=\"#fffefb\"/>\n", flame_style, p->width,
		height);
	/* a picture of its own, so that a long command ends where the tools begin */
	fprintf(out, "<svg id=\"head\" width=\"%d\" height=\"%d\">\n", p->width - MARGIN, HEAD);
	put_line(out, MARGIN, 24, "t", p->title);
	put_line(out, MARGIN, 43, "s", p->subtitle);
	put_legend(out, p);
	fputs("</svg>\n<g id=\"boxes\">\n", out);
}

void flame_svg_box(FILE *out, const struct flame_picture *p, const struct flame_box *box)
{
	double x = MARGIN + flame_svg_pixels(p, box->start);
	double width = flame_svg_pixels(p, box->value);
	uint32_t row = p->is_hanging ? box->level : p->levels - 1 - box->level;

	fprintf(out, "<svg x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"><title>", x,
		HEAD + (int)row * ROW, width, BOX);
	markup_put(out, box->name);
	for (const char *line = box->detail; *line; ) {
		size_t bytes = strcspn(line, "\n");
		char *text = xstrndup(line, bytes);

		putc('\n', out);
		markup_put(out, text);
		free(text);
		line += bytes + (line[bytes] == '\n');
	}
	/* a gap between neighbours, where there is room for it */
	fprintf(out, "</title><rect width=\"%.2f\" height=\"%d\" fill=\"#%06" PRIx32 "\"/>",
		width > 3 ? width - 0.7 : width, BOX, box->rgb);
	if (box->label) {
		fprintf(out, "<text x=\"%d\" y=\"13\">", PADDING);
		markup_put(out, box->label);
		fputs("</text>", out);
	}
	fputs("</svg>\n", out);
}

void flame_svg_end(FILE *out, const struct flame_picture *p)
{
	int y = HEAD + (int)(p->levels ? p->levels : 1) * ROW + 18;

	fputs("</g>\n", out);
	fprintf(out, "<text id=\"detail\" x=\"%d\" y=\"%d\" class=\"s\"> </text>\n", MARGIN, y);
	for (size_t i = 0; i < p->note_count; i++)
		put_line(out, MARGIN, y + (int)(i + 1) * NOTE, "n", p->notes[i]);
	fprintf(out, "<script><![CDATA[\n%s]]></script>\n</svg>\n", flame_script);
}
