/*
 * flame_script.h - what is in every flame graph beside its boxes: the style, and the
 * script that zooms and searches.
 */
#ifndef FORMS_FLAME_SCRIPT_H
#define FORMS_FLAME_SCRIPT_H

/* Content of <style>. */
extern const char flame_style[];

/* Content of <script>, for a CDATA section. */
extern const char flame_script[];

#endif
